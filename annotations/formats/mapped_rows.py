"""Tables in which a rollout is several rows, one a step: the rows that name the same rollout, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from annotations.formats import lines
from annotations.formats.base import found
from annotations.formats.lines import Line
from annotations.formats.pointing import at
from annotations.records import Json


def gathered(rows: Iterator[Line], path: str) -> Iterator[Line]:
    """Each rollout's rows as one list, with the number of the first. A rollout whose rows stand apart is told."""
    seen: dict[bytes, int] = {}
    name: Json = None
    held: list[Line] = []
    size = 0
    for row in rows:
        if row.reason:
            yield row
            continue
        said = at(row.value, path)
        if isinstance(said, bool) or not isinstance(said, str | int | float) or said == "":
            yield Line(row.number, raw=row.raw, reason=f"{path}: found {found(said)}; accepted is a rollout's name")
            continue
        if held and (said != name or size > lines.LONGEST):
            yield _together(held)
            held, size = [], 0
        if not held and (before := seen.setdefault(_key(said), row.number)) != row.number:
            reason = (
                f"{path}: rows of {str(said)[:40]!r} stand apart, from line {before} on; accepted are rows together"
            )
            yield Line(row.number, raw=row.raw, reason=reason)
            continue
        name, size = said, size + len(row.raw)
        held.append(row)
    if held:
        yield _together(held)


def _key(name: Json) -> bytes:
    return blake2b(repr(name).encode(errors="replace"), digest_size=12).digest()


def _together(rows: list[Line]) -> Line:
    first = rows[0]
    return Line(
        first.number,
        [one.value for one in rows],
        replaced=sum(one.replaced for one in rows),
        raw=b"\n".join(one.raw.rstrip(b"\n") for one in rows),
    )
