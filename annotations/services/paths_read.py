"""Reading the rollouts of a task as ways through states. Observations are read only where they decide something: the
stored fingerprint of an action knows nothing of them, so they are of steps that share it, and of no others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Count, F, Func, IntegerField, TextField
from django.db.models.functions import MD5

from annotations.models import Step, Task, Trajectory
from annotations.rendering.identity import seen_hash
from annotations.services import rankable, trees
from annotations.services.axis import Place
from annotations.services.paths import LeftOut, Paths, Visit, Way

MOST_STEPS = 20_000  # of all rollouts that are laid together
LONG = 100_000  # bytes; observations that are longer are equal where they are so to the letter
COLUMNS = ("trajectory_id", "pk", "index", "source", "action_hash", "turn_hash")

Row = tuple[int, int, int, str, str, str]


def of(task: Task) -> Paths:
    """The live rollouts of the task, as many from the first one on as MOST_STEPS allow; trees are left out."""
    sizes = Trajectory.objects.live().filter(task=task).order_by("rollout", "pk").annotate(size=Count("steps"))
    grown = trees.among([one.pk for one in sizes])
    kept, beyond, room = [], 0, MOST_STEPS
    for one in sizes.defer("extra", "meta"):
        if one.pk in grown:
            continue
        if one.size > room:
            beyond += 1
            continue
        room -= one.size
        kept.append(one)
    return _laid(task, kept, LeftOut(len(grown), beyond))


def _laid(task: Task, kept: Sequence[Trajectory], left_out: LeftOut) -> Paths:
    place = {one.pk: at for at, one in enumerate(kept)}
    rows = list(Step.objects.filter(trajectory__in=place).order_by("trajectory", "index").values_list(*COLUMNS))
    states = _states(rows)
    visits: dict[str, list[Visit]] = defaultdict(list)
    turns: list[list[tuple[str, Visit]]] = [[] for _ in kept]
    made: list[list[str]] = [[] for _ in kept]
    for trajectory, pk, index, _, _, turn in rows:
        at, state = place[trajectory], states.get(pk)
        if state is not None:
            made[at].append(state)
        visit = Visit(at, pk, Place(index, len(made[at]) if state is not None else None))
        turns[at].append((turn, visit))
        if state is not None:
            visits[state].append(visit)
    verdicts = rankable.verdicts_of(task.project, task)
    ways = [
        Way(one, rankable.is_right(one.outcome, verdicts, one.pk), tuple(some))
        for one, some in zip(kept, made, strict=True)
    ]
    return Paths(task, ways, visits, turns, left_out)


def _states(rows: Sequence[Row]) -> Mapping[int, str]:
    """By step of the agent, the key of its state. One whose action is unknown is like no other."""
    actions = {pk: action for _, pk, _, source, action, _ in rows if source == Step.Source.AGENT}
    often = Counter(actions.values())
    seen = _seen([pk for pk, action in actions.items() if action and often[action] > 1])
    return {pk: f"{action or pk}-{seen.get(pk, '')}" for pk, action in actions.items()}


def _seen(steps: Sequence[int]) -> Mapping[int, str]:
    """By step, the fingerprint of what came back."""
    found = Step.objects.filter(pk__in=steps).exclude(observations=[]).order_by()
    sized = found.annotate(size=Func(F("observations"), function="octet_length", output_field=IntegerField()))
    short = sized.filter(size__lte=LONG).values_list("pk", "observations").iterator(chunk_size=500)
    told = {pk: seen_hash(observations) for pk, observations in short}
    return told | dict(sized.filter(size__gt=LONG).values_list("pk", MD5("observations", output_field=TextField())))
