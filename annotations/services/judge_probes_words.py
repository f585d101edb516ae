"""A probe's report in words, for its page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.judges.probe_limits import LISTED, NUMBERS

STANDINGS = {"within": "within the limit", "above": "beyond the limit", "not_enough": "not enough to say"}
GRADES = {1: "right", 0: "neither", -1: "wrong", None: "nothing"}
OF_TWO = {1: "the first is better", 0: "neither is better", -1: "the second is better", None: "nothing"}
EXPECTED = {
    "same": "the same as before",
    "wrong": "that it is not right",
    "other": "something else, for what it rested on is gone",
}


def verdicts(found: Iterable[dict[str, Any]], probes: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Each with the title of its probe, of its number and of what decides, and its limit in words."""
    titles = {one.name: one.title for one in LISTED}
    changes = {row["operator"]: row["title"] for one in probes for row in one["rows"]}
    return [
        {
            **one,
            "title": titles.get(one["limit"]["probe"], one["limit"]["probe"]),
            "number": NUMBERS.get(one["limit"]["number"], one["limit"]["number"]),
            "worst": _worst(one["operator"], changes),
            "side": "at least" if one["limit"]["at_least"] else "at most",
            "words": STANDINGS[one["standing"]],
        }
        for one in found
    ]


def _worst(operator: str, titles: dict[str, str]) -> str:
    """The change that decides, in one of its wordings."""
    name, _, variant = operator.partition(": ")
    return ": ".join(filter(None, (titles.get(name, name), variant)))


def probes(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each with its numbers as columns, and its examples in words."""
    return [_probe(one) for one in found]


def _probe(one: dict[str, Any]) -> dict[str, Any]:
    tables: list[dict[str, Any]] = []
    for row in one["rows"]:
        names = tuple(name for name in NUMBERS if name in row["figures"])
        table = next((table for table in tables if table["names"] == names), None)
        if table is None:
            table = {"names": names, "columns": [NUMBERS[name] for name in names], "rows": []}
            tables.append(table)
        table["rows"].append({**row, "figures": [row["figures"][name] for name in names]})
    levels = [
        {**level, "figures": [(NUMBERS[name], level["figures"][name]) for name in NUMBERS if name in level["figures"]]}
        for level in one["levels"]
    ]
    return {**one, "tables": tables, "levels": levels, "examples": [_example(each) for each in one["examples"]]}


def _example(one: dict[str, Any]) -> dict[str, Any]:
    words = OF_TWO if " against " in one["trajectory"] and one["id"] is None else GRADES
    return {
        **one,
        "said_before": words[one["said_before"]],
        "said_after": words[one["said_after"]],
        "expected": EXPECTED[one["expected"]],
    }
