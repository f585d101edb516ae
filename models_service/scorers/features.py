"""What the embedded scorer looks at: shape, repetition, grounding and the agreement of rollouts of the same task.

Computed from what the agent did and saw, and nothing else: no label, reference, outcome or reward is read. Change a
feature, and VERSION changes; artefacts of another version are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from annotations.records import TrajectoryRecord
from models_service.scorers.reading import (
    ANSWER,
    HEDGE,
    REVISES,
    Evidence,
    Rollout,
    Turn,
    accord,
    answer,
    likeness,
    share,
    words,
)

VERSION = 1
ABSENT = -1.0  # the value of a share of what a step does not have
FAR = 100  # how many earlier steps a step is compared with

STRUCTURE = (
    "steps before", "steps after", "steps in all", "place in the trajectory", "first step", "last step", "calls",
    "makes a call", "length of the message", "length of the arguments", "length of the observations",
)  # fmt: skip
CONTENT = (
    "gives an answer", "hedges", "revises itself", "asks back", "same call made before", "most similar earlier call",
    "uses of this tool before", "message like an earlier one", "words found in evidence", "names found in evidence",
    "numbers found in evidence", "names not found in evidence", "numbers not found in evidence", "task words used",
    "task words seen in observations", "observation looks like an error", "observation is empty",
    "new words in the observation", "task words in the observation", "call words in the observation",
    "errors before", "step before met an error", "evidence before", "answer found in evidence",
)  # fmt: skip
SIBLINGS = (
    "has siblings", "answer agrees with siblings", "answer agrees with siblings, at the last step",
    "closest sibling answer", "share of siblings with this very answer", "longer than siblings",
    "call made by siblings too", "call like those of siblings", "observation seen by siblings too",
)  # fmt: skip
NAMES = STRUCTURE + CONTENT + SIBLINGS
# Those that mean much the same whatever the task and tools: all that the shipped prior looks at.
TRANSFERABLE = (
    "steps before", "place in the trajectory", "same call made before", "most similar earlier call",
    "numbers found in evidence", "answer found in evidence", "observation looks like an error", "observation is empty",
    "errors before", "step before met an error", "answer agrees with siblings",
    "answer agrees with siblings, at the last step", "share of siblings with this very answer",
    "closest sibling answer", "call made by siblings too", "observation seen by siblings too", "longer than siblings",
)  # fmt: skip


def table(rollouts: Sequence[TrajectoryRecord]) -> list[list[list[float]]]:
    """For each of the rollouts of ONE task, for each agent step, the values of NAMES."""
    read = [Rollout(one) for one in rollouts]
    return [_rows(one, [other for other in read if other is not one]) for one in read]


def _rows(rollout: Rollout, siblings: list[Rollout]) -> list[list[float]]:
    rows: list[list[float]] = []
    before = Evidence(rollout)
    for place, turn in enumerate(rollout.turns):
        row = _structure(rollout, place) + _content(rollout, turn, before) + _siblings(rollout, turn, siblings)
        assert len(row) == len(NAMES)
        rows.append(row)
        before.add(turn)
    return rows


def _structure(rollout: Rollout, place: int) -> list[float]:
    turn, count = rollout.turns[place], len(rollout.turns)
    sizes = (len(turn.said), sum(map(len, turn.calls)), len(turn.observed))
    where = (place, count - 1 - place, count, place / max(1, count - 1), place == 0, place == count - 1)
    return [float(value) for value in (*where, len(turn.calls), bool(turn.calls))] + [
        math.log1p(size) for size in sizes
    ]


def _content(rollout: Rollout, turn: Turn, before: Evidence) -> list[float]:
    recent, found = before.turns[-FAR:], before.found
    values = (
        bool(ANSWER.search(turn.said)),
        len(HEDGE.findall(turn.said)),
        len(REVISES.findall(turn.said)),
        turn.said.rstrip().endswith("?"),
        not before.calls.isdisjoint(turn.calls),
        max((likeness(turn.call_words, earlier.call_words) for earlier in recent if turn.calls), default=0.0),
        sum(before.tools[tool] for tool in set(turn.tools)),
        max((likeness(turn.said_words, earlier.said_words) for earlier in recent), default=0.0),
        share(turn.claim_words, before.seen),
        share(turn.names, before.names),
        share(turn.numbers, before.numbers),
        len(turn.names - before.names),
        len(turn.numbers - before.numbers),
        share(rollout.task_words, turn.claim_words),
        share(rollout.task_words, found, 0.0),
        turn.failed,
        turn.empty,
        share(turn.observed_words, found) if turn.observed else ABSENT,
        share(rollout.task_words, turn.observed_words) if turn.observed else ABSENT,
        share(turn.call_words, turn.observed_words) if turn.observed else ABSENT,
        before.errors,
        bool(recent) and recent[-1].failed,
        math.log1p(before.length),
        share(words(answer(turn.said)), found, 0.0) if not turn.calls else ABSENT,
    )
    return [float(value) for value in values]


def _siblings(rollout: Rollout, turn: Turn, siblings: list[Rollout]) -> list[float]:
    if not siblings:
        return [0.0, *[ABSENT] * 4, 1.0, *[ABSENT] * 3]
    last, many = turn is rollout.turns[-1], len(siblings)
    near = [accord(rollout.answer_words, other.answer_words) for other in siblings]
    length = sum(len(other.turns) for other in siblings) / many
    agreement = math.fsum(near) / many  # fsum: the order of siblings moves no digit, and so no bin
    return [
        1.0,
        agreement,
        agreement if last else ABSENT,
        max(near),
        sum(rollout.answer_words == other.answer_words for other in siblings) / many if last else ABSENT,
        len(rollout.turns) / length if length else 1.0,
        sum(not other.calls.isdisjoint(turn.calls) for other in siblings) / many if turn.calls else ABSENT,
        math.fsum(share(turn.call_words, other.call_words) for other in siblings) / many if turn.calls else ABSENT,
        math.fsum(share(turn.observed_words, other.observed_words) for other in siblings) / many
        if turn.observed
        else ABSENT,
    ]
