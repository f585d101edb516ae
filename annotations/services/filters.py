"""What the address of the list of trajectories asks for: read with care, said back, written again.

Who may see others' labels filters by everything. Anybody else's list knows only their own passes and what everybody
in the project sees: a filter over what one may not see would show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from annotations.models import Annotation
from annotations.schemes.schema import Scheme
from annotations.services import asked
from annotations.services import duplicates as twins
from annotations.services.asked import Asked

BIGGEST = 2**31 - 1
NOBODY = "none"  # the state of a trajectory that nobody has begun
OPEN = "open"  # and of one that somebody is to go on with
STATES = {
    NOBODY: "Not begun",
    OPEN: "In work",
    Annotation.State.LEASED: "Opened",
    Annotation.State.DRAFT: "Begun",
    Annotation.State.SUBMITTED: "Submitted",
    Annotation.State.SKIPPED: "Skipped",
    Annotation.State.RETURNED: "Returned",
}


class Sort(NamedTuple):
    """One order of the list: what it goes by (None: as they came), which way, and who may ask for it."""

    title: str
    by: str | None
    descending: bool = False
    leads: bool = False


SORTS = {
    "oldest": Sort("As they came", None),
    "newest": Sort("Newest first", None, descending=True),
    "steps": Sort("Fewest steps first", "steps"),
    "-steps": Sort("Most steps first", "steps", descending=True),
    "first_error": Sort("Earliest first error", "first_error"),
    "-first_error": Sort("Latest first error", "first_error", descending=True),
    "-differ": Sort("Most disagreement first", "differ", descending=True, leads=True),
    "differ": Sort("Least disagreement first", "differ", leads=True),
    "doubt": Sort("Lowest score first", "low", leads=True),
    "-doubt": Sort("Highest score first", "low", descending=True, leads=True),
}
ALSO = {"score": "doubt", "-score": "-doubt", "": "oldest"}  # other spellings
FOLLOWED = frozenset(["after", "before"])  # names in the address that are no filters
ANSWER, FROM, TO = "answer", "from.", "to."  # an answer of any field; the ends of a scale as a form sends them


@dataclass(frozen=True)
class Filters:
    """What is empty asks for nothing. `rater` narrows label, answers, first_error, differ and state; so does `mine`.
    `answers` are of any field, and all must be there. `first_error` is a number among the agent's steps, from 1.
    `duplicates` is a kind of them, or the id of a trajectory, which asks for those that are like it."""

    q: str = ""
    source: str = ""
    model: str = ""
    tool: str = ""
    outcome: str = ""
    rater: str = ""
    label: int | float | str | None = None
    answers: tuple[Asked, ...] = ()
    state: str = ""
    mine: bool = False
    first_error: int | None = None
    steps_from: int | None = None
    steps_to: int | None = None
    score: float | None = None
    differ: bool = False
    questions: bool = False
    duplicates: str = ""
    sort: str = "oldest"

    @property
    def active(self) -> dict[str, Any]:
        """The filters that ask for something, the order apart."""
        empty = Filters()
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "sort"}
        return {name: value for name, value in said.items() if value != getattr(empty, name)}

    def query(self, **more: str) -> str:
        """The address, from its question mark on."""
        said = {name: "1" if value is True else str(value) for name, value in self.active.items() if name != "answers"}
        answers = {ANSWER: [one.spelled for one in self.answers]} if self.answers else {}
        order = {} if self.sort == "oldest" else {"sort": self.sort}
        asked = said | answers | order | {name: value for name, value in more.items() if value}
        return f"?{urlencode(asked, doseq=True, safe=':')}"

    @property
    def about_labels(self) -> bool:
        """Whether it asks for what somebody said."""
        return bool(self.answers) or (self.label, self.first_error) != (None, None)

    def sorted_by(self, order: str) -> Filters:
        return replace(self, sort=order)

    def without(self, name: str) -> Filters:
        return replace(self, **{name: getattr(Filters(), name)})


class Chip(NamedTuple):
    """A filter that is on: its words, and the address without it."""

    words: str
    without: str


class _Field(NamedTuple):
    """A filter as an address gives it. `read` raises ValueError where the text is none of what is accepted."""

    title: str
    read: Callable[[str], Any]
    accepted: str
    leads: bool = False


def _text(longest: int) -> Callable[[str], str]:
    return lambda text: text.strip()[:longest]


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= BIGGEST:
            raise ValueError
        return number

    return read


def _fraction(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError
    return text == "1"


def _one_of(accepted: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in accepted:
            raise ValueError
        return accepted[text]

    return read


FROM_0, FROM_1, YES = "a whole number from 0", "a whole number from 1", "1"
_FIELDS = {
    "q": _Field("Id", _text(200), ""),
    "source": _Field("Source", _text(200), ""),
    "model": _Field("Policy model", _text(200), ""),
    "tool": _Field("Calls tool", _text(100), ""),
    "outcome": _Field("Outcome has", _text(200), "", leads=True),
    "rater": _Field("Rater", _text(150), "", leads=True),
    "state": _Field("State", _one_of({name: name for name in STATES}), ", ".join(STATES)),
    "mine": _Field("Mine", _switch, YES),
    "first_error": _Field("First error at step", _whole(1), FROM_1),
    "steps_from": _Field("Steps from", _whole(0), FROM_0),
    "steps_to": _Field("Steps to", _whole(0), FROM_0),
    "score": _Field("A score up to", _fraction, "a number from 0 to 1", leads=True),
    "differ": _Field("Raters differ", _switch, YES, leads=True),
    "questions": _Field("Open questions", _switch, YES),
    "duplicates": _Field("Duplicates", twins.asked, twins.ACCEPTED, leads=True),
}


def read(
    given: Mapping[str, str], scheme: Scheme, *, sees_all: bool, answers: Sequence[str] = ()
) -> tuple[Filters, list[str]]:
    """The filters, and what of the address could not be taken: what was found and what is accepted. What a filter
    that is not the reader's asked for is not said back. `answers` are those the address names in all."""
    known = _fields(scheme)
    taken: dict[str, Any] = {}
    complaints = []
    for name, text in given.items():
        spec = known.get(name)
        if spec is None:
            if name not in FOLLOWED and name not in ("sort", ANSWER) and not name.startswith((FROM, TO)):
                complaints.append(f"There is no filter called “{name[:40]}”; it was left out.")
        elif spec.leads and not sees_all:
            complaints.append(f"“{spec.title}” is not yours to filter by here; it was left out.")
        elif cleaned := text.replace("\x00", ""):
            try:
                taken[name] = spec.read(cleaned)
            except ValueError:
                complaints.append(f"{spec.title}: found “{cleaned[:40]}”; accepted is {spec.accepted}.")
    taken["answers"], odd = _answers([*answers, *_ends(given)], scheme)
    sort, wrong = _sort(given.get("sort", ""), sees_all)
    return Filters(**taken, sort=sort), [*complaints, *odd, *wrong]


