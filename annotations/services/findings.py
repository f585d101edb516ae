"""What went wrong in a rollout, in a few lines: only of what the reader may see, and only where it stands.

Findings are facts with a place each: nobody's judgement is made here but that of raters, outcomes and tools.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Min, Q, TextField, Window
from django.db.models.functions import Cast, Lag, Left

from annotations.formats.lines import load
from annotations.models.trajectories import StepQuerySet
from annotations.records import Json
from annotations.services import gists, progressive, sight
from annotations.services.answers import Mark
from annotations.services.axis import Place
from annotations.services.dossier import Dossier
from annotations.services.gists import Gist

SHOWN = 8  # places of one finding that are named; the rest is counted
LOOKED_AT = 1_500  # characters of an observation that are searched for an error
# How a stored observation says that something failed: at its beginning, as JSON, or by an exit code. For PostgreSQL.
ERROR = (
    r'"content": ?"\s*(?:\{\\"(?:error|exception)\\"|(?:[a-z_.]*error|exception|traceback|fatal)\y)'
    r'|"is_error": ?true|\\"(?:is_error\\": ?true|(?:status|state)\\": ?\\"(?:error|failed))|command not found'
    r"|(?:\y|\\n)(?:exit(?:ed)?(?: with)?(?: status| code)?:? [1-9]|[1-9][0-9]* failed\y)"
)
TURNING = ("choice", "flag")  # kinds whose answers go from one to another along the way
VERDICTS = ("resolved", "solved", "success", "passed", "correct", "reward", "score")


@dataclass(frozen=True)
class Where:
    """Steps that share a finding: the first ones, and how many there are."""

    places: Sequence[Place] = ()
    count: int = 0

    @property
    def more(self) -> int:
        return self.count - len(self.places)


@dataclass
class FirstError:
    """The step that these raters find wrong first, and what they say of it."""

    place: Place
    raters: list[str]
    gist: Gist | None = None
    reasons: list[tuple[str, str]] = field(default_factory=list)


class Repeat(NamedTuple):
    """The same call again and again."""

    gist: Gist
    where: Where


Turn = tuple[Place, Mark, Mark | None]  # where, and from which answer to which (None: to none)


@dataclass
class Findings:
    """`failed`: what may be seen of outcome and verdicts says so; None where it says nothing."""

    failed: bool | None = None
    finals: list[tuple[Mark, list[str]]] = field(default_factory=list)
    first_errors: list[FirstError] = field(default_factory=list)
    turns: list[tuple[str, list[Turn], int]] = field(default_factory=list)
    hindsight: list[tuple[str, list[Turn], int]] = field(default_factory=list)
    corrections: Where = Where()
    repeats: list[Repeat] = field(default_factory=list)
    errors: Where = Where()
    lowest: list[tuple[str, Place, float]] = field(default_factory=list)
    end: Gist | None = None


def of(file: Dossier) -> Findings:
    """What the dossier's reader may know of what went wrong."""
    steps = sight.steps_of(file.membership, file.trajectory)
    found = Findings(
        finals=_finals((one.final, one.name) for one in file.passes if file.scheme.final or one.first_error is None),
        first_errors=_first_errors(file),
        turns=_turns(file),
        hindsight=_hindsight(file),
        corrections=_corrections(file),
        errors=_errors(file, steps),
        lowest=[(one.title, file.axis.place(one.lowest[0]), one.lowest[1]) for one in file.curves if one.lowest],
    )
    found.failed = failed(file.trajectory.outcome if file.visible.outcome else None, _verdicts(file))
    repeats = _repeats(file, steps)
    named = [one.place.index for one in found.first_errors] + [where.places[0].index for where in repeats]
    last = file.axis.agent[-1:]
    words = {one.index: one for one in gists.read(steps.filter(index__in=[*named, *last]))}
    for error in found.first_errors:
        error.gist = words.get(error.place.index)
    found.repeats = [Repeat(words[where.places[0].index], where) for where in repeats]
    found.end = words.get(last[0]) if last and not file.tree else None  # a tree has many ends
    return found


def failed(outcome: Json, verdicts: Sequence[bool]) -> bool | None:
    """Whether the rollout failed: as the outcome says, else as most verdicts do; None where nothing tells."""
    said = _told(outcome)
    if said is not None:
        return not said
    return None if not verdicts else 2 * sum(verdicts) >= len(verdicts)


def _told(outcome: Json, depth: int = 0) -> bool | None:
    """What an outcome says of success, under one of the names that say it."""
    if not isinstance(outcome, dict):
        return None
    for name in VERDICTS:
        value = outcome.get(name)
        if isinstance(value, (bool, int, float)):
            return bool(value > 0)
    inner = (_told(value, depth + 1) for value in outcome.values()) if depth < 2 else iter(())
    return next((one for one in inner if one is not None), None)


def _verdicts(file: Dossier) -> list[bool]:
    """For each verdict on the whole whether it is a bad one, where it is good or bad at all; the reference alone where
    there is one."""
    given = [one for one in file.passes if one.final is not None and one.final.tone != "plain"]
    reference = [one for one in given if one.is_reference]
    return [one.final is not None and one.final.tone == "wrong" for one in reference or given]


