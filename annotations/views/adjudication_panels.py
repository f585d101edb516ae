"""One place on which raters differ, as the page of adjudication shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.formats.lines import dump
from annotations.models import Adjudication
from annotations.records import Json
from annotations.services import projects
from annotations.services.adjudication_places import Spot
from annotations.services.answers import Mark, Voices


@dataclass(frozen=True)
class Option:
    """An answer that can be given by a press or a key."""

    value: str  # as JSON
    mark: Mark
    keys: str
    help: str
    is_chosen: bool


@dataclass(frozen=True)
class Heard:
    """What one rater says at a place, as the page shows it."""

    name: str
    kind: str
    mark: Mark
    value: str
    why: str
    letter: str
    is_implied: bool
    is_taken: bool


@dataclass(frozen=True)
class Panel:
    """One place, as the page shows it. `first` is what was decided before the raters were heard."""

    path: str
    title: str
    step: int | None
    options: Sequence[Option]
    heard: Sequence[Heard]
    is_seen: bool
    decided: Mark | None
    why: str
    first: Mark | None


def panel(found: Adjudication, spot: Spot) -> Panel:
    """What raters said is in it only where it may be seen."""
    voices = Voices(projects.scheme_of(found.project.scheme))
    name = spot.place[1]
    said = None if spot.decided is None else spot.decided.value

    def mark(value: Json) -> Mark:
        return voices.mark(name, value)

    part = name.partition("@")[2]
    return Panel(
        path=spot.path,
        title=f"{spot.spec.title}{', ' if part else ''}{part}",
        step=spot.place[0],
        options=[
            Option(
                dump(one.value),
                mark(one.value),
                " ".join(one.keys),
                one.help,
                spot.decided is not None and one.value == said,
            )
            for one in (spot.spec.options if spot.spec.kind == "choice" else ())
        ],
        heard=[
            Heard(
                one.rater.name,
                one.rater.get_kind_display(),
                mark(one.value),
                dump(one.value),
                one.why,
                one.letter,
                one.origin == "propagated",
                spot.decided is not None and dump(one.value) == dump(said),
            )
            for one in (spot.voices if spot.is_seen else ())
        ],
        is_seen=spot.is_seen,
        decided=None if spot.decided is None else mark(said),
        why=spot.decided.explanation if spot.decided else "",
        first=None if spot.first is None else mark(spot.first),
    )