def _answers(texts: Iterable[str], scheme: Scheme) -> tuple[tuple[Asked, ...], list[str]]:
    found: dict[str, Asked] = {}
    complaints = []
    for text in filter(None, (one.replace("\x00", "").strip()[:200] for one in texts)):
        try:
            found[text] = asked.read(text, scheme)
        except ValueError as no:
            complaints.append(f"Answer: found “{text[:40]}”; accepted is {no}.")
    return tuple(found.values()), complaints


def _ends(given: Mapping[str, str]) -> Iterator[str]:
    """The scales that a form asks for by their ends."""
    names = dict.fromkeys(name.partition(".")[2] for name in given if name.startswith((FROM, TO)))
    for name in names:
        low, high = given.get(FROM + name, "").strip(), given.get(TO + name, "").strip()
        if low or high:
            yield f"{name}:{low}{asked.BETWEEN}{high}"


def _sort(given: str, sees_all: bool) -> tuple[str, list[str]]:
    name = ALSO.get(given, given)
    if name not in SORTS:
        accepted = ", ".join(orders(sees_all))
        return "oldest", [f"Order: found “{given[:40]}”; accepted are {accepted}."]
    if SORTS[name].leads and not sees_all:
        return "oldest", ["That order is not yours to ask for here; they stand as they came."]
    return name, []


def orders(sees_all: bool) -> dict[str, Sort]:
    """The orders the reader may ask for."""
    return {name: one for name, one in SORTS.items() if sees_all or not one.leads}


def _fields(scheme: Scheme) -> dict[str, _Field]:
    if scheme.main_field.kind != "choice":
        return _FIELDS
    values = {str(choice.value): choice.value for choice in scheme.main_field.options}
    return _FIELDS | {"label": _Field("Label", _one_of(values), ", ".join(values))}


def chips(filters: Filters, scheme: Scheme) -> Iterator[Chip]:
    """A chip for each filter that is on."""
    known = _fields(scheme)
    titles = {str(choice.value): choice.title for choice in scheme.main_field.options}
    for name, value in filters.active.items():
        if name == "answers":
            yield from (_chip(filters, one) for one in filters.answers)
            continue
        told = {"label": titles.get(str(value)), "state": STATES.get(str(value)), "duplicates": twins.words(str(value))}
        said = told.get(name) or str(value)
        words = known[name].title if value is True else f"{known[name].title}: {said}"
        yield Chip(words, filters.without(name).query())


def _chip(filters: Filters, one: Asked) -> Chip:
    others = tuple(other for other in filters.answers if other != one)
    return Chip(one.words, replace(filters, answers=others).query())
