"""Passes from a file into the tables, many at once. What is there already is left, what differs supersedes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from annotations.formats.lines import dump
from annotations.formats.stepmark import sha256
from annotations.models import Annotation, Event, Label, Project, Rater
from annotations.records import AnswerRecord, PassRecord
from annotations.schemes.rules import Place
from annotations.services import copying
from annotations.services.pass_fit import Saying
from annotations.services.rating_rows import Tally

ANNOTATION = (
    "id rater_id trajectory_id scheme_id guideline_id mode propagation drawn purpose state revision time_spent_ms"
    " comment created_at updated_at submitted_at revealed_at"
)
LABEL = (
    "id annotation_id step_id field value origin cause_id explanation suggestion guideline_id time_ms revision"
    " created_at superseded_at"
)
Key = tuple[int | None, str]  # the id of a step (None: the whole trajectory) and a field
Speaker = tuple[str, str]  # the kind and the name of a rater
Slot = tuple[int, Speaker, bool]  # a trajectory, who says something of it, and whether it was given to them again


@dataclass
class Held:
    """A live pass and what it says now, each label with its id."""

    annotation: Annotation
    labels: dict[Key, tuple[int, Saying]] = field(default_factory=dict)

    @property
    def slot(self) -> Slot:
        one, rater = self.annotation, self.annotation.rater
        return one.trajectory_id, (rater.kind, rater.name), one.purpose == Annotation.Purpose.REPEAT


@dataclass(frozen=True)
class Pass:
    """What a rater is to say of a trajectory whose steps have these ids, in order."""

    trajectory: int
    speaker: Speaker
    said: PassRecord
    answers: Mapping[Place, AnswerRecord]
    steps: Sequence[int]

    @property
    def slot(self) -> Slot:
        return self.trajectory, self.speaker, self.said.purpose == Annotation.Purpose.REPEAT

    def key(self, place: Place) -> Key:
        step, name = place
        return None if step is None else self.steps[step], name

    def sayings(self) -> dict[Key, Saying]:
        return {self.key(place): self._saying(one) for place, one in self.answers.items()}

    def _saying(self, one: AnswerRecord) -> Saying:
        cause = None if one.cause is None else self.steps[one.cause]
        return Saying(one.value, one.origin, cause, one.explanation, one.suggestion)


def agrees(held: Held, wanted: Pass) -> bool:
    """Whether the pass says just that already."""
    same = (held.annotation.state, held.annotation.comment) == (wanted.said.state, wanted.said.comment)
    return same and {key: saying for key, (_, saying) in held.labels.items()} == wanted.sayings()


def write(
    project: Project,
    wanted: Sequence[Pass],
    held: Mapping[Slot, Held],
    raters: MutableMapping[Speaker, Rater],
    tally: Tally,
) -> None:
    """Make every pass say what is wanted of it. Needs a transaction and the import lock."""
    work = _Writing(project, raters)
    for one in wanted:
        before = held.get(one.slot)
        tally.failed += one.said.state == Annotation.State.FAILED
        if before and agrees(before, one):
            tally.unchanged += 1
            continue
        work.change(before, one) if before else work.create(one)
        tally.changed.add(one.trajectory)
        tally.annotations += 1
    tally.labels += work.copy()


class _Writing:
    """Rows on their way: what is superseded goes at once, what is new is copied in together."""

    def __init__(self, project: Project, raters: MutableMapping[Speaker, Rater]) -> None:
        self.project, self.raters, self.now = project, raters, timezone.now()
        texts = project.guidelines.order_by("version").values_list("pk", "version", "text")
        self.guidelines = {(version, sha256(text)): pk for pk, version, text in texts}
        self.created: list[Pass] = []
        self.labels: list[tuple[Any, ...]] = []
        self.fresh: list[tuple[int | Pass, Pass, dict[Key, AnswerRecord], dict[Key, int], int]] = []

    def create(self, one: Pass) -> None:
        self.created.append(one)
        self.fresh.append((one, one, {one.key(place): said for place, said in one.answers.items()}, {}, 0))

    def change(self, before: Held, one: Pass) -> None:
        """Supersede what differs, and whatever names it as its cause."""
        annotation, wanted = before.annotation, one.sayings()
        gone = {key for key, (_, saying) in before.labels.items() if wanted.get(key) != saying}
        again = {key for key, saying in wanted.items() if (saying.cause, key[1]) in gone}
        gone |= again & before.labels.keys()
        Label.objects.filter(pk__in=[before.labels[key][0] for key in gone]).update(superseded_at=self.now)
        stay = {key: pk for key, (pk, _) in before.labels.items() if key not in gone}
        fresh = {one.key(place): said for place, said in one.answers.items() if one.key(place) not in stay}
        revision = annotation.revision + 1
        self.fresh.append((annotation.pk, one, fresh, stay, revision))
        self._event(before, one, revision)
        for name, value in self._columns(one).items():
            setattr(annotation, name, value)
        annotation.revision = revision
        annotation.save(update_fields=[*self._columns(one), "revision", "updated_at"])

    def _columns(self, one: Pass) -> dict[str, Any]:
        """What an annotation says of how its labels came to be."""
        said = one.said
        return {
            "scheme_id": self.project.scheme_id,
            "guideline_id": self._guideline(said, said.guideline),
            "mode": said.mode,
            "propagation": said.propagation,
            "drawn": said.drawn,
            "purpose": said.purpose,
            "state": said.state,
            "time_spent_ms": said.time_spent_ms,
            "comment": said.comment,
            "submitted_at": self._when(said.submitted_at),
            "revealed_at": datetime.fromisoformat(said.revealed_at) if said.revealed_at else None,
        }

    def _event(self, before: Held, one: Pass, revision: int) -> None:
        was = [_told(key, saying) for key, (_, saying) in before.labels.items()]
        Event.objects.create(
            project=self.project,
            verb="labels.imported",
            annotation=before.annotation,
            revision=revision,
            before={"state": before.annotation.state, "labels": was},
            after={"state": one.said.state, "labels": [_told(*item) for item in one.sayings().items()]},
        )

    def copy(self) -> int:
        """Everything that is new; returns how many labels now say something else or more."""
        ids = dict(zip(map(id, self.created), copying.reserve(Annotation, len(self.created)), strict=True))
        made = [self._annotation(ids[id(one)], one) for one in self.created]  # all questions before the COPY begins
        copying.insert(Annotation, ANNOTATION, made)
        rows: list[tuple[Any, ...]] = []
        count = 0
        for annotation, one, fresh, stay, revision in self.fresh:
            pk = annotation if isinstance(annotation, int) else ids[id(annotation)]
            rows += self._labels(pk, one, fresh, stay, revision)
            count += len(fresh)
        copying.insert(Label, LABEL, rows)
        return count

    def _annotation(self, pk: int, one: Pass) -> tuple[Any, ...]:
        columns = self._columns(one) | {
            "id": pk,
            "rater_id": self._rater(one.speaker).pk,
            "trajectory_id": one.trajectory,
            "revision": 0,
            "created_at": self._when(one.said.created_at),
            "updated_at": self.now,
        }
        return tuple(columns[name] for name in ANNOTATION.split())

    def _labels(
        self, annotation: int, one: Pass, fresh: Mapping[Key, AnswerRecord], stay: Mapping[Key, int], revision: int
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of the labels, each with an id of its own, so that they can name each other."""
        ids = {**stay, **dict(zip(fresh, copying.reserve(Label, len(fresh)), strict=True))}
        for key, said in fresh.items():
            when = self._when(said.created_at)
            cause = None if said.cause is None else ids[one.steps[said.cause], said.field]
            suggestion = None if said.suggestion is None else dump(said.suggestion)
            how = (self._guideline(one.said, said.guideline), said.time_ms, revision)
            said_now = (dump(said.value), said.origin, cause, said.explanation, suggestion)
            yield (ids[key], annotation, *key, *said_now, *how, when, None)
            revealed = one.said.revealed_at
            if revealed and said.first_value is not None and when > (end := datetime.fromisoformat(revealed)):
                (first,) = copying.reserve(Label, 1)
                yield (first, annotation, *key, dump(said.first_value), "human", None, "", None, *how, end, when)

    def _guideline(self, said: PassRecord, version: int | None) -> int | None:
        """The project's own version of that number, where its text is the same."""
        return None if version is None else self.guidelines.get((version, said.guidelines.get(version, "")))

    def _when(self, said: str) -> datetime:
        return datetime.fromisoformat(said) if said else self.now

    def _rater(self, speaker: Speaker) -> Rater:
        if speaker not in self.raters:
            kind, name = speaker
            self.raters[speaker], _ = Rater.objects.get_or_create(project=self.project, kind=kind, name=name)
        return self.raters[speaker]


def _told(key: Key, saying: Saying) -> dict[str, Any]:
    return {"step": key[0], "field": key[1], "value": saying.value}
