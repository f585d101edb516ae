"""Decisions within tool calls, by prompt alone: the function's name and each argument, one by one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from annotations.formats.lines import storable
from annotations.records import Json, StepRecord
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.fitting import ends
from models_service.scorers.generative.base import Reading, Verifier
from models_service.scorers.generative.verdicts import YES_NO, Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.asked import Sampling

MOST, LONGEST = 24, 300  # decisions of one step that are asked for one by one, and characters of one
WITHOUT = "no tool is called here"
JOINS: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "mean": lambda values: sum(values) / len(values),
    "product": math.prod,
}


class ToolPRM(Verifier):
    """The least of the chances, by `join` their "mean" or "product", that each decision within the step's calls is
    right: the name of the function, and each of its arguments. Where a step calls nothing, that is its one decision.
    What is asked follows "ToolPRM: Fine-Grained Inference Scaling of Structured Outputs for Function Calling", which
    trains a model on such labels. No checkpoint is known to us; that any language model can be asked, and how the
    decisions are joined, are our reading. By default the step is shown without what answered it."""

    name = "toolprm"
    title = "Function and arguments, asked of any model"
    source = ""
    observed = False

    def __init__(self, asked: Sampling, wording: str = "", temperature: float = 1.0, join: str = "min") -> None:
        super().__init__(asked, wording, temperature)
        if join not in JOINS:
            raise UnfitModel(f"join: found {join!r}; accepted are {', '.join(JOINS)}")
        self.join = join

    @property
    def options(self) -> dict[str, Any]:
        return {"join": self.join}

    def blanks(self, view: View) -> dict[str, str]:
        listed = "\n".join(f"[{number}] {one}" for number, one in enumerate(decisions(view.step), start=1))
        return {**super().blanks(view), "parts": listed, "tools": view.tools or "(not told)"}

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        names = [name.split("\n", 1)[0] for name in decisions(view.step)]
        return lambda reply: self._read(reply, names)

    def _read(self, reply: Reply, names: Sequence[str]) -> Reading | None:
        values: list[float] = []
        for number in range(1, len(names) + 1):
            at = reply.line(str(number), YES_NO)
            shares = None if at is None else reply.shares(at, YES_NO)
            if shares is None:
                return None
            values.append(shares["yes"])
        return Reading(JOINS[self.join](values), dict(zip(names, values, strict=True)) if len(set(names)) > 1 else {})


def decisions(step: StepRecord) -> list[str]:
    """What was decided in the step's calls, a line each; the last one stands for all beyond the bound."""
    every = [one for number, call in enumerate(step.tool_calls, start=1) for one in _of_call(number, call)]
    if not every:
        return [WITHOUT]
    return every if len(every) <= MOST else [*every[: MOST - 1], f"all the other {len(every) - MOST + 1} decisions"]


def _of_call(number: int, call: Json) -> Iterator[str]:
    given = call if isinstance(call, dict) else {"name": call}
    yield f"call {number}: the function is {_short(given.get('name'))}"
    arguments = _arguments(given.get("arguments"))
    if not isinstance(arguments, dict):
        yield f"call {number}: the arguments are {_short(arguments)}"
        return
    for name, value in arguments.items():
        yield f"call {number}: {_short(name)} is {_short(value)}"


def _arguments(given: Json) -> Json:
    if not isinstance(given, str):
        return {} if given is None else given
    try:
        return json.loads(given or "{}")
    except (ValueError, RecursionError):
        return given


def _short(value: Json) -> str:
    """In one line, without what neither a database nor a tokenizer can hold."""
    return " ".join(ends(json.dumps(storable(value)[0], ensure_ascii=False), LONGEST).split())
