"""The tag between steps: a text and its labels taken apart into steps, and put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from annotations.formats.base import Refused, found
from annotations.records import Json

TAG = "ки"
SIGNS = {"+": 1, "-": -1}


@dataclass(frozen=True)
class Piece:
    """What stands before a tag. `label` is 1 or -1, a number between as a float, None where there is no tag."""

    text: str
    label: int | float | None


def apart(said: str, label: Json) -> list[Piece]:
    """The pieces of a tagged text whose labels stand in the same text in the places of the tags. The last piece is
    what comes after the last tag."""
    if not isinstance(label, str):
        raise Refused("label", f"found {found(label)}; accepted is the input with + or - in the place of each tag")
    pieces: list[Piece] = []
    start = at = 0  # in the input: where the piece begins, and the first tag not looked at; the label is shorter
    shift = 0
    while (tag := said.find(TAG, at)) >= 0:
        _same(said[at:tag], label[at - shift : tag - shift], at)
        at = tag + len(TAG)
        if label.startswith(TAG, tag - shift):
            continue  # a piece of a word
        sign = label[tag - shift : tag - shift + 1]
        if sign not in SIGNS:
            raise Refused("label", f"found {found(sign)} at character {tag - shift}; accepted are + and -")
        pieces.append(Piece(said[start:tag], SIGNS[sign]))
        shift += len(TAG) - 1
        start = at
    _same(said[at:].rstrip(), label[at - shift :].rstrip(), at)
    if not pieces:
        raise Refused("label", "found + or - for no tag; accepted is one for each")
    return [*pieces, Piece(said[start:], None)]


def listed(said: str, labels: Sequence[Json]) -> list[Piece]:
    """The pieces of a tagged text whose labels are a list."""
    if not labels:
        raise Refused("label", "found a list of 0; accepted is a label for each tag")
    parts = said.split(TAG)
    if len(parts) - 1 != len(labels):
        raise Refused("label", f"found {len(labels)} labels for {len(parts) - 1} tags; accepted is one for each")
    values = [_value(one, place) for place, one in enumerate(labels)]
    return [*(Piece(part, one) for part, one in zip(parts, values, strict=False)), Piece(parts[-1], None)]


def tagged(before: str, pieces: Sequence[Piece], after: str) -> tuple[str, str] | None:
    """The input and the label; None where no step has a label."""
    if not pieces:
        return None
    signs = {value: sign for sign, value in SIGNS.items()}
    said = "".join(f"{one.text}{TAG}" for one in pieces)
    label = "".join(f"{one.text}{signs[int(one.label or 0)]}" for one in pieces)
    return f"{before}{said}{after}", f"{before}{label}{after}"


def _same(said: str, label: str, at: int) -> None:
    if said != label:
        places: Iterator[int] = (n for n, (one, two) in enumerate(zip(said, label, strict=False)) if one != two)
        differs = at + next(places, min(len(said), len(label)))
        reason = (
            f"found another text than the input's at its character {differs}; accepted is the same but for the tags"
        )
        raise Refused("label", reason)


def _value(label: Json, place: int) -> int | float:
    """1 or -1; a float is an estimate of how likely the step is right."""
    if isinstance(label, str) and label.strip() in SIGNS:
        return SIGNS[label.strip()]
    if isinstance(label, float) and 0 <= label <= 1:
        return label
    if isinstance(label, int) and label in (-1, 0, 1):
        return 1 if label > 0 else -1
    raise Refused(f"label[{place}]", f"found {found(label)}; accepted are +, -, 1, 0 and fractions from 0 to 1")
