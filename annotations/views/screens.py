"""Where a call points, drawn over the picture it was made on: marks for the eye, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.rendering.pointers import Place, Pointer
from annotations.services.pictures import Picture


@dataclass(frozen=True)
class Mark:
    """A point, box or path in whole pixels of the picture. `said` tells where it is in words."""

    kind: str
    number: int
    places: tuple[tuple[int, int], ...]
    said: str

    @property
    def line(self) -> str:
        """The places as SVG spells the points of a line."""
        return " ".join(f"{x},{y}" for x, y in self.places)

    @property
    def end(self) -> tuple[int, int]:
        return self.places[-1]

    @property
    def area(self) -> tuple[int, int, int, int]:
        """Left, top, width and height."""
        across, down = sorted(x for x, _ in self.places), sorted(y for _, y in self.places)
        return across[0], down[0], across[-1] - across[0], down[-1] - down[0]


@dataclass(frozen=True)
class Screen:
    """A picture with what a call points at on it. `radius` suits its size; `missed` says what lies beyond it."""

    picture: Picture
    marks: tuple[Mark, ...]
    missed: tuple[str, ...] = ()

    @property
    def radius(self) -> int:
        return max(4, round(max(self.picture.image.width, self.picture.image.height) / 60))


def screen(picture: Picture, pointers: Sequence[Pointer]) -> Screen:
    marks, missed = list[Mark](), list[str]()
    for pointer in pointers:
        if places := pointer.on(picture.image.width, picture.image.height):
            whole = tuple((round(x), round(y)) for x, y in places)
            marks.append(Mark(pointer.kind, len(marks) + 1, whole, _said(pointer, whole)))
        else:
            missed.append(f"{_said(pointer, pointer.places)}, beyond the picture")
    return Screen(picture, tuple(marks), tuple(missed))


def _said(pointer: Pointer, places: Sequence[Place]) -> str:
    spelled = [f"{x:g}, {y:g}" for x, y in places]
    return f"{pointer.label} at {spelled[0]}" if len(spelled) == 1 else f"{pointer.label} from {' to '.join(spelled)}"
