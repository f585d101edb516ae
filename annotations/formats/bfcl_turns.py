"""The turns of a BFCL entry, from its log where it has one, else from what the model answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.turns import call, steps_at, with_values
from annotations.records import Json, StepRecord

QUERY = "begin_of_turn_query"
VALUES = {"latency": "latency", "input_token_count": "input_tokens", "output_token_count": "output_tokens"}
ROLES = frozenset(["system", "user", "assistant", "tool"])
_STEP = re.compile(r"step_(\d{1,9})")
_CODE = re.compile(r"([\w.]{1,200})\((.*)\)", re.DOTALL)

Placed = tuple[tuple[int, int] | None, Json]  # turn and step of what the agent said; None for what it was told


def steps_of(row: dict[str, Any]) -> tuple[tuple[StepRecord, ...], list[Json]]:
    """The steps, and the states that the log has between them. Raises Refused."""
    log = row.get("inference_log")
    entries = log if isinstance(log, list) else []
    turns = [one for one in entries if isinstance(one, dict) and QUERY in one]
    states = [one for one in entries if isinstance(one, list)]
    placed = [one for number, turn in enumerate(turns) for one in _of_turn(turn, number)]
    if not any(where for where, _ in placed):
        placed = [*placed, *_of_result(row.get("result"))]
    steps = steps_at([message for _, message in placed], "inference_log" if turns else "result")
    return tuple(_counted(step, placed, row) for step in steps), states


def _of_turn(turn: dict[str, Any], number: int) -> Iterator[Placed]:
    asked = turn.get(QUERY)
    for message in asked if isinstance(asked, list) else ():
        yield None, message
    named = [(match, log) for key, log in turn.items() if (match := _STEP.fullmatch(key)) and isinstance(log, list)]
    for match, log in sorted(named, key=lambda one: int(one[0][1])):
        yield from _of_step(log, (number, int(match[1])))


def _of_step(log: list[Json], place: tuple[int, int]) -> Iterator[Placed]:
    """What the agent said, with what its handler made of it, and what that gave."""
    entries = [one for one in log if isinstance(one, dict)]
    handled = [one for one in entries if one.get("role") == "handler_log"]
    decoded = next((one["model_response_decoded"] for one in handled if "model_response_decoded" in one), None)
    for one in entries:
        if one.get("role") == "assistant":
            said = _said(one.get("content"), decoded)
            rest = {key: value for key, value in one.items() if key not in ("role", "content")}
            yield place, said | rest | ({"handler_log": handled} if handled else {})
        elif one.get("role") in ROLES if isinstance(one.get("role"), str) else False:
            yield None, one


def _of_result(result: Json) -> Iterator[Placed]:
    """result[turn][step], or the one answer of a single turn."""
    if not isinstance(result, (str, list)):
        raise Refused("result", f"found {found(result)}; accepted is a text or a list of calls")
    turns = (
        result if isinstance(result, list) and result and all(isinstance(one, list) for one in result) else [[result]]
    )
    for number, turn in enumerate(turns):
        for place, answer in enumerate(turn):
            yield (number, place), _said(answer, None)


def _said(answer: Json, decoded: Json) -> dict[str, Json]:
    """The agent's message: calls as {name: arguments}, a text, or a text that its handler read calls from."""
    if isinstance(answer, list) and answer and all(isinstance(one, dict) and len(one) == 1 for one in answer):
        calls = [call(name, arguments) for one in answer for name, arguments in one.items()]
        return {"role": "assistant", "content": "", "tool_calls": calls}
    said: dict[str, Json] = {"role": "assistant", "content": answer if isinstance(answer, (str, list)) else None}
    codes = [one for one in decoded if isinstance(one, str)] if isinstance(decoded, list) else []
    return said | ({"tool_calls": [_of_code(code) for code in codes]} if codes else {})


def _of_code(code: str) -> Json:
    """A call that is written as code: its name, and what stands between its brackets as it stands there."""
    match = _CODE.fullmatch(code.strip())
    return call(match[1], match[2]) if match else call("", code)


def _counted(step: StepRecord, placed: list[Placed], row: dict[str, Any]) -> StepRecord:
    where = placed[step.source_index][0]
    if where is None or step.source != "agent":
        return step
    return with_values(step, {name: _at(row.get(key), where) for key, name in VALUES.items()})


def _at(values: Json, where: tuple[int, int]) -> Json:
    """The number of that step; of a single turn, the one number there is."""
    if not isinstance(values, list):
        return values if where == (0, 0) else None
    turn = values[where[0]] if where[0] < len(values) else None
    if isinstance(turn, list):
        return turn[where[1]] if where[1] < len(turn) else None
    return turn if where[1] == 0 else None
