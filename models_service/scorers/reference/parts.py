"""What a task's reference holds: its calls, answer, entities and hops, under the names that data sets give them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from annotations.records import Json
from models_service.scorers import text
from models_service.statistics.canonical import tokens

CALLS = ("calls", "tool_calls", "actions", "trajectory", "ground_truth")
ANSWERS = ("answer", "answers", "final_answer", "gold", "target")
ENTITIES = ("entities", "waypoints")
HOPS = ("hops", "chain", "decomposition")


class Call(NamedTuple):
    """`parameters` as JSON texts, so that two are equal where they are equal as JSON."""

    name: str
    parameters: Mapping[str, str]


class Hop(NamedTuple):
    """A stage of a chain of questions: it is found where one of `marks` stands."""

    title: str
    marks: Sequence[str]


def calls(reference: Json) -> list[Call]:
    """The calls of a reference: a list of them, or one under a name that says so."""
    rows = reference if isinstance(reference, list) else _under(reference, CALLS)
    return [made for row in rows if (made := call(row)) is not None] if isinstance(rows, list) else []


def call(row: Json) -> Call | None:
    """One call, as OpenAI writes it or with name and arguments side by side."""
    row = row.get("function", row) if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        return None
    given = row.get("arguments", row.get("kwargs", row.get("parameters")))
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = {"": given}  # no JSON: it stands for a parameter of its own, equal only to the same text
    named = given if isinstance(given, dict) else {} if given is None else {"": given}
    return Call(row["name"], {key: json.dumps(value, sort_keys=True) for key, value in named.items()})


def answers(reference: Json) -> list[str]:
    """The spellings of the answer that count as right: the reference itself, its members, or what it names so."""
    said = reference if isinstance(reference, str | int | float | list) else _under(reference, ANSWERS)
    every = said if isinstance(said, list) else [said]
    return [text.flat(one) for one in every if isinstance(one, str | int | float) and not isinstance(one, bool)]


def entities(reference: Json) -> list[Hop]:
    rows = _under(reference, ENTITIES)
    return list(_marked(rows, ("name", "entity"), ("name", "entity", "aliases"))) if isinstance(rows, list) else []


def hops(reference: Json) -> list[Hop]:
    rows = _under(reference, HOPS)
    marks = ("answer", "answers", "evidence")
    return list(_marked(rows, ("question", "sub_question", "answer"), marks)) if isinstance(rows, list) else []


def stands_in(mark: str, words: Sequence[str]) -> bool:
    """Whether the words of the mark stand there, one after the other. `words` are those of a text."""
    sought = tokens(mark)
    return bool(sought) and f" {' '.join(sought)} " in f" {' '.join(words)} "


def _marked(rows: list[Json], titles: Sequence[str], marks: Sequence[str]) -> Iterator[Hop]:
    for row in rows:
        named = row if isinstance(row, dict) else {titles[0]: row, marks[0]: row}
        title = next((text.flat(named[name]) for name in titles if named.get(name)), "")
        found = [one for name in marks if (one := named.get(name))]
        every = [text.flat(one) for group in found for one in (group if isinstance(group, list) else [group])]
        if every:
            yield Hop(title, every)


def _under(reference: Json, names: Sequence[str]) -> Json:
    if not isinstance(reference, dict):
        return None
    return next((reference[name] for name in names if name in reference), None)
