"""A trajectory as text with its steps numbered, as a judge, a person or a long-context question refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from annotations.formats import step_text
from annotations.records import StepRecord

HEADS = {"system": "[system]", "user": "[user]"}


def steps(turns: Sequence[StepRecord], places: Iterable[int]) -> tuple[str, dict[int, tuple[int, int]]]:
    """The turns at these places, the agent's under "[step 3]", a step's number being its place; and where each turn
    stands in the text, without its head, in code points."""
    text = ""
    spans: dict[int, tuple[int, int]] = {}
    for place in places:
        head = HEADS.get(turns[place].source, f"[step {place}]")
        text += f"{chr(10) * 2 if text else ''}{head}\n"
        said = step_text.whole(turns[place])
        spans[place] = (len(text), len(text) + len(said))
        text += said
    return text, spans
