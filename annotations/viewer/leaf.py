"""A trajectory as it stands in a file, in the shape in which pages show a stored one: nothing of it is saved."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from annotations.formats.lines import dump
from annotations.models import Step, Task, Trajectory
from annotations.records import StepRecord, TrajectoryRecord
from annotations.rendering.identity import action_hash
from annotations.rendering.outline import outline
from annotations.rendering.parts import parts
from annotations.services import findings, gists, trees
from annotations.services.answers import Mark
from annotations.services.axis import Axis, Strip, strip
from annotations.services.findings import Findings, FirstError, Repeat, Turn, Where
from annotations.services.gists import Gist
from annotations.services.told import Word
from annotations.services.visibility import EVERYTHING
from annotations.viewer.said import SCHEME, Said, raters

WRONG = "wrong"
_ERROR = re.compile(findings.ERROR.replace(r"\y", r"\b"), re.IGNORECASE)


@dataclass
class Found:
    """What a rater says in the file, as a page shows a rater's pass."""

    said: Said
    strip: Strip
    first_error: int | None = None
    is_reference: bool = False
    returnable: bool = False

    @property
    def name(self) -> str:
        return self.said.name

    @property
    def kind(self) -> str:
        return self.said.kind

    @property
    def state(self) -> str:
        return self.said.state

    @property
    def comment(self) -> str:
        return self.said.comment

    @property
    def final(self) -> Mark | None:
        return self.said.final

    @property
    def whole(self) -> Word | None:
        return self.said.word(None)

    @property
    def tells(self) -> bool:
        """Whether more is said of the whole than one word."""
        whole = self.whole
        return bool(whole) and (len(whole.answers) > 1 or any(one.explanation for one in whole.answers))  # type: ignore[union-attr]


class Leaf:
    """What dossier.Dossier is of a stored trajectory."""

    visible = EVERYTHING
    has_strips = True
    curves: tuple[()] = ()

    def __init__(self, record: TrajectoryRecord, format: str) -> None:
        self.record = record
        self.said = raters(record)
        self.scheme = self.said[0].scheme if self.said else SCHEME
        final = self.scheme.field(self.scheme.final) if self.scheme.final else None
        self.verdict = final.title if final else ""
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
    def passes(self) -> list[Found]:
        return [self._found(one) for one in self.said]

    def _found(self, said: Said) -> Found:
        groups = [(index // self.axis.width, mark, False, 1) for index, mark in said.main.items()]
        wrong = next((index for index, mark in said.main.items() if mark.tone == WRONG), None)
        return Found(said, strip(self.axis, said.name, groups), wrong)

    def words(self, first: int, last: int) -> Mapping[int, Sequence[Word]]:
        found = {index: [word for one in self.said if (word := one.word(index))] for index in range(first, last)}
        return {index: every for index, every in found.items() if every}

    def scores(self, first: int, last: int) -> Mapping[int, Sequence[Any]]:
        return {}

    def tally(self, first: int, last: int) -> Mapping[int, list[tuple[Mark, int]]]:
        counts: dict[int, Counter[Mark]] = defaultdict(Counter)
        for one in self.said:
            for index, mark in one.main.items():
                if first <= index < last:
                    counts[index][mark] += 1
        return {index: list(marks.items()) for index, marks in counts.items()}

    def findings(self) -> Findings:
        """What went wrong, of what the file says."""
        found = Findings(end=self.gist(self.axis.agent[-1]) if self.axis.agent and not self.tree else None)
        finals: dict[Mark, list[str]] = defaultdict(list)
        for one in self.said:
            if one.final is not None:
                finals[one.final].append(one.name)
        found.failed = findings.failed(self.record.outcome, [mark.tone == WRONG for mark in finals])
        found.finals = list(finals.items())
        found.first_errors = self._first_errors()
        found.turns = [turns for one in self.said if (turns := self._turns(one))]
        found.repeats = self._repeats()
        found.errors = self._where([index for index in self.axis.agent if _fails(self.record.steps[index])])
        return found

    def _where(self, indexes: Sequence[int]) -> Where:
        return Where([self.axis.place(index) for index in indexes[: findings.SHOWN]], len(indexes))

    def _first_errors(self) -> list[FirstError]:
        found: dict[int, list[Said]] = defaultdict(list)
        for one in self.passes:
            if one.first_error is not None:
                found[one.first_error].append(one.said)
        return [self._first_error(index, those) for index, those in sorted(found.items())]

    def _first_error(self, index: int, those: Sequence[Said]) -> FirstError:
        why = [(one.name, one.why(index)) for one in those if one.why(index)]
        return FirstError(self.axis.place(index), [one.name for one in those], self.gist(index), why)

    def _turns(self, said: Said) -> tuple[str, list[Turn], int] | None:
        marks = list(said.main.items())
        turns: list[Turn] = [
            (self.axis.place(index), before, mark)
            for (_, before), (index, mark) in zip(marks, marks[1:], strict=False)
            if before != mark
        ]
        shown = turns[: findings.SHOWN]
        return (said.name, shown, len(turns) - len(shown)) if turns else None

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
