"""A report of insight as tables: what its page shows, and what its CSV file holds. Reports of before a table was known
have none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.plots import Forest, Lines, forest

GRADES = (("1", "right"), ("0", "neutral"), ("-1", "wrong"))
FIGURES = (
    ("right", "Right"),
    ("neutral", "Neutral"),
    ("wrong", "Wrong"),
    ("full", "Right, of the longest"),
    ("common", "Right, in the shortest"),
    ("with_error", "With an error"),
    ("recovery", "Recover"),
    ("success", "Succeed"),
)
GROUPS = (("models", "Policy model"), ("sources", "Source"))
DRAWN = ("right", "full", "common")
ATTEMPTS = (
    ("first", "First right"),
    ("second", "Second right"),
    ("gain", "Gain"),
    ("fixed", "Wrong, then right"),
    ("broken", "Right, then wrong"),
    ("repeats", "Said before"),
)
# (name and aggregate in the table of statistics.ranking, title)
CHOICES = (
    (("pass@1", ""), "Any (pass@1)"),
    (("majority vote", ""), "Majority vote"),
    (("weighted vote", "last"), "Weighted vote"),
    (("best of N", "last"), "Best of N, by the last"),
    (("best of N", "min"), "Best of N, by the lowest"),
    (("oracle", ""), "Oracle"),
)
SPENT = {"cost": ("Cost", "$", 4), "tokens": ("Tokens", "", 0), "seconds": ("Time", "s", 1)}  # unit, digits
AGAINST = (
    ("miracles", "They succeed although a step is wrong"),
    ("unlucky", "They fail although no step is wrong"),
)

Result = Mapping[str, Any]
Line = tuple[Any, ...]


def context(result: Result) -> dict[str, Any]:
    """What the page shows of it."""
    after, attempts, choosing = result["transitions"]["after"], result.get("attempts", ()), result.get("choosing", ())
    return {
        "figures": [title for _, title in FIGURES],
        "groups": [
            (title, [_row(one) for one in result[name]], _compared(result[name], title)) for name, title in GROUPS
        ],
        "moves": [(word, [after[grade][then] for then, _ in GRADES]) for grade, word in GRADES],
        "grades": [word for _, word in GRADES],
        "positions": [_shared(one) for one in result["positions"]],
        "along": _along(result["positions"]),
        "tools": [_shared(one) for one in result["tools"]],
        "arguments": [_argument(one) for one in result.get("arguments", ())],
        "spent": [_spent(one) for one in result.get("spent", ())],
        "attempt_titles": [title for _, title in ATTEMPTS],
        "attempts": [{**one, "cells": [one[name] for name, _ in ATTEMPTS]} for one in attempts],
        "within": _within(attempts),
        "choice_titles": [title for _, title in CHOICES],
        "choices": [_choice(one) for one in choosing],
        "chosen": _chosen(choosing),
        "lists": [(title, result["outcomes"]["lists"][name], result["outcomes"][name]) for name, title in AGAINST],
    }


def _shared(one: Result) -> dict[str, Any]:
    return {**one, "share": _share(one["wrong"], one["steps"])}


def _spent(one: Result) -> dict[str, Any]:
    title, unit, digits = SPENT[one["what"]]
    return {**one, "title": title, "unit": unit, "digits": digits, "cells": [one["each"], one["success"]]}


def _row(one: Result) -> dict[str, Any]:
    """A group with its figures in the order of FIGURES."""
    return {**one, "cells": [_cell(one, name) for name, _ in FIGURES]}


def _cell(one: Result, name: str) -> Any:
    shares = {word: one["shares"][grade] for grade, word in GRADES}
    return shares[name] if name in shares else one[name]


def _compared(rows: Sequence[Result], title: str) -> Forest | None:
    titles = dict(FIGURES)
    points = [(one["name"], [_cell(one, name) for name in DRAWN]) for one in rows]
    return forest(f"Steps that are right, by {title.lower()}", [titles[name] for name in DRAWN], points)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _along(rows: Sequence[Result]) -> Lines | None:
    if not any(one["steps"] for one in rows):
        return None
    firsts = sum(one["first"] for one in rows)
    wrong = [_share(one["wrong"], one["steps"]) for one in rows]
    first = [_share(one["first"], firsts) for one in rows]
    series = [("wrong, of the steps there", wrong), ("first wrong, of all first wrong ones", first)]
    return Lines("Errors along the way", "of the way", [f"{one['from']:.1f}" for one in rows], series)


def _argument(one: Result) -> dict[str, Any]:
    return {**_shared(one), "else_share": _share(one["else_wrong"], one["else_steps"])}


def _within(rows: Sequence[Result]) -> Lines | None:
    most = max((len(one["within"]) for one in rows), default=0)
    if most < 2:
        return None
    series = [(one["name"], [each["value"] for each in one["within"]]) for one in rows]
    places = [str(k) for k in range(1, most + 1)]
    return Lines(
        "Right within so many attempts", "attempts", places, [(name, _filled(some, most)) for name, some in series]
    )


def _filled(values: Sequence[float | None], most: int) -> list[float | None]:
    return [*values, *[None] * (most - len(values))]


def _choice(one: Result) -> dict[str, Any]:
    """What choosing by one scorer or judge comes to, in the order of CHOICES."""
    rows = {(row["name"], row["by"]): row for row in one["rows"]}
    curves = [(curve["name"], [each["value"] for each in curve["points"]]) for curve in one["curves"]]
    over = Lines(f"Right among k rollouts, {one['name']}", "rollouts", [str(k) for k in one["ks"]], curves)
    return {**one, "cells": [rows.get(key) for key, _ in CHOICES], "over": over if len(one["ks"]) > 1 else None}


def _chosen(sources: Sequence[Result]) -> Forest | None:
    rows = [(f"{one['name']} ({one['kind']})", _choice(one)["cells"]) for one in sources]
    return forest("The chosen rollout is right", [title for _, title in CHOICES], rows)


def lines(result: Result) -> Iterator[Line]:
    """The tables in one: what each row is about, its name, a figure, its value."""
    yield "table", "row", "figure", "value", "low", "high", "n"
    for name, _ in GROUPS:
        for one in result[name]:
            for each, title in FIGURES:
                yield name, one["name"], title, *_told(_cell(one, each))
    for before, then in result["transitions"]["all"].items():
        yield from (_plain("transitions", before, after, count) for after, count in then.items())
    for place in result["positions"]:
        yield from (_plain("positions", place["from"], name, place[name]) for name in ("steps", "wrong", "first"))
    for tool in result["tools"]:
        yield from (_plain("tools", tool["tool"], name, tool[name]) for name in ("steps", "wrong"))
    for one in result.get("arguments", ()):
        called = f"{one['tool']}: {one['argument']}{'=' if one['value'] else ''}{one['value']}"
        yield from (
            _plain("arguments", called, name, one[name]) for name in ("steps", "wrong", "else_steps", "else_wrong")
        )
    yield from _more(result)


def _more(result: Result) -> Iterator[Line]:
    for one in result.get("spent", ()):
        yield from (("spent", one["name"], f"{one['what']}, {name}", *_told(one[name])) for name in ("each", "success"))
    for one in result.get("attempts", ()):
        yield from (("attempts", one["name"], name, *_told(one[name])) for name, _ in ATTEMPTS)
        yield from (
            ("attempts", one["name"], f"within {k}", *_told(each)) for k, each in enumerate(one["within"], start=1)
        )
        yield _plain("attempts", one["name"], "slope", one["slope"])
    for one in result.get("choosing", ()):
        name = f"{one['kind']}: {one['name']}"
        for what, count in (one["verdicts"] or {}).items():
            yield _plain("choices", name, what, count)
        for row in one["rows"]:
            yield "choices", name, f"{row['name']} {row['by']}".strip(), *_told(row)
        for curve in one["curves"]:
            for each in curve["points"]:
                yield "choices", name, f"{curve['name']}, k={each['k']}", each["value"], None, None, each["n"]
    for name, some in result["outcomes"]["lists"].items():
        yield from (_plain("outcomes", one["name"], name, one["first_error"]) for one in some)


def _told(figure: Result) -> Line:
    return figure["value"], figure["low"], figure["high"], figure["n"]


def _plain(table: str, row: Any, figure: str, value: Any) -> Line:
    return table, row, figure, value, None, None, None
