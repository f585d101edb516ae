"""A scheme from its YAML; what is wrong comes with its line, its key, what was found and what is accepted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ValidationError

from annotations.schemes.fields import KINDS
from annotations.schemes.schema import Scheme

LONGEST = 500_000  # characters of a document


class Mistake(NamedTuple):
    """Where in the document something is wrong (lines from 1), and what."""

    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.key}: {self.reason}" if self.key else f"line {self.line}: {self.reason}"


class SchemeRefused(ValueError):
    """A document that is no scheme: every mistake that was found."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = list(mistakes)


def read(text: str) -> Scheme:
    """The scheme the YAML document declares. Raises SchemeRefused."""
    if len(text) > LONGEST:
        raise SchemeRefused([Mistake(1, "", f"found {len(text):,} characters; accepted are up to {LONGEST:,}")])
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SchemeRefused([_not_yaml(error)]) from None
    except RecursionError:
        raise SchemeRefused([Mistake(1, "", "the document is nested too deeply")]) from None
    if doubled := list(_doubled(node, "")):
        raise SchemeRefused(doubled)
    if not isinstance(data, dict):
        raise SchemeRefused([Mistake(1, "", "found no keys; accepted is a YAML document of name, fields and so on")])
    try:
        return Scheme.model_validate(data)
    except ValidationError as error:
        raise SchemeRefused(_mistakes(error, node, data)) from None


def _not_yaml(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    return Mistake(mark.line + 1 if mark else 1, "", f"this is no YAML: {said}")


def _doubled(node: Any, path: str) -> Iterator[Mistake]:
    """Keys that stand twice in one mapping: YAML would quietly take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = f"{path}.{key.value}".lstrip(".")
            if key.value in seen:
                yield Mistake(key.start_mark.line + 1, here, "stands here a second time")
            seen.add(key.value)
            yield from _doubled(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _doubled(value, f"{path}.{number}".lstrip("."))


def _mistakes(error: ValidationError, node: Any, data: Any) -> list[Mistake]:
    found: list[Mistake] = []
    for one in error.errors(include_url=False):
        keys = _keys(one["loc"], data)
        if one["type"].startswith("union_tag"):
            keys.append("kind")
        if one["type"] == "value_error" and not keys:
            found += _unsound(str(one["ctx"]["error"]), node)
        else:
            found.append(Mistake(line_of(node, keys), ".".join(map(str, keys)), _reason(one, keys, data)))
    return list(_joined(found))


def _joined(found: Sequence[Mistake]) -> Iterator[Mistake]:
    """One mistake a place: where one of several shapes would do, what each would take."""
    places: dict[tuple[int, str], list[str]] = {}
    for one in found:
        places.setdefault((one.line, one.key), []).append(one.reason)
    for (line, key), reasons in places.items():
        more = [reason.partition("; ")[2] or reason for reason in reasons[1:]]
        yield Mistake(line, key, " or ".join(dict.fromkeys([reasons[0], *more])))


def _unsound(said: str, node: Any) -> list[Mistake]:
    """What soundness found, a line each of "place: reason"."""
    mistakes = []
    for line in said.splitlines():
        place, _, reason = line.partition(": ")
        keys = [int(part) if part.isdecimal() else part for part in place.split(".")]
        mistakes.append(Mistake(line_of(node, keys), place, reason))
    return mistakes


def _keys(loc: Sequence[int | str], data: Any) -> list[int | str]:
    """The location without the names pydantic puts in for the kinds of a union."""
    keys: list[int | str] = []
    here = data
    for place, key in enumerate(loc):
        tag = isinstance(key, str) and key in KINDS and isinstance(here, dict) and here.get("kind") == key
        last = place == len(loc) - 1
        if tag and not last:
            continue
        if isinstance(key, str) and here is not None and not isinstance(here, dict):
            continue
        if isinstance(key, str) and not last and isinstance(here, dict) and key not in here:
            continue  # a name of pydantic's for one of several shapes
        keys.append(key)
        if isinstance(here, dict):
            here = here.get(key)
        elif isinstance(here, list) and isinstance(key, int) and key < len(here):
            here = here[key]
        else:
            here = None
    return keys


def line_of(node: Any, keys: Sequence[int | str]) -> int:
    """Where the last of the keys that exists stands."""
    line: int = node.start_mark.line
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((name, value) for name, value in node.value if name.value == str(key)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _reason(error: Any, keys: Sequence[int | str], data: Any) -> str:
    kind = error["type"]
    if kind == "missing":
        return f"is missing; {_of(keys, data)} needs it"
    if kind == "extra_forbidden":
        return f"is no key of {_of(keys, data)}; accepted are {', '.join(_accepted(keys, data))}"
    if kind.startswith("union_tag"):
        found = error["input"].get("kind") if isinstance(error["input"], dict) else error["input"]
        return f"found {found!r}; accepted is one of {', '.join(KINDS)}"
    said = error["msg"].removeprefix("Value error, ")
    said = f"{said[:1].lower()}{said[1:]}".replace("input should be a valid string", "accepted is a text")
    return f"found {_short(error.get('input'))}; {said.replace('input should be', 'accepted is')}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _parent(keys: Sequence[int | str], data: Any) -> Any:
    for key in keys[:-1]:
        data = data[key] if isinstance(data, dict | list) else None  # type: ignore[index]
    return data


def _of(keys: Sequence[int | str], data: Any) -> str:
    parent = _parent(keys, data)
    if len(keys) == 3 and keys[0] == "fields" and isinstance(parent, dict):
        return f"a field of kind {parent.get('kind')}"
    return (
        "the scheme"
        if len(keys) == 1
        else f"an entry of {'.'.join(str(key) for key in keys[:-1] if isinstance(key, str))}"
    )


def _accepted(keys: Sequence[int | str], data: Any) -> list[str]:
    """The keys that the place knows."""
    model: type[BaseModel] | None = Scheme
    for key in keys[:-1]:
        data = data[key]
        model = _model(model, key, data)
        if model is None:
            return ["other keys"]
    return [known.alias or name for name, known in model.model_fields.items()] if model else []


def _model(model: type[BaseModel] | None, key: int | str, data: Any) -> type[BaseModel] | None:
    """The model of what stands under the key."""
    if isinstance(key, int) or model is None:
        if model is None or (model is Scheme and isinstance(data, dict)):
            return KINDS.get(str(data.get("kind"))) if isinstance(data, dict) else model
        return model
    if model is Scheme and key == "fields":
        return Scheme  # the kind of each is told one step further
    found = _models(model.model_fields[key].annotation)
    return found[0] if found else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for one in getattr(annotation, "__args__", ()) for model in _models(one)]
