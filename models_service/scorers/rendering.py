"""A trajectory as token ids, with the places where verdicts are read. No torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from annotations.formats.trl_stepwise import TRLStepwise
from annotations.records import RatingRecord, TrajectoryRecord
from models_service.scorers.base import agent_steps

Encode = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Rendered:
    """`marks` are the positions in `ids` where the steps of `indexes` are judged, one each, in order."""

    ids: list[int]
    marks: list[int]
    indexes: list[int]

    def __post_init__(self) -> None:
        assert len(self.marks) == len(self.indexes), "one mark for each step"
        assert all(0 <= mark < len(self.ids) for mark in self.marks)


def texts(record: TrajectoryRecord) -> tuple[str, list[str]]:
    """The prompt and one text per agent step: word for word what the TRL export writes, so that a model trained on an
    export of ours reads here what it was trained on."""
    every = {step.source_index: 1 for step in record.steps if step.source == "agent"}
    row = TRLStepwise().row(replace(record, rating=RatingRecord(steps=every)))
    return (row["prompt"], row["completions"]) if row else ("", [])


def neutral(text: str, reserved: Collection[str]) -> str:
    """The text with every reserved token that it spells out broken by a space, so that none is read as that token."""
    told = [re.escape(token) for token in sorted(reserved, key=len, reverse=True) if len(token) > 1 and token.strip()]
    if not told:
        return text
    pattern = re.compile("|".join(told))
    while pattern.search(text):
        text = pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
    return text


def stepwise(
    record: TrajectoryRecord,
    encode: Encode,
    *,
    separator: Sequence[int],
    bos: int | None = None,
    reserved: Collection[str] = (),
) -> Rendered:
    """As TRL's PRM trainer builds it: the prompt, then each step and a separator, every piece tokenised by itself; a
    step is judged at the last id of its separator. Positions are noted while building and never searched for."""
    prompt, steps = texts(record)
    head, *bodies = encode([neutral(text, reserved) for text in [prompt, *steps]])
    ids = head if bos is None else [bos, *head]
    marks = []
    for body in bodies:
        ids = [*ids, *body, *separator]
        marks.append(len(ids) - 1)
    return Rendered(ids, marks, agent_steps(record))
