"""The list of trajectories: its pages, what a row of it shows, what its filters offer. Never loads a body."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Left

from annotations.formats.lines import load
from annotations.models import Label, Membership, Task, Trajectory
from annotations.services import duplicates, visibility
from annotations.services.answers import Mark, Voice
from annotations.services.axis import CELLS, Axis, Group, Strip, strip, up_to
from annotations.services.filters import Filters
from annotations.services.search import Cursor, Search

PER_PAGE = 20
MINI = 80  # cells of a strip in miniature
MOST_STRIPS = 6
MOST_TOOLS = 200


@dataclass
class Row:
    """One trajectory in the list; `differ` is how many steps raters differ on, None where that was not asked.
    The first error is a place in the trajectory, its step the number of that among the agent's. `verdicts` are the
    answers about the whole with how often each was given, where the main field is about that."""

    id: int
    external_id: str
    policy_model: str
    source: str
    instruction: str
    steps: int
    last: int
    agent: list[int]
    first_error: int | None
    first_error_step: int
    questions: int
    came_of_it: str | None = ""
    low: float | None = None
    exact: int = 0  # others that are equal to it
    near: int = 0  # others that did the same, those included
    differ: int | None = None
    strips: list[Strip] = field(default_factory=list)
    verdicts: list[tuple[Mark, int]] = field(default_factory=list)

    @property
    def axis(self) -> Axis:
        return Axis(self.steps, self.last, self.agent, MINI)


class Page(NamedTuple):
    """`before` and `after` are the cursors of the pages around this one; empty at the ends."""

    rows: list[Row]
    before: str
    after: str


class Browser:
    """The list as one member may see it."""

    def __init__(self, membership: Membership, filters: Filters) -> None:
        self.search = Search(membership, filters)
        self.project, self.filters = membership.project, filters
        self.sees_all, self.scheme = self.search.sees_all, self.search.scheme
        self.voice = Voice(self.scheme.main_field)

    def page(self, after: str = "", before: str = "") -> Page:
        """The rows after the one cursor, or before the other. A cursor that makes no sense is taken as none."""
        found, backwards = self.search.sorted(), bool(before)
        cursor = _cursor(before or after)
        keys = list(self.search.beyond(found, cursor, backwards)[: PER_PAGE + 1])
        more, keys = len(keys) > PER_PAGE, keys[:PER_PAGE]
        if backwards:
            keys.reverse()
        first, last = (more, True) if backwards and cursor else (cursor is not None, more)
        rows = self._rows([pk for pk, _ in keys])
        return Page(rows, _spelled(keys[0]) if keys and first else "", _spelled(keys[-1]) if keys and last else "")

    def _rows(self, keys: Sequence[int]) -> list[Row]:
        """The rows of these trajectories, in that order."""
        last = self.search.readable().order_by("-index").values("index")[:1]
        shown: dict[str, Any] = {
            "source": F("task__source"),
            "instruction": Left("task__instruction", 160),
            "steps": self.search.steps(),
            "last": Coalesce(Subquery(last), 0),
            "agent": ArraySubquery(self.search.agent().order_by("index").values("index")[: MINI + 1]),
            "first_error": self.search.first_error(),
            "first_error_step": self.search.first_error_step(),
            "questions": Coalesce(_count(self.search.threads()), 0),
        }
        if self.sees_all:
            shown["came_of_it"] = Left(Cast("outcome", TextField()), 120)
            shown["low"] = self.search.low()
            shown |= {kind: Coalesce(duplicates.how_many(kind), 0) for kind in duplicates.KINDS}
            shown["differ"] = Case(When(steps__lte=CELLS, then=self.search.differ()), default=None)
        names = ("id", "external_id", "policy_model")
        found = {
            row["id"]: Row(**row) for row in Trajectory.objects.filter(pk__in=keys).values(*names).annotate(**shown)
        }
        rows = [found[pk] for pk in keys if pk in found]
        for row, strips in zip(rows, self._strips(rows), strict=True):
            row.strips = strips
        return rows

    def _strips(self, rows: Sequence[Row]) -> Iterator[list[Strip]]:
        """For each row what people and the reference say, or the rater that was asked for; who has said nothing has no
        strip. Where the main field is about the whole, rows get verdicts instead."""
        said: dict[int, dict[str, list[Group]]] = defaultdict(lambda: defaultdict(list))
        by_id = {row.id: row for row in rows}
        for trajectory, rater, *group in self._groups(rows):
            said[trajectory][rater] += self._group(by_id[trajectory], *group)
        for row in rows:
            if not self.search.has_strips:
                marks = Counter(mark for groups in said[row.id].values() for _, mark, _, _ in groups)
                row.verdicts = marks.most_common(MOST_STRIPS)
                yield []
                continue
            raters = list(said[row.id].items())[:MOST_STRIPS]
            yield [strip(row.axis, rater, groups) for rater, groups in raters]

    def _groups(self, rows: Sequence[Row]) -> Iterable[tuple[Any, ...]]:
        """(trajectory, rater, cell, value, origin, how many) of all rows at once."""
        widths = [When(annotation__trajectory=row.id, then=Value(row.axis.width)) for row in rows]
        labels = self.search.labels().filter(annotation__trajectory__in=[row.id for row in rows])
        if not (self.filters.rater or self.filters.mine):
            labels = labels.filter(Q(annotation__rater__user__isnull=False) | self._reference())
        index = F("step__index") if self.scheme.main_field.of_step else Value(0)
        cell = index / Case(*widths, default=Value(1), output_field=IntegerField())
        cells = labels.annotate(cell=cell, said=Cast("value", TextField())).order_by("annotation__rater_id")
        names = ("annotation__trajectory_id", "annotation__rater__name", "cell", "said", "origin")
        return cells.values_list(*names).annotate(n=Count("pk"))

    def _group(self, row: Row, cell: int, text: str, origin: str, count: int) -> list[Group]:
        value = load(text)
        if self.search.wrong.names_a_step:
            names = self.search.wrong.says(value)
            return up_to(row.axis, value if names else None, self.voice.mark(value))
        return [(cell, self.voice.mark(value), origin == Label.Origin.PROPAGATED, count)]

    def _reference(self) -> Q:
        return Q(annotation__rater=self.project.reference_id) if self.project.reference_id else Q(pk__in=[])


def _count(found: QuerySet[Any]) -> Subquery:
    return Subquery(found.order_by().values("trajectory").annotate(n=Count("pk")).values("n"))


def _spelled(key: tuple[int, float]) -> str:
    return f"{key[1]!r},{key[0]}"


def _cursor(text: str) -> Cursor | None:
    """(what it is sorted by, id), or None where the text makes no sense."""
    key, _, pk = text.rpartition(",")
    try:
        number = float(key) if "." in key or "e" in key else int(key)
        return (number, int(pk)) if abs(number) < 2**63 and 0 <= int(pk) < 2**63 else None
    except ValueError:
        return None


def choices(membership: Membership, of: str) -> list[str]:
    """The sources, policy models, tools or raters there are, for the list's filters; asked for when somebody goes
    there."""
    if of == "rater":
        raters = visibility.raters_visible_to(membership).order_by("name").values_list("name", flat=True)
        return list(dict.fromkeys(raters[:500]))
    if of == "tool":
        return _tools(membership)
    live = Trajectory.objects.live().filter(project=membership.project)
    column = {"source": "task__source", "model": "policy_model"}[of]
    return list(live.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()[:200])


def _tools(membership: Membership) -> list[str]:
    """The names of the tools that tasks offer."""
    offered = Task.objects.filter(project=membership.project, tools__isnull=False).order_by("tools")
    names: dict[str, None] = {}
    for tools in offered.values_list("tools", flat=True).distinct()[:MOST_TOOLS]:
        for one in tools if isinstance(tools, list) else ():
            told = one.get("function", one) if isinstance(one, dict) else {}
            if isinstance(told, dict) and isinstance(told.get("name"), str):
                names.setdefault(told["name"][:100])
    return sorted(names)[:MOST_TOOLS]
