"""How a judge came to what it says: its version, every question behind the verdict, word for word, and the votes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, Sum

from annotations.models import JudgeCall, JudgeVerdict, Project
from annotations.records import Json
from annotations.services.judge_preview import Text

LONG = 20_000  # characters of a text that stand in the page; more are fetched when they are asked for
CALLS = 20  # questions on a page
LAYERS = {
    "critique": "The critique",
    "first": "The verification before it",
    "personas": "What each role said",
    "rounds": "What the roles said, round by round",
    "branch": "Where two sides parted",
    "again": "What was thought about again",
}
# What the page shows in places of its own.
SHOWN = (*LAYERS, "chances", "cut", "unanswered", "evidence", "confidence", "unfounded")
SCHEMA, ANSWER = "form", "answer"
# As a text that is cut says it to the judge; in a text of the trajectory its quotation marks would be escaped.
LEFT_OUT = re.compile(r'(?<!\\)"characters_left_out": (\d{1,12})\}')


@dataclass(frozen=True)
class Piece:
    """A text of a question. `name` is what it is called in the address of its whole, `as_in` the number of the question
    on the same page whose text it repeats word for word; 0: none."""

    name: str
    text: Text
    as_in: int = 0

    @property
    def is_fetched(self) -> bool:
        """Whether what is between beginning and end is not in the page."""
        return len(self.text.between) > LONG

    @property
    def left_out(self) -> tuple[int, int]:
        """How many texts were cut for the judge, and how many characters they lost together."""
        found = [int(number) for number in LEFT_OUT.findall(self.text.text)]
        return len(found), sum(found)


@dataclass(frozen=True)
class Told:
    """One question with its answer. `number` counts from 1 over all questions behind the verdict."""

    number: int
    call: JudgeCall
    messages: list[Piece]
    schema: Piece | None
    answer: Piece

    @property
    def sampling(self) -> list[tuple[str, Json]]:
        """How it was asked beside its words: what was set, by name."""
        asked = _asked(self.call)
        told = {
            name: asked[name] for name in ("temperature", "top_p", "max_tokens", "seed") if asked.get(name) is not None
        }
        told |= {"sample": asked["number"] + 1} if asked.get("number") else {}
        told |= {name: asked[name] for name in ("logprobs", "extra") if asked.get(name)}
        return [(name.replace("_", " "), value) for name, value in told.items()]


@dataclass(frozen=True)
class Vote:
    """What the samples said at one place."""

    place: str
    shares: list[tuple[str, float]]


@dataclass(frozen=True)
class Cut:
    """A text of the trajectory that was too long for the judge: so many characters of its middle were not sent. `step`
    is None where it is of the task."""

    step: int | None
    part: str
    characters: int


@dataclass(frozen=True)
class Spent:
    """All questions behind the verdict together. `unpriced` counts answers whose price is not known, `lists` are the
    price lists that the others went by; `known` were answered for another run, and cost nothing here again."""

    calls: int = 0
    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    cost_micro: int | None = None
    unpriced: int = 0
    latency_ms: int | None = None
    attempts: int | None = None
    failed: int = 0
    known: int = 0
    lists: list[str] = field(default_factory=list)


def verdict(project: Project, annotation: int) -> JudgeVerdict | None:
    """The verdict behind a pass of the project's; None where it has none."""
    rows = JudgeVerdict.objects.filter(annotation=annotation, judge__project=project)
    return rows.select_related(
        "judge__server", "judge__guideline", "judge__rater", "annotation__trajectory__task", "run"
    ).first()


def calls(found: JudgeVerdict, first: int = 1) -> list[Told]:
    """The questions behind it, in the order in which they were first asked: a page's, from the one of that number."""
    rows = found.calls.order_by("pk")[first - 1 : first - 1 + CALLS]
    said: dict[tuple[str, str], int] = {}
    return [_told(number, call, said) for number, call in enumerate(rows, first)]


