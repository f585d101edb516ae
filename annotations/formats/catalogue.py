"""The tables of docs/formats.md, made from the formats themselves: `make docs` writes them, a test holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from annotations import formats
from annotations.doc_pages import put
from annotations.formats.base import Format
from annotations.formats.opening.sources import of_path
from annotations.formats.writer import Option, Writer
from annotations.records import Labelled, TrajectoryRecord

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "formats.md"
SAMPLES = ROOT / "tests" / "samples"
BEGIN, END = "<!-- formats: made by make docs -->", "<!-- end of formats -->"
LONGEST = 60  # characters of a text in a sample


def tables() -> str:
    return "\n".join([*_table(), "", *_written()])


def _table() -> Iterator[str]:
    """One row a format, in the order of their names."""
    yield "| Format | Name | Direction | What is kept | What is lost | Sample |"
    yield "|---|---|---|---|---|---|"
    for name, one in offered():
        cells = [one.title, f"`{name}`", direction(one), one.keeps, one.loses, _sample(one)]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def offered() -> list[tuple[str, Format]]:
    """The formats that can be read, or asked for in an export."""
    writable = formats.writable()
    return [(name, one) for name, one in sorted(formats.FORMATS.items()) if one.reads or name in writable]


def direction(one: Format) -> str:
    writes = one.name in formats.writable()
    return "in and out" if one.reads and writes else "in" if one.reads else "out"


def _sample(one: Format) -> str:
    if one.reads:
        path = sample_of(one.name)
        return f"[{path.name}](../tests/samples/{path.name})"
    return f"[below](#{one.name})" if isinstance(one, Writer) else "–"


def sample_of(name: str) -> Path:
    (path,) = [one for one in SAMPLES.iterdir() if one.name.split(".")[0] == name]
    return path


def _written() -> Iterator[str]:
    """What every writer leaves open, and the first row it makes of a small invented task."""
    yield "## What is only written, row by row"
    for name, one in offered():
        if isinstance(one, Writer) and name in formats.writable() and (one.options or not one.reads):
            yield from ["", f"### {name}", "", f"{one.title}. {one.keeps}", *map(_option, one.options)]
            if row := _first_row(one):
                yield from ["", "```json", json.dumps(_short(row), ensure_ascii=False, indent=1), "```"]


def _option(one: Option) -> str:
    accepted = ", ".join(f"`{value}` ({title.lower()})" for value, title in one.choices) or "a number"
    said = f" {one.help}" if one.help else ""
    return f"- `{one.name}`: {one.title[:1].lower()}{one.title[1:]}; {accepted}; without it `{one.default}`.{said}"


def _first_row(one: Writer) -> Mapping[str, Any] | None:
    rollouts = example()
    groups = [rollouts] if one.together else [[each] for each in rollouts]
    asked = {option.name: option.default for option in one.options}
    return next((row for group in groups for row in one.rows(group, asked)), None)


def example() -> list[Labelled]:
    """Two rollouts of one task: every step right, and a wrong one that its rater wrote anew."""
    reader = formats.FORMATS["apb"]
    items = reader.read(of_path(SAMPLES / "apb.jsonl"))  # type: ignore[attr-defined]
    records = [item.record for item in items if isinstance(item.record, TrajectoryRecord)]
    return [_labelled(record, wrong=number == 0) for number, record in enumerate(records)]


def _labelled(record: TrajectoryRecord, *, wrong: bool) -> Labelled:
    steps = Labelled(record).steps
    grades = {place: -1 if wrong and place == steps[-1] else 1 for place in steps}
    return Labelled(
        record,
        grades,
        final=-1 if wrong else 1,
        explanations={steps[-1]: "It contradicts what the tool said."} if wrong else {},
        corrections={steps[-1]: "<answer>the shaft</answer>"} if wrong else {},
        scores={place: 0.9 if grade > 0 else 0.2 for place, grade in grades.items()},
        by="human:ada",
    )


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    return [_short(one) for one in value[:3]] if isinstance(value, list) else value


if __name__ == "__main__":
    put(PAGE, BEGIN, END, tables())
