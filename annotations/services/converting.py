"""What passes say under another scheme than their own, for exports and for comparing raters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django.db.models import QuerySet

from annotations.models import Annotation
from annotations.records import Json
from annotations.schemes import conversions
from annotations.schemes.conversions import Route
from annotations.schemes.maps import Converted
from annotations.schemes.schema import Scheme
from annotations.services import board, scheme_passes
from annotations.services.scheme_passes import Pass


class Row(NamedTuple):
    """One answer as agreement and exports read labels. `step` is the step's row; None: the whole trajectory."""

    annotation: int
    step: int | None
    field: str
    value: Json
    origin: str


class Converting:
    """Answers on their way to the scheme `to`. `lost` counts the answers that did not get there by field, `unreachable`
    passes by the scheme that no map leads from; both are whole once everything was read."""

    def __init__(self, to: Scheme, *, change: bool = False) -> None:
        self.to = to
        self.lost: Counter[str] = Counter()
        self.unreachable: Counter[str] = Counter()
        self._find = conversions.for_change if change else conversions.route
        self._routes: dict[int, Route | None] = {}

    def route(self, version: int) -> Route | None:
        """The way from that scheme version."""
        if version not in self._routes:
            self._routes[version] = self._find(board.scheme(version), self.to)
        return self._routes[version]

    @property
    def routes(self) -> Mapping[int, Route | None]:
        """The ways that were asked for so far, by scheme version."""
        return self._routes

    def one(self, of: Pass) -> Converted | None:
        """The pass under the new scheme; None where no map leads there."""
        way = self.route(of.annotation.scheme_id)
        if way is None:
            self.unreachable[of.annotation.scheme.name] += 1
            return None
        made = way.convert(of.answers, list(of.steps), of.filled, after=of.after)
        self.lost.update(lost.place[1].partition("@")[0] for lost in made.lost)
        return made

    def rows(self, annotations: QuerySet[Annotation]) -> Iterator[Row]:
        """What the passes say now, label by label, in order of the passes' ids."""
        for chunk in scheme_passes.passes(annotations):
            for one in chunk:
                if made := self.one(one):
                    yield from _rows(one, made)


def _rows(one: Pass, made: Converted) -> Iterator[Row]:
    for (step, name), value in made.answers.items():
        origin = one.labels[made.came[step, name]].origin
        yield Row(one.annotation.pk, None if step is None else one.steps[step], name, value, origin)
