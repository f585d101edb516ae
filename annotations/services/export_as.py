"""An export in the words of another scheme: the way there, what comes out, and how much was lost on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from annotations import schemes
from annotations.formats.lines import dump, load
from annotations.models import Project, Step
from annotations.records import Json, RatingRecord, TrajectoryRecord
from annotations.schemes import conversions
from annotations.schemes.maps import Converted, Lost
from annotations.schemes.rules import After, Place
from annotations.schemes.schema import Scheme
from annotations.services import projects, rating_ways, trees

OF_ONE = ("task", "trajectory", "rollout", "trajectory_version", "rater_kind", "rater")  # what the rows of a pass share
Row = dict[str, Any]


class NoWay(ValueError):
    """No map leads to the scheme that was asked for; the message names those that can be reached."""


def ways(project: Project) -> list[tuple[str, str]]:
    """The schemes that the project's labels can go out in, with their titles."""
    every = schemes.shipped()
    return [(name, every[name].title) for name in conversions.targets(projects.scheme_of(project.scheme))]


class As:
    """Labels of the project on their way to the scheme of that name. `lost` counts answers that did not get there, by
    the field they were given in and why."""

    def __init__(self, project: Project, name: str) -> None:
        self.project, self.source = project, projects.scheme_of(project.scheme)
        self.target = schemes.shipped().get(name)
        self.lost: Counter[tuple[str, str]] = Counter()
        found = conversions.route(self.source, self.target) if self.target else None
        if found is None or self.target is None:
            accepted = ", ".join(conversions.targets(self.source)) or "none"
            raise NoWay(f"no way from {self.source.name} to {name!r} is known; accepted are {accepted}")
        self.route = found
        self.scheme: Scheme = self.target

    def manifest(self) -> dict[str, Any]:
        """What stands in the manifest: where to, over which maps, and what was lost."""
        lost = [{"field": field, "why": why, "labels": n} for (field, why), n in sorted(self.lost.items())]
        named = {"name": self.scheme.name, "version": self.scheme.version, "sha256": projects.digest(self.scheme)}
        return {"scheme": named, "route": self.route.names, "loses": list(self.route.loses), "lost": lost}

    def records(self, found: Iterable[TrajectoryRecord]) -> Generator[TrajectoryRecord, None, None]:
        """The trajectories, each rating in the target's main field and verdict."""
        for record in found:
            yield replace(record, rating=record.rating and self._rating(record, record.rating))

    def rows(self, found: Iterable[Row]) -> Generator[Row, None, None]:
        """The rows of the long table, one a label that came through."""
        for _, group in groupby(found, key=lambda row: [row[name] for name in OF_ONE]):
            yield from self._of_pass(list(group))

    def convert(
        self,
        answers: Mapping[Place, Json],
        steps: Sequence[int],
        filled: Collection[Place],
        after: After | None = None,
    ) -> Converted:
        """The answers of one pass under the target scheme; what is lost is counted. `after` says where each step hangs,
        if they are a tree."""
        made = self.route.convert(answers, steps, filled, after=after)
        self._lose(made.lost)
        return made

    def _lose(self, lost: Iterable[Lost]) -> None:
        self.lost.update((one.place[1].partition("@")[0], one.why) for one in lost)

    def _rating(self, record: TrajectoryRecord, said: RatingRecord) -> RatingRecord:
        rating, lost = rating_ways.over(self.route, record, said)
        self._lose(lost)
        return rating

    def _of_pass(self, rows: list[Row]) -> Iterator[Row]:
        held = {(row["step"], _named(row)): row for row in rows}
        steps, after = self._steps(rows[0])
        filled = {place for place, row in held.items() if row["origin"] == "propagated"}
        made = self.convert({place: load(row["value"]) for place, row in held.items()}, list(steps), filled, after)
        for place in sorted(made.answers, key=lambda one: (one[0] is None, one[0] or 0, one[1])):
            old = held[made.came[place]]
            yield {
                **old,
                **self._said(place, made.answers[place], old, list(steps)),
                **(NOWHERE if place[0] is None else steps[place[0]]),
            }

    def _said(self, place: Place, value: Json, old: Row, steps: Sequence[int]) -> Row:
        name, _, part = place[1].partition("@")
        spec = self.scheme.field(name)
        return {
            "field": name,
            "part": part or None,
            "title": spec.title if spec else None,
            "value": dump(value),
            "number": float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None,
            "first_value": self._first(place, old, steps),
            "scheme": self.scheme.name,
            "scheme_version": self.scheme.version,
        }

    def _first(self, place: Place, old: Row, steps: Sequence[int]) -> str | None:
        """What stood there first, for itself."""
        if old["first_value"] is None:
            return None
        answers = {(old["step"], _named(old)): load(old["first_value"])}
        found = self.route.convert(answers, steps, whole=False).answers
        return dump(found[place]) if place in found else None

    def _steps(self, row: Row) -> tuple[dict[int, Row], After | None]:
        """The agent's steps of the row's trajectory by their index, as rows name them, and where each hangs."""
        steps = Step.objects.of_agent().filter(
            trajectory__project=self.project,
            trajectory__superseded_at__isnull=True,
            trajectory__task__external_id=row["task"],
            trajectory__rollout=row["rollout"],
        )
        columns = ("trajectory_id", "index", "source_index", "content_hash", "ordinal")
        found = list(steps.order_by("index").values_list(*columns))
        named = {
            index: {"step": index, "source_index": source_index, "step_id": f"{digest[:16]}-{ordinal}"}
            for _, index, source_index, digest, ordinal in found
        }
        return named, trees.after(found[0][0]) if found else None


NOWHERE: Row = {"step": None, "source_index": None, "step_id": None}


def _named(row: Row) -> str:
    return f"{row['field']}@{row['part']}" if row.get("part") else str(row["field"])
