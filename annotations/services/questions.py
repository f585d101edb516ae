"""The list of threads, where those who lead answer them: what the address asks for, with what each is about.

What waits for an answer stands first, the longest wait at the top; then what is answered and what is closed, the
newest first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import BigIntegerField, Case, Count, Exists, F, IntegerField, OuterRef, Q, Value, When

from annotations.models import Membership, Message, Step, Thread
from annotations.models.talk import ThreadQuerySet
from annotations.schemes.schema import Scheme
from annotations.services import answers, gists, projects, threads, visibility
from annotations.services.answers import Mark, Voices, of_field
from annotations.services.gists import Gist
from annotations.services.threads import Talk

PER_PAGE = 20
ALL = "all"
STATES = {**dict(Thread.State.choices), ALL: "All"}
KINDS = dict(Thread.Kind.choices)
_RANK = {Thread.State.OPEN: 0, Thread.State.ANSWERED: 1, Thread.State.CLOSED: 2}
Cursor = tuple[int, int]  # the rank of its state, and its place among those of that state


@dataclass(frozen=True)
class Filters:
    """What is empty asks for nothing. `q` looks for words in what was said; `trajectory` is an id."""

    state: str = Thread.State.OPEN
    kind: str = ""
    person: str = ""
    q: str = ""
    trajectory: int | None = None

    def query(self, **more: str) -> str:
        """The address, from its question mark on."""
        usual = Filters()
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        said = {name: value for name, value in given.items() if value != getattr(usual, name)}
        return f"?{urlencode(said | more)}"

    def with_state(self, state: str) -> Filters:
        return replace(self, state=state)

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out beside states."""
        return replace(self, state="") != Filters(state="")


def read(given: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """The filters, and what of the address could not be taken: what was found and what is accepted."""
    complaints = []
    taken: dict[str, Any] = {}
    for name, accepted in (("state", STATES), ("kind", KINDS)):
        if (text := given.get(name, "")) in accepted:
            taken[name] = text
        elif text:
            complaints.append(f"{name.title()}: found “{text[:40]}”; accepted are {', '.join(accepted)}.")
    for name, longest in (("person", 150), ("q", 200)):
        taken[name] = given.get(name, "").replace("\x00", "").strip()[:longest]
    if text := given.get("trajectory", ""):
        if text.isdecimal() and text.isascii() and len(text) < 19:
            taken["trajectory"] = int(text)
        else:
            complaints.append(f"Trajectory: found “{text[:40]}”; accepted is the number of one.")
    return Filters(**taken), complaints


@dataclass(frozen=True)
class Row:
    """A thread in the list: the beginning of its step, and what the person who began it says of it now (None where
    they say nothing, or it may not be seen)."""

    talk: Talk
    gist: Gist | None
    label: Mark | None


class Page(NamedTuple):
    """`after` is the cursor of the next page; empty at the end."""

    rows: list[Row]
    after: str


def page(membership: Membership, asked: Filters, after: str = "") -> Page:
    """The rows after the cursor. One that makes no sense is taken as none."""
    wanted = _narrowed(membership, asked)
    found = _ordered(threads.ready(wanted if asked.state == ALL else wanted.in_state(asked.state)))
    if cursor := _cursor(after):
        rank, place = cursor
        found = found.filter(Q(rank__gt=rank) | Q(rank=rank, place__gt=place))
    chosen = list(found[: PER_PAGE + 1])
    more, chosen = len(chosen) > PER_PAGE, chosen[:PER_PAGE]
    last = f"{chosen[-1].rank},{chosen[-1].place}" if more else ""  # type: ignore[attr-defined]
    return Page(rows(membership, [threads.talk(one, membership.user) for one in chosen]), last)


def counts(membership: Membership, asked: Filters) -> Mapping[str, int]:
    """How many there are of each state, the other filters as they are."""
    counted = _narrowed(membership, asked).with_state().order_by().values_list("state")  # type: ignore[misc]
    by_state = dict(counted.annotate(n=Count("pk")))
    return {state: by_state.get(state, 0) for state in Thread.State.values} | {ALL: sum(by_state.values())}


def people(membership: Membership) -> list[str]:
    """Who began threads here."""
    names = threads.visible_to(membership).order_by("begun_by__username").values_list("begun_by__username", flat=True)
    return list(names.distinct())


def rows(membership: Membership, talks: Sequence[Talk]) -> list[Row]:
    """The threads with what each is about. Two queries however many there are."""
    steps = {one.thread.step_id for one in talks if one.thread.step_id}
    found = {gist.pk: gist for gist in gists.read(Step.objects.filter(pk__in=steps))}
    scheme = projects.scheme_of(membership.project.scheme)
    labels = _labels(membership, scheme, talks)
    return [Row(one, found.get(one.thread.step_id or 0), labels.get(_place(one.thread))) for one in talks]


def _narrowed(membership: Membership, asked: Filters) -> ThreadQuerySet:
    found = threads.visible_to(membership)
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.person:
        found = found.filter(begun_by__username=asked.person)
    if asked.trajectory is not None:
        found = found.filter(trajectory=asked.trajectory)
    if asked.q:
        found = found.filter(Exists(Message.objects.filter(thread=OuterRef("pk"), text__icontains=asked.q)))
    return found


def _ordered(found: ThreadQuerySet) -> ThreadQuerySet:
    ranks = [When(state=state, then=Value(rank)) for state, rank in _RANK.items()]
    waits = When(state=Thread.State.OPEN, then=F("last"))
    place = Case(waits, default=-F("last"), output_field=BigIntegerField())
    return found.annotate(rank=Case(*ranks, output_field=IntegerField()), place=place).order_by("rank", "place")


def _cursor(text: str) -> Cursor | None:
    rank, _, place = text.partition(",")
    try:
        cursor = int(rank), int(place)
    except ValueError:
        return None
    return cursor if 0 <= cursor[0] < len(_RANK) and abs(cursor[1]) < 2**63 else None


_Place = tuple[int, int, int | None]  # a person, a trajectory, a step of it


def _place(thread: Thread) -> _Place:
    return thread.begun_by_id, thread.trajectory_id, thread.step_id


def _labels(membership: Membership, scheme: Scheme, talks: Collection[Talk]) -> Mapping[_Place, Mark]:
    """What the people who began the threads say now of what each is about, as far as this member may see it: the main
    field of a step (the worst of its parts), the verdict on the whole."""
    about = of_field(scheme.main_field) & Q(step__in=[one.thread.step_id for one in talks if one.thread.step_id])
    if final := answers.verdict(scheme):
        about |= of_field(final) & Q(step=None)
    said = (
        visibility.labels_visible_to(membership)
        .current()
        .filter(
            about,
            annotation__retired_at=None,
            annotation__trajectory__in={one.thread.trajectory_id for one in talks},
            annotation__rater__user__in={one.thread.begun_by_id for one in talks},
        )
    )
    names = ("annotation__rater__user_id", "annotation__trajectory_id", "step_id", "field", "value")
    voices, found = Voices(scheme), dict[_Place, Mark]()
    for person, trajectory, step, field, value in said.values_list(*names):
        marks = [voices.mark(field, value), *filter(None, [found.get((person, trajectory, step))])]
        found[person, trajectory, step] = max(marks, key=lambda mark: mark.rank)
    return found
