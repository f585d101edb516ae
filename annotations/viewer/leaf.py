"""A trajectory as it stands in a file, in the shape in which pages show a stored one: nothing of it is saved."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from annotations import schemes
from annotations.formats.lines import dump
from annotations.models import Step, Task, Trajectory
from annotations.records import RatingRecord, StepRecord, TrajectoryRecord
from annotations.rendering.identity import action_hash
from annotations.rendering.outline import outline
from annotations.rendering.parts import parts
from annotations.services import findings, gists, trees
from annotations.services.answers import Mark, Voices
from annotations.services.axis import Axis, Strip, strip
from annotations.services.findings import Findings, FirstError, Repeat, Turn, Where
from annotations.services.gists import Gist
from annotations.services.told import Answer, Word
from annotations.services.visibility import EVERYTHING

SCHEME = schemes.shipped()["agent-process"]  # labels in files are those of its source
VOICES = Voices(SCHEME)
WRONG = -1
_ERROR = re.compile(findings.ERROR.replace(r"\y", r"\b"), re.IGNORECASE)


@dataclass
class Found:
    """The labels that stand in the file, as a page shows a rater's pass."""

    strip: Strip
    final: Mark | None = None
    whole: Word | None = None
    first_error: int | None = None
    name: str = "in the file"
    kind: str = ""
    state: str = ""
    comment: str = ""
    is_reference: bool = False
    returnable: bool = False

    @property
    def tells(self) -> bool:
        """Whether more is said of the whole than one word."""
        return any(one.explanation for one in self.whole.answers) if self.whole else False


class Leaf:
    """What dossier.Dossier is of a stored trajectory."""

    visible = EVERYTHING
    scheme = SCHEME
    has_strips = True
    verdict = SCHEME.field(SCHEME.final).title  # type: ignore[union-attr]
    curves: tuple[()] = ()

    def __init__(self, record: TrajectoryRecord, format: str) -> None:
        self.record = record
        self.rating = record.rating or RatingRecord()
        agent = [index for index, step in enumerate(record.steps) if step.source == Step.Source.AGENT]
        self.axis = Axis(len(agent), max(0, len(record.steps) - 1), agent)
        self.tree = trees.of_record(record.steps)
        self.trajectory = _trajectory(record, format)

    def steps(self, first: int, last: int) -> list[Step]:
        """The steps with first ≤ index < last, as a page wants them."""
        return [_step(index, one) for index, one in enumerate(self.record.steps[first:last], start=first)]

    def gist(self, index: int) -> Gist:
        return gists.of(self.steps(index, index + 1)[0])

    @cached_property
    def labels(self) -> Mapping[int, Any]:
        """Index of a step → its label."""
        said = self.rating.steps
        places = enumerate(step.source_index for step in self.record.steps)
        return {index: said[place] for index, place in places if place in said}

    @cached_property
    def passes(self) -> list[Found]:
        if not self.labels and self.rating.final is None:
            return []
        width = self.axis.width
        groups = [(index // width, VOICES.main.mark(value), False, 1) for index, value in self.labels.items()]
        made = Found(strip(self.axis, Found.name, groups))
        made.first_error = next((index for index, value in sorted(self.labels.items()) if value == WRONG), None)
        if self.rating.final is not None:
            made.final = VOICES.mark(SCHEME.final, self.rating.final)
            title, why = SCHEME.field(SCHEME.final).title, self.rating.final_explanation  # type: ignore[union-attr]
            made.whole = Word(Found.name, [Answer(title, "choice", made.final, explanation=why)])
        return [made]

    def words(self, first: int, last: int) -> Mapping[int, Sequence[Word]]:
        chosen = (index for index in range(first, last) if index in self.labels)
        return {index: [self._word(index)] for index in chosen}

    def _word(self, index: int) -> Word:
        title, mark = SCHEME.main_field.title, VOICES.main.mark(self.labels[index])
        return Word(Found.name, [Answer(title, "choice", mark, is_main=True, explanation=self._why(index))])

    def scores(self, first: int, last: int) -> Mapping[int, Sequence[Any]]:
        return {}

    def tally(self, first: int, last: int) -> Mapping[int, list[tuple[Mark, int]]]:
        return {index: [(VOICES.main.mark(value), 1)] for index, value in self.labels.items() if first <= index < last}

    def findings(self) -> Findings:
        """What went wrong, of what the file says."""
        found = Findings(end=self.gist(self.axis.agent[-1]) if self.axis.agent and not self.tree else None)
        found.failed = findings.failed(self.record.outcome, [mark.tone == "wrong" for mark in self._given()])
        found.finals = [(mark, [Found.name]) for mark in self._given()]
        found.first_errors = [self._first_error(one) for one in self.passes if one.first_error is not None]
        found.turns = self._turns()
        found.repeats = self._repeats()
        found.errors = self._where([index for index in self.axis.agent if _fails(self.record.steps[index])])
        return found

    def _given(self) -> list[Mark]:
        return [one.final for one in self.passes if one.final is not None]

    def _why(self, index: int) -> str:
        return self.rating.explanations.get(self.record.steps[index].source_index, "")

    def _where(self, indexes: Sequence[int]) -> Where:
        return Where([self.axis.place(index) for index in indexes[: findings.SHOWN]], len(indexes))

    def _first_error(self, one: Found) -> FirstError:
        index = one.first_error or 0
        why = self._why(index)
        return FirstError(self.axis.place(index), [one.name], self.gist(index), [(one.name, why)] if why else [])

    def _turns(self) -> list[tuple[str, list[Turn], int]]:
        said = [(index, VOICES.main.mark(value)) for index, value in sorted(self.labels.items())]
        turns: list[Turn] = [
            (self.axis.place(index), before, value)
            for (_, before), (index, value) in zip(said, said[1:], strict=False)
            if before != value
        ]
        shown = turns[: findings.SHOWN]
        return [(Found.name, shown, len(turns) - len(shown))] if turns else []

    def _repeats(self) -> list[Repeat]:
        called: dict[str, list[int]] = defaultdict(list)
        for index in self.axis.agent:
            if self.record.steps[index].tool_calls:
                called[action_hash(self.record.steps[index])].append(index)
        often = sorted((at for at in called.values() if len(at) > 1), key=lambda at: (-len(at), at[0]))
        return [Repeat(self.gist(at[0]), self._where(at)) for at in often[:5]]


def _fails(step: StepRecord) -> bool:
    return bool(_ERROR.search(dump(step.observations)[: findings.LOOKED_AT]))


def _step(index: int, record: StepRecord) -> Step:
    return Step(
        index=index,
        source=record.source,
        source_index=record.source_index,
        message=record.message,
        reasoning=record.reasoning,
        tool_calls=list(record.tool_calls),
        observations=list(record.observations),
        extra=record.extra,
        outline=outline(parts(record)),
    )


def _trajectory(record: TrajectoryRecord, format: str) -> Trajectory:
    task = Task(external_id=record.task.external_id, source=record.task.source, instruction=record.task.instruction)
    return Trajectory(
        task=task,
        external_id=record.external_id or record.task.external_id,
        rollout=record.rollout or 0,
        policy_model=record.policy_model,
        format=format,
        created_at=datetime.now(UTC),
    )
