"""Whether an agent's calls are what the tools' schemas ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator, validators  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable

from annotations.records import Json, StepRecord, TrajectoryRecord
from models_service.scorers.checks.share import UNCHECKED, held
from models_service.scorers.ruled import Found, RuledScorer

LONGEST = 100_000  # characters of a schema
REFERENCES = 20  # in a schema: more could be followed in too many ways


def _unchecked(*_: Any) -> Iterator[Any]:
    """For patterns: an expression from a file can take for ever."""
    return iter(())


def _others(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, value, instance, schema)


UNCHECKABLE = {
    "pattern": _unchecked,
    "patternProperties": _unchecked,
    "additionalProperties": _others,
    "unevaluatedProperties": _unchecked,
}
Validator = validators.extend(Draft202012Validator, UNCHECKABLE)


class ToolArguments(RuledScorer):
    """The share of a step's calls that name a tool there is, with arguments its JSON schema allows. Patterns in schemas
    are not looked at."""

    title = "tool arguments"
    needs = "the tools of the task with their JSON schemas, and calls"

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        schemas = dict(_schemas(record.task.tools))
        if not schemas:
            raise self.lacks("the task names no tools with a schema")
        if not any(step.tool_calls for step in steps):
            raise self.lacks("no call is made")
        return [_turn(step, schemas) for step in steps]


class Unusable(ValueError):
    """A schema that nothing can be held against."""


def _turn(step: StepRecord, schemas: Mapping[str, Json]) -> Found:
    checks, unusable = [], []
    for call in step.tool_calls:
        try:
            checks.append(_checked(call, schemas))
        except Unusable as no:
            unusable.append(str(no))
    found = held(checks, UNCHECKED)
    return found._replace(flags=[*found.flags, *unusable])


def _schemas(tools: Json) -> Iterator[tuple[str, Json]]:
    """Name and schema of each tool, as OpenAI, Anthropic or MCP write them."""
    for row in tools if isinstance(tools, list) else []:
        one = row.get("function", row) if isinstance(row, dict) else None
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            names = ("parameters", "input_schema", "inputSchema")
            yield one["name"], next((one[name] for name in names if isinstance(one.get(name), dict)), {})


def _checked(call: Json, schemas: Mapping[str, Json]) -> tuple[str, str]:
    one = call.get("function", call) if isinstance(call, dict) else {}
    name = str(one.get("name")) if isinstance(one, dict) else "a call"
    if name not in schemas:
        return name, "there is no such tool"
    given = one.get("arguments")
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except (ValueError, RecursionError):
            return name, "the arguments are no JSON"
    try:
        return name, refusal({} if given is None else given, schemas[name])
    except Unusable as no:
        raise Unusable(f"the schema of {name} cannot be used: {no}") from no


def refusal(given: Json, schema: Json) -> str:
    """What the schema has against the arguments; "" where nothing. Unusable where it can be held against nothing."""
    text = json.dumps(schema)
    if len(text) > LONGEST or len(re.findall(r'"\$(?:ref|dynamicRef)"', text)) > REFERENCES:
        raise Unusable("it is too large, or refers too often")
    try:
        Validator.check_schema(schema)
        # An empty registry: nothing that a schema refers to is fetched.
        first = next(Validator(schema, registry=Registry()).iter_errors(given), None)
    except SchemaError as no:
        raise Unusable(str(no.message)[:200]) from no
    except Unresolvable as no:
        raise Unusable("it refers to what is not in it") from no
    except (RecursionError, TypeError, ValueError) as no:
        raise Unusable("it does not come to an end") from no
    if first is None:
        return ""
    where = ".".join(map(str, first.absolute_path))
    return f"{where}: {first.message}" if where else str(first.message)
