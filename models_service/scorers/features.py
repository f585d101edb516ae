"""What the embedded scorer looks at: shape, repetition, grounding and the agreement of rollouts of the same task.

Computed from what the agent did and saw, and nothing else: no label, reference, outcome or reward is read. Change a
feature, and VERSION changes; artefacts of another version are refused.

Of a tree each way to a leaf is read as a rollout, and a step is judged on the first one it is on: what came before a
step is what it was tried after, never what was tried beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from annotations.formats.solutions import ways
from annotations.records import TrajectoryRecord
from models_service.scorers import later, siblings, text
from models_service.scorers.reading import (
    ANSWER,
    HEDGE,
    REVISES,
    WORD,
    Evidence,
    Rollout,
    Turn,
    asks_to_choose,
    beside,
    clip,
    fits,
    likeness,
    share,
    words,
)
from models_service.scorers.siblings import ABSENT

VERSION = 3
FAR = 100  # how many earlier steps a step is compared with
FEW = 16  # ways of a tree that others are compared with

STRUCTURE = (
    "steps before", "steps in all", "first step", "last step", "calls", "makes a call", "length of the message",
    "length of the arguments", "length of the observations",
)  # fmt: skip
CONTENT = (
    "gives an answer", "says it does not know", "answers and goes on", "length of the answer",
    "answer fits the question", "answer only repeats the task", "hedges", "revises itself", "asks back",
    "arguments are no JSON",
    "same call made before", "most similar earlier call", "earlier calls like this one", "uses of this tool before",
    "message like an earlier one", "words found in evidence", "names found in evidence", "numbers found in evidence",
    "names not found in evidence", "numbers not found in evidence", "task words used",
    "task words seen in observations", "task names seen in observations", "observation looks like an error",
    "observation is empty",
    "new words in the observation", "task words in the observation", "call words in the observation",
    "errors before", "step before met an error", "evidence before", "answer found in evidence",
    "answer found beside task words",
)  # fmt: skip
NAMES = STRUCTURE + CONTENT + later.NAMES + siblings.NAMES
# Those that mean much the same whatever the task and tools: all that the shipped prior looks at.
TRANSFERABLE = (
    "steps before", "same call made before", "most similar earlier call",
    "numbers found in evidence", "answer found in evidence", "observation looks like an error", "observation is empty",
    "errors before", "step before met an error", "answer agrees with siblings",
    "answer agrees with siblings, at the last step", "share of siblings with this very answer",
    "closest sibling answer", "observation seen by siblings too",
)  # fmt: skip


def table(rollouts: Sequence[TrajectoryRecord]) -> list[list[list[float]]]:
    """For each of the rollouts of ONE task, for each agent step, the values of NAMES."""
    read = [read_ways(one) for one in rollouts]
    return [_rows(one, mine, read) for one, mine in zip(rollouts, read, strict=True)]


def read_ways(record: TrajectoryRecord) -> list[Rollout]:
    """The rollout; of a tree, each way to a leaf."""
    context = clip("\n".join(text.said(step) for step in record.steps if step.source == "user"))
    question = record.task.instruction or context
    turns = {place: Turn(step, question) for place, step in enumerate(record.steps) if step.source == "agent"}
    return [Rollout(record, context, [turns[at] for at in way if at in turns]) for way in ways(record.steps)]


def _rows(record: TrajectoryRecord, mine: list[Rollout], all_ways: list[list[Rollout]]) -> list[list[float]]:
    found: dict[int, list[float]] = {}
    others = [way for one in all_ways for way in one[:FEW]]
    for rollout in mine:
        before, beside = Evidence(rollout), [way for way in others if way is not rollout]
        for place, turn in enumerate(rollout.turns):
            if id(turn) not in found:
                row = _structure(rollout, place) + _content(rollout, place, before)
                found[id(turn)] = row + later.values(rollout, place) + siblings.values(rollout, place, beside)
                assert len(found[id(turn)]) == len(NAMES)
            before.add(turn)
    order = {id(turn.record): id(turn) for rollout in mine for turn in rollout.turns}
    return [found[order[id(step)]] for step in record.steps if step.source == "agent"]


def _structure(rollout: Rollout, place: int) -> list[float]:
    turn, count = rollout.turns[place], len(rollout.turns)
    where = (place == 0, place == count - 1, len(turn.calls), bool(turn.calls))
    lengths = (len(turn.said), sum(map(len, turn.calls)), len(turn.observed))
    return [math.log1p(place), math.log1p(count), *map(float, where), *map(math.log1p, lengths)]


def _content(rollout: Rollout, place: int, before: Evidence) -> list[float]:
    turn = rollout.turns[place]
    values = (*_said(rollout, place), *_repeated(turn, before), *_grounded(rollout, turn, before))
    return [float(value) for value in (*values, *_observed(rollout, turn, before), *_answered(rollout, turn, before))]


def _said(rollout: Rollout, place: int) -> tuple[float, ...]:
    turn = rollout.turns[place]
    kind = fits(rollout.question, turn.answer) if turn.answer else None
    return (
        bool(ANSWER.search(turn.said)),
        turn.declines,
        not turn.calls and place < len(rollout.turns) - 1,
        math.log1p(len(turn.answer_words)) if turn.answer else ABSENT,
        ABSENT if kind is None else kind,
        _repeats_task(rollout.question, turn),
        len(HEDGE.findall(turn.said)),
        len(REVISES.findall(turn.said)),
        turn.said.rstrip().endswith("?"),
        turn.malformed,
    )


def _repeats_task(question: str, turn: Turn) -> float:
    """How much of the answer stands in the question; not where it names what is to be chosen from."""
    if not turn.answer or asks_to_choose(question):
        return ABSENT
    return share(turn.answer_words - {"yes", "no"}, set(WORD.findall(question.lower())), 0.0)


def _repeated(turn: Turn, before: Evidence) -> tuple[float, ...]:
    recent = before.turns[-FAR:]
    alike = [likeness(turn.call_words, earlier.call_words) for earlier in recent if turn.calls]
    return (
        not before.calls.isdisjoint(turn.calls),
        max(alike, default=0.0),
        sum(one >= 0.5 for one in alike),
        sum(before.tools[tool] for tool in set(turn.tools)),
        max((likeness(turn.said_words, earlier.said_words) for earlier in recent), default=0.0),
    )


def _grounded(rollout: Rollout, turn: Turn, before: Evidence) -> tuple[float, ...]:
    return (
        share(turn.claim_words, before.seen),
        share(turn.names, before.names),
        share(turn.numbers, before.numbers),
        len(turn.names - before.names),
        len(turn.numbers - before.numbers),
        share(rollout.task_words, turn.claim_words),
        share(rollout.task_words, before.found, 0.0),
        share(rollout.task_marks, before.marks | turn.observed_marks, 0.0),
    )


def _observed(rollout: Rollout, turn: Turn, before: Evidence) -> tuple[float, ...]:
    return (
        turn.failed,
        turn.empty,
        share(turn.observed_words, before.found) if turn.observed else ABSENT,
        share(rollout.task_words, turn.observed_words) if turn.observed else ABSENT,
        share(turn.call_words, turn.observed_words) if turn.observed else ABSENT,
        before.errors,
        bool(before.turns) and before.turns[-1].failed,
        math.log1p(before.length),
    )


def _answered(rollout: Rollout, turn: Turn, before: Evidence) -> tuple[float, ...]:
    if turn.calls:
        return ABSENT, ABSENT
    said = words(turn.answer)
    return share(said, before.found, 0.0), beside(said, rollout.task_words, before.turns)
