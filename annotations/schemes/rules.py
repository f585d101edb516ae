"""The rules that fill in labels, by the name a scheme gives. Pure functions over one trajectory's agent steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from annotations.schemes.schema import Scheme

Place = tuple[int | None, str]  # the index of a step (None: the whole trajectory) and a field
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


def implied_by(scheme: Scheme, steps: Sequence[int], answers: Mapping[Place, Any]) -> Implied:
    """What the scheme's rule fills in: index of a step → index of the step whose label implies it.

    `steps` are the indexes of the agent steps in order, `answers` what the person said and nothing that was filled in.
    """
    rule = scheme.propagation
    if rule is None:
        return {}
    said = [answers.get((step, rule.field)) for step in steps]
    stops = [(step, rule.until) in answers for step in steps]
    found = RULES[rule.rule](said, stops, rule.value)
    return {steps[place]: steps[cause] for place, cause in found.items()}
