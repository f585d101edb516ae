"""Rollouts of a task with a reward for each turn, as files for reinforcement learning hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.formats import rewards, step_text, training
from annotations.formats.pairs import Taken
from annotations.formats.rewards import Moments
from annotations.formats.training import Line
from annotations.formats.writer import Option
from annotations.records import Json, Labelled

BATCH = "batch"  # under which `asked` has the Moments of all rewards of a file, where they are known
REWARD = Option(
    "reward",
    "The reward of a turn",
    "grades",
    (
        ("grades", "Its grade: 1, 0 or -1"),
        ("scores", "P(not wrong) of a scorer"),
        ("signed", "The same from -1 to 1: 2 P - 1"),
        ("values", "The value the file gives the step"),
    ),
)
FORM = Option(
    "form",
    "Form",
    "raw",
    (
        ("raw", "As it is"),
        ("potential", "Its difference to the turn before"),
        ("min", "Min-form: weighted so that the sum is near the least"),
    ),
)
NORMALISATION = Option(
    "normalisation",
    "Normalisation",
    "none",
    (
        ("none", "None"),
        ("group", "Over all turns of the task's rollouts"),
        ("turn", "Over the turns with the same number in the task's rollouts"),
        (BATCH, "Over all turns of the file"),
    ),
    "Mean 0 and standard deviation 1. Where rewards do not vary it is undefined: they are 0, and the row says so.",
)
PROPAGATED = Option(
    "propagated",
    "A grade that a rule filled in",
    "labelled",
    (("labelled", "Counts as labelled"), ("masked", "Is masked")),
    "A reward for an error that was carried on counts it once a turn.",
)
AGGREGATION = Option(
    "aggregation",
    "What the rewards of a rollout come to",
    "sum",
    (("sum", "Their sum"), ("mean", "Their mean"), ("min", "The least"), ("last", "The last")),
)
OUTCOME = Option(
    "outcome",
    "The reward of the outcome",
    "verdict",
    (("verdict", "The verdict that was labelled: 1, 0 or -1"), ("file", "What the trajectory's file says")),
)
OPTIONS = (REWARD, FORM, NORMALISATION, PROPAGATED, AGGREGATION, OUTCOME)
REWARDS = ("reward", "score", "resolved", "success")  # what the outcome of a file calls its number


@dataclass(frozen=True)
class Rollout:
    """A rollout with the reward of each of its agent's turns that has one, before normalisation in `plain`, after it in
    `rewards`. `note` says where normalising was not defined."""

    line: Line
    plain: Mapping[int, float]
    rewards: Mapping[int, float]
    outcome: float | None
    note: str = ""

    def total(self, aggregation: str) -> float | None:
        """What the rewards come to, before normalisation."""
        return rewards.AGGREGATES[aggregation](list(self.plain.values())) if self.plain else None

    @property
    def is_known(self) -> bool:
        """Whether anything is said of it that a row could hold."""
        return bool(self.rewards) or self.outcome is not None

    def told(self, asked: Mapping[str, Any]) -> dict[str, Json]:
        """What came of it, and what was done to its rewards."""
        return {
            "outcome_reward": self.outcome,
            "aggregation": asked["aggregation"],
            "aggregate": self.total(asked["aggregation"]),
            "form": asked["form"],
            "normalisation": asked["normalisation"],
            "note": self.note,
        }

    def turns(self, places: Sequence[int]) -> tuple[str, list[dict[str, Json]]]:
        """These turns as a text, and where each stands in it, in code points, with its reward. `mask` is 1 where there
        is one; elsewhere the reward is 0 and counts for nothing."""
        written = step_text.written(self.line.steps, places)
        return written.text, [
            {
                "index": one.place,
                "char_start": one.start,
                "char_end": one.end,
                "role": one.role,
                "process_reward": self.rewards.get(one.place, 0.0) if one.role == "assistant" else 0.0,
                "mask": int(one.role == "assistant" and one.place in self.rewards),
            }
            for one in written.stretches
        ]


def rollouts(labelled: Iterable[Labelled], asked: Mapping[str, Any]) -> Iterator[Rollout]:
    """The rollouts of one task. Of a tree each way to a leaf is one."""
    lines = [line for line in training.every_line(labelled) if line.agents]
    plain = [_formed(line, asked) for line in lines]
    for line, own, among in zip(lines, plain, _among(lines, plain, asked), strict=True):
        flat = any(among[place].flat for place in own) if among else False
        yield Rollout(
            line,
            own,
            {place: rewards.normalised(one, among[place]) for place, one in own.items()} if among else own,
            outcome_of(line, asked["outcome"]),
            "normalising is not defined where rewards do not vary: they are 0" if flat else "",
        )


def moments(labelled: Iterable[Labelled], asked: Mapping[str, Any]) -> Moments:
    """Those of all rewards of these rollouts; those of the tasks of a file add up to what BATCH is to hold."""
    every = (_formed(line, asked) for line in training.every_line(labelled))
    return rewards.moments(one for own in every for one in own.values())


def outcome_of(line: Line, asked: str) -> float | None:
    if asked == "verdict":
        return None if line.final is None else float(line.final)
    said = line.labelled.record.outcome
    found = (said.get(name) for name in REWARDS) if isinstance(said, dict) else ()
    return next((float(one) for one in found if isinstance(one, bool | int | float)), None)


def _formed(line: Line, asked: Mapping[str, Any]) -> dict[int, float]:
    """The rewards of the turns that have one, in the form that is asked for."""
    known = {place: one for place in line.agents if (one := _reward(line.labelled, place, asked)) is not None}
    return dict(zip(known, rewards.FORMS[asked["form"]](list(known.values())), strict=True))


def _reward(labelled: Labelled, place: int, asked: Mapping[str, Any]) -> float | None:
    if asked["reward"] == "grades":
        masked = asked["propagated"] == "masked" and place in labelled.propagated
        grade = None if masked else labelled.grades.get(place)
        return None if grade is None else float(grade)
    if asked["reward"] == "values":
        return Taken(labelled, (), place).value
    score = labelled.scores.get(place)
    return None if score is None else 2 * score - 1 if asked["reward"] == "signed" else score


def _among(lines: list[Line], plain: list[dict[int, float]], asked: Mapping[str, Any]) -> list[dict[int, Moments]]:
    """The moments by which each turn of each line is normalised; empty where none is."""
    how = asked["normalisation"]
    if how == "none":
        return [{} for _ in lines]
    if how == "turn":
        numbers: dict[int, list[float]] = {}
        for line, own in zip(lines, plain, strict=True):
            for at, place in enumerate(line.agents):
                numbers.setdefault(at, []).extend([own[place]] if place in own else [])
        found = {at: rewards.moments(every) for at, every in numbers.items()}
        return [{place: found[at] for at, place in enumerate(line.agents)} for line in lines]
    whole = asked.get(BATCH) if how == BATCH else None
    known = whole or rewards.moments(one for own in plain for one in own.values())
    return [dict.fromkeys(line.agents, known) for line in lines]
