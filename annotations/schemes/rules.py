"""The rules that fill in labels, by the name a scheme gives. Pure functions over one trajectory's agent steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Implied = dict[int, int]  # place of an implied label → place of the label that implies it

Rule = Callable[[Sequence[Any], Sequence[bool], Any], Implied]


def carry_forward(said: Sequence[Any], stops: Sequence[bool], value: Any) -> Implied:
    """A `value` reaches every later place until one that is labelled or marked as a stop, and no further.

    `said[i]` is what a person said at place i (None: nothing), `stops[i]` whether that place is marked as a
    correction. A place that is marked and yet labelled `value` is a new error and carries on. Source: the
    error-propagation rule of AgentProcessBench's guidelines, made reversible: nothing here overwrites what was said.
    """
    implied: Implied = {}
    cause: int | None = None
    for place, (answer, stop) in enumerate(zip(said, stops, strict=True)):
        if answer is not None:
            cause = place if answer == value else None
        elif stop:
            cause = None
        elif cause is not None:
            implied[place] = cause
    return implied


RULES: Mapping[str, Rule] = {"carry-forward": carry_forward}
