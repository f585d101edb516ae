"""The table of maps in docs/conversions.md, made from conversions.yaml: `make docs` writes it, a test holds it."""

from __future__ import annotations

from pathlib import Path

from annotations.doc_pages import put
from annotations.records import Json
from annotations.schemes import conversions
from annotations.schemes.maps import FieldMap, Hop
from annotations.schemes.schema import Scheme

PAGE = Path(__file__).parents[2] / "docs" / "conversions.md"
BEGIN, END = "<!-- maps: made by make docs -->", "<!-- end of maps -->"


def table() -> str:
    """One row a map, the declared ones and those that follow from them."""
    known = conversions.known()
    written = {(one.source, one.to) for one in conversions.declared().maps}
    rows = []
    for source, to in sorted(conversions.edges()):
        maps = conversions.edges()[source, to]
        way = conversions.Route((Hop(known[source], known[to], maps),))
        answers = "; ".join(_answers(one, known[source]) for one in maps)
        lost = " ".join([*way.loses, *(one.note for one in maps if one.note)]) or "Nothing."
        rows.append(f"| {source} | {to} | {answers} | {lost} | {'yes' if (source, to) in written else 'follows'} |")
    return "\n".join(["| From | To | Answers | What is lost | Declared |", "|---|---|---|---|---|", *rows])


def _answers(one: FieldMap, source: Scheme) -> str:
    named = f"`{one.source}`" if one.source == one.to else f"`{one.source}` as `{one.to}`"
    if one.values:
        return f"{named}: {', '.join(f'{_spelled(was)} → {_spelled(now)}' for was, now in one.values)}"
    if one.bounds:
        return f"{named}: {', '.join(f'from {low:g} on → {_spelled(now)}' for low, now in one.bounds)}"
    if one.by == "first":
        return f"{named}: the first step that says {' or '.join(map(_spelled, one.wrong))}, or none"
    if one.by == "around":
        return f"{named}: {_spelled(one.right)} before the step, {_spelled(one.wrong[0])} at it, nothing after it"
    return f"{named}, as it is"


def _spelled(value: Json) -> str:
    return str(value).replace("-", "−") if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    put(PAGE, BEGIN, END, table())
