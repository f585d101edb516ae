"""The list that a judge writes for a task: what it may hold, the form that is sent, and the reading of what came.

Nothing is put right here: a name that is none, a weight that counts for nothing, an item said twice are problems, which
the judge is told once. What the form does not ask for is left out and noted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.records import Json
from annotations.schemes.fields.base import is_number, is_text
from annotations.schemes.fields.rubric import Item, RubricField, problem_of
from annotations.schemes.judging import Problem
from models_service.judges import forms
from models_service.judges.reading import unfounded

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}")  # annotations.schemes.fields.base.Code
TITLE, HELP, EVIDENCE = 400, 1_000, 2_000  # characters
HEAVIEST = 10
MOST_CHECKS = 12
SCORES = {
    "share": "The score of an attempt is the share of items that it meets: all count alike.",
    "weighted": "The score of an attempt is the sum of the weights of what it meets over that of all positive weights.",
    "penalty": "Each item is a criterion with checks of its own, which are what is answered; every check that fails "
    "costs its criterion more than its share. Criteria are weighed.",
}


@dataclass(frozen=True)
class Bounds:
    """What a list for the field may hold: `most` items; weights where they count, negative ones only where they take
    points; checks only where a criterion is scored by them."""

    most: int
    weighs: bool
    takes_points: bool
    has_checks: bool

    @classmethod
    def of(cls, spec: RubricField, most: int) -> Bounds:
        return cls(most, spec.score != "share", spec.score == "weighted", spec.score == "penalty")


@dataclass
class Written:
    """A list as it came: `items` as they can be stored, whole only where there are no problems. `detail` is what else
    the answer says."""

    items: list[dict[str, Json]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)


def form(bounds: Bounds) -> dict[str, Json]:
    """The JSON Schema of an answer, in the words that strict modes know."""
    said: dict[str, Json] = dict.fromkeys(("evidence", "name", "title", "help"), forms.TEXT)
    check = forms.closed(dict.fromkeys(("name", "title", "help"), forms.TEXT))
    said |= {"weight": {"type": "number"}} if bounds.weighs else {}
    said |= {"checks": {"type": "array", "items": check}} if bounds.has_checks else {}
    return forms.closed({"considered": forms.TEXT, "items": {"type": "array", "items": forms.closed(said)}})


def described(spec: RubricField, most: int) -> str:
    """The field, for whoever is to write its items."""
    lines = [f"## The list: {spec.title}", "", *([spec.help] if spec.help else [])]
    lines += [f"One to {most} items, each answered with {' or '.join(spec.answers)}. {SCORES[spec.score]}"]
    lines += [f"For example: {one}" for one in spec.examples[:3]]
    if spec.items:
        lines += ["What is asked where a task has no list, as a pattern and not to be repeated:"]
        lines += [f"- {one.title}" for one in spec.items]
    return "\n".join(lines)


def explained(bounds: Bounds) -> str:
    """The keys of an answer, in words."""
    lines = [
        '"considered": what a good attempt needs, in a few sentences, before you write items.',
        '"evidence": the words of the task that the item rests on, copied exactly and kept short; "" where there are '
        "none.",
        '"name": a short name of its own, of small letters, digits and hyphens, as "names-its-source"; no two alike.',
        f'"title": the question itself, in up to {TITLE} characters. "help": what settles a doubtful case; "" where '
        "nothing is doubtful.",
    ]
    if bounds.weighs:
        faults = " A fault that takes points has a negative one." if bounds.takes_points else ""
        lines.append(f'"weight": how much it counts, from 1 to {HEAVIEST}.{faults}')
    if bounds.has_checks:
        lines.append(
            f'"checks": up to {MOST_CHECKS} questions that the criterion is made of; [] where its title is one.'
        )
    return "\n".join(lines)


def read(bounds: Bounds, found: Json, texts: Collection[str] = ()) -> Written:
    """The answer as a list, with its problems. `texts` are what evidence may be quoted from."""
    written = Written()
    listed = found.get("items") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= bounds.most:
        accepted = f'accepted is {{"considered": text, "items": a list of 1 to {bounds.most} items}}'
        count = f"; found {len(listed)}" if isinstance(listed, list) else ""
        written.problems.append(Problem("items", accepted + count))
        return written
    evidence: dict[str, str] = {}
    ignored = {str(key)[:60] for key in found if key not in ("considered", "items")}
    for place, one in enumerate(listed):
        problems = list(_problems(bounds, one))
        written.problems += [Problem(f"items[{place}]{at}", reason) for at, reason in problems]
        if not problems:
            written.items.append(_item(bounds, one))
            ignored |= {str(key)[:60] for key in one if key not in _keys(bounds)}
            if is_text(one.get("evidence")):
                evidence[one["name"]] = one["evidence"].strip()[:EVIDENCE]
    if not written.problems:
        written.problems += [Problem("items", reason) for reason in _together(bounds, written.items)]
    considered = found.get("considered")
    told = {
        "considered": considered.strip()[:4_000] if is_text(considered) else "",
        "evidence": evidence,
        "unfounded": unfounded(evidence, texts),
        "ignored": sorted(ignored)[:20],
    }
    written.detail = {name: value for name, value in told.items() if value}
    return written


def _keys(bounds: Bounds) -> tuple[str, ...]:
    return (
        *("evidence", "name", "title", "help"),
        *(("weight",) if bounds.weighs else ()),
        *(("checks",) if bounds.has_checks else ()),
    )


def _problems(bounds: Bounds, one: Json) -> Iterator[tuple[str, str]]:
    """What is wrong with an item: where in it, and why."""
    if not isinstance(one, dict):
        yield "", f"accepted is an object of {', '.join(_keys(bounds))}"
        return
    yield from _of_question(one)
    if bounds.weighs and (reason := _of_weight(bounds, one.get("weight"))):
        yield ".weight", reason
    checks = one.get("checks")
    if not bounds.has_checks:
        if checks:
            yield ".checks", "items have no checks here: write each question as an item"
    elif not isinstance(checks, list) or len(checks) > MOST_CHECKS:
        yield ".checks", f"accepted is a list of up to {MOST_CHECKS} objects of name, title, help"
    else:
        for number, check in enumerate(checks):
            if not isinstance(check, dict):
                yield f".checks[{number}]", "accepted is an object of name, title, help"
                continue
            yield from ((f".checks[{number}]{at}", reason) for at, reason in _of_question(check))


def _of_question(one: dict[str, Json]) -> Iterator[tuple[str, str]]:
    name, title, told = one.get("name"), one.get("title"), one.get("help")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield ".name", "accepted are 1 to 60 letters, digits, hyphens, beginning with a letter or digit"
    if not isinstance(title, str) or not is_text(title) or len(title) > TITLE:
        yield ".title", f"accepted is a text of 1 to {TITLE} characters"
    if told is not None and (not isinstance(told, str) or len(told) > HELP):
        yield ".help", f'accepted is a text of up to {HELP} characters, or ""'


def _of_weight(bounds: Bounds, weight: Json) -> str:
    least = -HEAVIEST if bounds.takes_points else 0
    if is_number(weight) and weight != 0 and least <= weight <= HEAVIEST:
        return ""
    faults = ", or a negative one of a fault" if bounds.takes_points else ""
    return f"accepted is a number above 0 and up to {HEAVIEST}{faults}; found {str(weight)[:40]}"


def _item(bounds: Bounds, one: dict[str, Json]) -> dict[str, Json]:
    said: dict[str, Json] = _question(one)
    said |= {"weight": one["weight"]} if bounds.weighs else {}
    said |= {"checks": [_question(check) for check in one["checks"]]} if bounds.has_checks else {}
    return said


def _question(one: dict[str, Json]) -> dict[str, Json]:
    return {"name": one["name"], "title": one["title"].strip(), "help": (one.get("help") or "").strip()}


def _together(bounds: Bounds, items: Sequence[dict[str, Json]]) -> Iterator[str]:
    """What is wrong with items that are right one by one."""
    if reason := problem_of(Item.model_validate(one) for one in items):
        yield reason
    asked = [check for one in items for check in (one.get("checks") or [one])]
    titles = [" ".join(one["title"].casefold().split()) for one in asked]
    if doubled := next((title for title in titles if titles.count(title) > 1), None):
        yield f"two items ask the same: {doubled[:100]!r}"
    if bounds.takes_points and not any(one["weight"] > 0 for one in items):
        yield "no item gives points: at least one has a weight above 0"
