"""Where a call points on a screen: clicks, drags and boxes in the spellings of computer-use agents.

Anthropic's `coordinate`, OpenAI's `x`, `y` and `path`, ScreenAgent's `mouse_position` (its width is x, its height y),
`point`, `bbox` and the like, and pyautogui's calls in code. What scale they are in shows against the picture's size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from annotations.records import Json

MOST = 20  # of one call
LONGEST = 50_000  # characters of arguments that are looked at
_DEEPEST = 5
_LABELS = ("action", "mouse_action_type", "action_type", "type", "command", "name")
_POINTS = ("coordinate", "coordinates", "point", "point_2d", "position", "mouse_position", "click_point", "start_box")
_BOXES = ("bbox", "box", "bounding_box", "bbox_2d", "box_2d", "rect", "region")
_CODE = re.compile(
    r"\b(\w{0,20}[cC]lick|moveTo|dragTo|moveRel)\(\s{0,9}(?:x=)?(\d{1,5}(?:\.\d{1,6})?),\s{0,9}(?:y=)?(\d{1,5}(?:\.\d{1,6})?)"
)
_PAIR = re.compile(r"\(?\s{0,9}(\d{1,5}(?:\.\d{1,6})?)\s{0,9},\s{0,9}(\d{1,5}(?:\.\d{1,6})?)")

Place = tuple[float, float]


class Pointer(NamedTuple):
    """`kind` is point, box (two corners) or path. `places` are as the call names them; `thousand`: out of 1000."""

    kind: str
    label: str
    places: tuple[Place, ...]
    thousand: bool = False

    def on(self, width: int, height: int) -> tuple[Place, ...]:
        """The places in pixels of a picture of that size; empty where they are not on it.

        All within 0 and 1, and not whole: shares of it. Beyond it but within 1000: out of 1000. Else pixels."""
        numbers = [number for place in self.places for number in place]
        if all(0 <= number <= 1 for number in numbers) and any(number % 1 for number in numbers):
            return _scaled(self.places, width, height)
        if all(x <= width and y <= height for x, y in self.places) and not self.thousand:
            return self.places
        return _scaled(self.places, width / 1000, height / 1000) if max(numbers) <= 1000 else ()


def pointers(arguments: Json) -> list[Pointer]:
    """What a call's arguments point at, in order; no more than MOST."""
    found = []
    for one in _pointers(_parsed(arguments), "", 0):
        found.append(one)
        if len(found) == MOST:
            break
    return found


def _parsed(arguments: Json) -> Json:
    if not isinstance(arguments, str) or len(arguments) > LONGEST:
        return arguments if not isinstance(arguments, str) else None
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _pointers(value: Json, label: str, depth: int) -> Iterator[Pointer]:
    if isinstance(value, str):
        yield from (Pointer("point", name, ((float(x), float(y)),)) for name, x, y in _CODE.findall(value[:LONGEST]))
    elif isinstance(value, list) and depth < _DEEPEST:
        for one in value[:200]:
            yield from _pointers(one, label, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        said = next((value[name] for name in _LABELS if isinstance(value.get(name), str)), label)[:40]
        own = list(_own(value, said))
        yield from own
        for name, one in value.items():
            if isinstance(one, (dict, list, str)) and not (own and name in (*_POINTS, *_BOXES, "path")):
                yield from _pointers(one, said, depth + 1)


def _own(value: dict[str, Json], label: str) -> Iterator[Pointer]:
    """What this object itself points at."""
    for name in _BOXES:
        if corners := _corners(value.get(name), rows_first=name == "box_2d"):
            yield Pointer("box", label or name, corners, thousand=name == "box_2d")
    start, end = _place(value.get("start_coordinate")), _place(value.get("coordinate"))
    path = [place for one in _list(value.get("path")) if (place := _place(one))]
    if start and end:
        path = [start, end]
    if len(path) > 1:
        yield Pointer("path", label or "drag", tuple(path[:MOST]))
    elif place := next(filter(None, (_place(value.get(name)) for name in _POINTS)), None) or _xy(value):
        yield Pointer("point", label or "point", (place,))


def _place(value: Json) -> Place | None:
    if isinstance(value, str) and (found := _PAIR.search(value[:100])):
        return float(found[1]), float(found[2])
    if isinstance(value, dict):
        return _xy(value) or _pair(value.get("width"), value.get("height"))
    return _pair(*value) if isinstance(value, list) and len(value) == 2 else None


def _xy(value: dict[str, Json]) -> Place | None:
    return _pair(value.get("x"), value.get("y"))


def _corners(value: Json, *, rows_first: bool) -> tuple[Place, Place] | None:
    if isinstance(value, list) and len(value) == 4:
        one, other = _pair(*value[:2]), _pair(*value[2:])
        if one and other:
            return (one[::-1], other[::-1]) if rows_first else (one, other)
    if isinstance(value, dict):
        first = _xy(value) or _pair(value.get("left"), value.get("top")) or _pair(value.get("x1"), value.get("y1"))
        last = _pair(value.get("right"), value.get("bottom")) or _pair(value.get("x2"), value.get("y2"))
        size = _pair(value.get("width"), value.get("height"))
        if first and size and not last:
            last = (first[0] + size[0], first[1] + size[1])
        return (first, last) if first and last else None
    return None


def _pair(x: Json, y: Json) -> Place | None:
    usable = all(isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one < 100_000 for one in (x, y))
    return (float(x), float(y)) if usable else None


def _scaled(places: Sequence[Place], across: float, down: float) -> tuple[Place, ...]:
    return tuple((x * across, y * down) for x, y in places)


def _list(value: Json) -> list[Json]:
    return value[:MOST] if isinstance(value, list) else []
