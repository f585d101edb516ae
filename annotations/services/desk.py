"""What the label page works with beside the texts: which steps there are, what is said, offered, and worth a warning.

For a long trajectory this comes after the first steps are on the page, so that reading never waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, QuerySet

from annotations.models import Annotation, Label, Score, Step, Trajectory
from annotations.records import Json
from annotations.schemes.schema import Scheme
from annotations.services import (
    around,
    calibrated,
    frontier,
    history,
    progressive,
    rubrics,
    scores,
    suggestions,
    trees,
    twins,
    visibility,
)
from annotations.services.answers import of_name
from annotations.services.board import scheme

SMALL = 400  # turns of a trajectory whose desk comes with the page
REPEATS = 2_000  # repeated calls that are told of


def desk(annotation: Annotation) -> dict[str, Json]:
    """Everything at once. `steps` are runs [first, stride, count] of the agent's indexes; `after` says of each the one
    it was tried after, where they are a tree; offers are [step, value, confidence, source]; `repeats` steps that make
    the same call; `twins` the person's own word on an equal step; `first` what the person said of each step before
    everything was shown to them; `scores` [step, P(not wrong), scorer] of the surest that it is wrong, where the mode
    shows them."""
    siblings = twins.siblings_of(annotation)
    named = scheme(annotation.scheme_id)
    return {
        "state": history.current(annotation).as_json(),
        "steps": runs(_shown(annotation).values_list("index", flat=True)),
        "after": _after(annotation),
        "suggestions": _offers(suggestions.of(annotation)),
        "prefix": _offers(twins.prefix(annotation, siblings)),
        "repeats": _repeats(annotation),
        "twins": {
            step: [list(one) for one in found] for step, found in twins.equal_steps(annotation, siblings).items()
        },
        "parts": {"" if step is None else str(step): found for step, found in around.parts(annotation, named).items()},
        "items": rubrics.by_field(annotation, named.fields),
        "dismissed": annotation.dismissed,
        "first": progressive.first_pass(annotation, scheme(annotation.scheme_id).main),
        "scores": _scores(annotation) if visibility.BY_MODE[annotation.mode].scores else [],
    }


def turns(annotation: Annotation) -> int:
    """How many turns the pass shows; one less than that is the last one's index."""
    if annotation.frontier is not None:
        return annotation.frontier + 1
    steps = Step.objects.filter(trajectory_id=annotation.trajectory_id)
    last = steps.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


def first_open(annotation: Annotation) -> int | None:
    """The agent's first step without an answer that it needs; None where every one has, and where none needs any."""
    asked = frontier.gates(scheme(annotation.scheme_id))
    if not asked:
        return None
    said = Label.objects.current().filter(of_name(asked[0].name), annotation=annotation, step__isnull=False)
    return _shown(annotation).exclude(pk__in=said.values("step")).values_list("index", flat=True).first()


def first_open_of(facts: Json, named: Scheme) -> int | None:
    """The same, from what `desk` returned."""
    asked = frontier.gates(named)
    if not asked:
        return None
    name = asked[0].name
    said = {label["step"] for label in facts["state"]["labels"] if label["field"].partition("@")[0] == name}
    steps = (first + stride * place for first, stride, count in facts["steps"] for place in range(count))
    return next((step for step in steps if step not in said), None)


def numbered(annotation: Annotation, before: int) -> int:
    """How many of the agent's steps stand before that index."""
    return 0 if before <= 0 else _shown(annotation).filter(index__lt=before).count()


def agent_steps_before(trajectory: Trajectory, before: int) -> int:
    """The same of a trajectory that is shown whole."""
    return 0 if before <= 0 else Step.objects.of_agent().filter(trajectory=trajectory, index__lt=before).count()


def runs(indexes: Iterable[int]) -> list[list[int]]:
    """Ascending numbers as [first, stride, count]: those of a long trajectory are a few rows."""
    found: list[list[int]] = []
    for index in indexes:
        if found and _goes_on(found[-1], index):
            first, _, count = found[-1]
            found[-1] = [first, (index - first) // count, count + 1]
        else:
            found.append([index, 1, 1])
    return found


def _goes_on(run: list[int], index: int) -> bool:
    first, stride, count = run
    return count == 1 or index == first + stride * count


def _shown(annotation: Annotation) -> QuerySet[Step]:
    steps = Step.objects.of_agent().filter(trajectory_id=annotation.trajectory_id).order_by("index")
    return steps if annotation.frontier is None else steps.filter(index__lte=annotation.frontier)


def _after(annotation: Annotation) -> list[int | None] | None:
    found, last = trees.of(annotation.trajectory_id), annotation.frontier
    if found is None:
        return None
    return [above for step, above in found.after.items() if last is None or step <= last]


def _offers(found: suggestions.Suggestions) -> list[list[Any]]:
    return [[step, *one] for step, one in sorted(found.items())]


def _repeats(annotation: Annotation) -> list[list[int]]:
    calls = _shown(annotation).exclude(tool_calls=[]).exclude(action_hash="").order_by()
    groups = calls.values("action_hash").annotate(times=Count("id"), places=ArrayAgg("index", order_by="index"))
    return list(groups.filter(times__gt=1).order_by("places").values_list("places", flat=True)[:REPEATS])


def _scores(annotation: Annotation) -> list[list[Any]]:
    newest = {run: name for name, run in scores.latest(annotation.rater.project_id).items()}
    held = calibrated.in_force(annotation.rater.project_id, newest)
    rows = Score.objects.filter(run__in=newest, trajectory=annotation.trajectory_id)
    rows = rows.annotate(sure=calibrated.probability(held)).filter(sure__isnull=False)
    lowest: dict[int, list[Any]] = {}
    for step, probability, run in rows.order_by("-sure").values_list("step__index", "sure", "run_id"):
        lowest[step] = [step, probability, newest[run]]
    return sorted(lowest.values())