def _finals(said: Iterable[tuple[Mark | None, str]]) -> list[tuple[Mark, list[str]]]:
    by_mark: dict[Mark, list[str]] = defaultdict(list)
    for mark, rater in said:
        if mark is not None:
            by_mark[mark].append(rater)
    return sorted(by_mark.items(), key=lambda one: -len(one[1]))


def _first_errors(file: Dossier) -> list[FirstError]:
    by_step: dict[int, list[str]] = defaultdict(list)
    for one in file.passes:
        if one.first_error is not None:
            by_step[one.first_error].append(one.name)
    chosen = dict(sorted(by_step.items())[:SHOWN])
    reasons = file.wrong.among(file.labels()).filter(at__in=chosen).exclude(explanation="")
    told: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for index, rater, why in reasons.order_by("id").values_list(
        "at", "annotation__rater__name", Left("explanation", 400)
    ):
        if rater in chosen[index]:
            told[index].append((rater, why))
    return [FirstError(file.axis.place(index), raters, None, told[index][:3]) for index, raters in chosen.items()]


def _turns(file: Dossier) -> list[tuple[str, list[Turn], int]]:
    """For the reference and people (else whoever there is) where their labels change along the way."""
    main = file.scheme.main_field
    if main.kind not in TURNING or main.target != "step":
        return []
    voices = [one for one in file.passes if one.strip.counts]
    own = [one for one in voices if one.is_reference or one.annotation.rater.user_id]
    chosen = [one.annotation for one in (own or voices)[:3]]
    before = Window(Lag(Cast("value", TextField())), partition_by=F("annotation_id"), order_by="step__index")
    said = file.main().filter(annotation__in=chosen)
    rows = said.annotate(said=Cast("value", TextField()), before=before).filter(
        ~Q(before=F("said")), before__isnull=False
    )
    found: dict[int, list[Turn]] = defaultdict(list)
    counts: Counter[int] = Counter()
    for annotation, index, old, new in rows.order_by("step__index").values_list(
        "annotation_id", "step__index", "before", "said"
    )[:500]:
        counts[annotation] += 1
        if counts[annotation] <= SHOWN:
            earlier, later = (file.voices.main.mark(load(text)) for text in (old, new))
            found[annotation].append((file.axis.place(index), earlier, later))
    return [(one.rater.name, found[one.pk], counts[one.pk] - len(found[one.pk])) for one in chosen if found[one.pk]]


def _hindsight(file: Dossier) -> list[tuple[str, list[Turn], int]]:
    """Whose labels are others since the end was shown to them, and where."""
    changed = progressive.hindsight([one.annotation for one in file.passes], file.scheme.main)
    found = []
    for one in file.passes:
        if of_pass := changed.get(one.annotation.pk):
            shown = [_shift(file, *one) for one in of_pass[:SHOWN]]
            found.append((one.name, shown, len(of_pass) - len(shown)))
    return found


def _shift(file: Dossier, step: int, before: Json, after: Json) -> Turn:
    voice = file.voices.main
    first = Mark("nothing") if before is None else voice.mark(before)
    return file.axis.place(step), first, None if after is None else voice.mark(after)


def _corrections(file: Dossier) -> Where:
    mark = file.scheme.propagation.until if file.scheme.propagation else ""
    if not mark:
        return Where()
    marked = file.labels().filter(field=mark, step__isnull=False).order_by("step__index")
    return where(file, marked.values_list("step__index", flat=True).distinct()[:500])


def _repeats(file: Dossier, steps: StepQuerySet) -> list[Where]:
    """Calls that were made more than once, the most frequent first."""
    calls = steps.of_agent().exclude(action_hash="").exclude(tool_calls=[]).order_by()
    same = calls.values("action_hash").annotate(n=Count("pk"), first=Min("index")).filter(n__gt=1)
    top = list(same.order_by("-n", "first").values_list("action_hash", "n", "first")[:5])
    rows = calls.filter(action_hash__in=[one[0] for one in top]).values("action_hash")
    placed: Mapping[str, list[int]] = dict(
        rows.annotate(at=ArrayAgg("index", order_by="index")).values_list("action_hash", "at")
    )
    return [
        Where([file.axis.place(index) for index in placed[action][:SHOWN]], count)
        for action, count, _ in top
        if action in placed
    ]


def _errors(file: Dossier, steps: StepQuerySet) -> Where:
    """Steps in which a tool answered with an error, by its own words."""
    head = Left(Cast("observations", TextField()), LOOKED_AT)
    broken = steps.of_agent().alias(head=head).filter(head__iregex=ERROR).order_by("index")
    return where(file, broken.values_list("index", flat=True)[:10_000])


def where(file: Dossier, indexes: Iterable[int]) -> Where:
    found = list(indexes)
    return Where([file.axis.place(index) for index in found[:SHOWN]], len(found))