def _told(number: int, call: JudgeCall, said: dict[tuple[str, str], int]) -> Told:
    """`said` are the messages of the questions before it on the page, each with the number of the first that has it."""

    def piece(name: str, role: str, text: str) -> Piece:
        as_in = said.setdefault((role, text), number)
        return Piece(name, Text(role, text), 0 if as_in == number else as_in)

    messages = [
        piece(f"message-{place}", str(one.get("role", "")), str(one.get("content", "")))
        for place, one in enumerate(_asked(call).get("messages", ()))
    ]
    schema = piece(SCHEMA, SCHEMA, form) if (form := _form(call)) else None
    return Told(number, call, messages, schema, Piece(ANSWER, Text(ANSWER, call.answer)))


def whole(found: JudgeVerdict, call: int, name: str) -> str | None:
    """A text of one of the questions, all of it; None where there is none of that name."""
    one = found.calls.filter(pk=call).first()
    if one is None:
        return None
    if name == ANSWER:
        return one.answer
    if name == SCHEMA:
        return _form(one) or None
    texts = [str(each.get("content", "")) for each in _asked(one).get("messages", ())]
    return dict(zip((f"message-{place}" for place in range(len(texts))), texts, strict=True)).get(name)


def _asked(call: JudgeCall) -> dict[str, Any]:
    return call.question if isinstance(call.question, dict) else {}


def _form(call: JudgeCall) -> str:
    schema = _asked(call).get("schema")
    return json.dumps(schema, ensure_ascii=False, indent=1) if schema else ""


def spent(found: JudgeVerdict) -> Spent:
    """What all of it took."""
    answered = Q(state=JudgeCall.State.ANSWERED)
    another = ~Q(run=found.run_id) if found.run_id else Q(pk=None)
    row = found.calls.aggregate(
        calls=Count("pk"),
        unpriced=Count("pk", filter=answered & Q(cost_micro=None)),
        failed=Count("pk", filter=~answered),
        known=Count("pk", filter=another),
        prompt=Sum("prompt_tokens"),
        cached=Sum("cached_tokens"),
        completion=Sum("completion_tokens"),
        reasoning=Sum("reasoning_tokens"),
        cost_micro=Sum("cost_micro"),
        latency_ms=Sum("latency_ms"),
        attempts=Sum("attempts"),
    )
    lists = found.calls.exclude(price_version="").order_by("price_version").values_list("price_version", flat=True)
    return Spent(**row, lists=list(lists.distinct()))


def cuts(found: JudgeVerdict) -> list[Cut]:
    """What the judge was not sent, since the text was too long."""
    rows = [one for one in found.detail.get("cut", ()) if isinstance(one, dict)]
    return [Cut(one.get("step"), str(one.get("part", "")), int(one.get("characters", 0))) for one in rows]


def unanswered(found: JudgeVerdict) -> list[tuple[str, str]]:
    """Of a verdict that stands, what it has said nothing of, and why: steps by their index, "trajectory" the whole."""
    said: Mapping[str, str] = found.detail.get("unanswered", {})
    return list(said.items())


def votes(found: JudgeVerdict, step: int | None = None) -> list[Vote]:
    """The chances that are kept, of one step or of all places."""
    chances: Mapping[str, Mapping[str, float]] = found.detail.get("chances", {})
    wanted = None if step is None else f"steps.{step}."
    return [
        Vote(place, sorted(shares.items(), key=lambda item: -item[1]))
        for place, shares in chances.items()
        if wanted is None or place.startswith(wanted)
    ]


def layers(found: JudgeVerdict) -> Iterator[tuple[str, Text]]:
    """What was said on the way to the verdict, by what it is called."""
    for name, title in LAYERS.items():
        if said := found.detail.get(name):
            yield title, Text(name, said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, indent=1))


def rest(found: JudgeVerdict) -> Text | None:
    """Everything else that is kept, as JSON."""
    beside = {name: value for name, value in found.detail.items() if name not in SHOWN}
    return Text("rest", json.dumps(beside, ensure_ascii=False, indent=1)) if beside else None
