"""What a server said, as an answer: the whole of it as JSON, else its last fenced block, else asked once to be put
right, else failed. A failure is never a value, and what was not said is never filled in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from annotations.records import Json
from annotations.schemes.judging import Arounds, Problem, Reading
from models_service.judges import rendering
from models_service.judges.asked import Answer, Asking, Case, Judging, Message, Question, Said, Unanswered
from models_service.judges.reading import Known, Notes, of_step, read

FENCED = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)\n[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
SHOWN_AGAIN = 20_000  # characters of an answer that it is shown again to put right
MOST_NAMED = 30  # problems that are named to it
UNKEPT = re.compile(r"[\x00\ud800-\udfff]")
DEEPEST = 40  # objects and lists within each other
CUT_OFF = ("length", "max_tokens")
WITHHELD = ("content_filter", "safety", "refusal")
REPAIR = """Your answer cannot be read. What is wrong with it:

{problems}

{wish}"""
WHOLE = """Give the whole answer again, as one JSON object in the form that was asked for and nothing else. Keep your \
judgement: change only what is named."""


class NoJson(ValueError):
    """The text is no answer, and why."""


@dataclass(frozen=True)
class Ask:
    """One question about places of a case. `schema` is the form that is sent. `number` tells samples apart,
    `known` is what was said of other places."""

    case: Case
    arounds: Arounds
    messages: tuple[Message, ...]
    schema: Json
    purpose: str = "verdict"
    number: int = 0
    known: Known = Known()


@dataclass
class Told:
    """What came of a question: the labels with their reasons, or in words why there are none (`failed`). Where it
    failed, `reading` may hold what was right of it, for people to look at and not to be stored. `answer` is the last
    one."""

    reading: Reading = field(default_factory=Reading)
    notes: Notes = field(default_factory=Notes)
    failed: str = ""
    answer: Answer | None = None
    repaired: bool = False

    def detail(self) -> dict[str, Any]:
        """What is worth keeping beside the labels, as JSON."""
        found = self.notes.as_json()
        found |= {"rung": self.answer.rung, "finish": self.answer.finish} if self.answer else {}
        return found | ({"repaired": True} if self.repaired else {})


def question(judging: Judging, messages: Sequence[Message], schema: Json = None, **more: Any) -> Question:
    """A question with the judge's settings. `more` are fields of Question that are otherwise here."""
    settings = judging.settings
    made = Question(
        messages=tuple(messages),
        schema=schema,
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_tokens,
        seed=settings.seed,
        extra=settings.extra,
    )
    return replace(made, **more)


def answered(judging: Judging, ask: Ask) -> Asking[Told]:
    """Ask it, read what comes, and ask once more where it cannot be read."""

    def judge(found: Json) -> tuple[Reading, Notes]:
        return read(ask.case.scheme, ask.arounds, ask.case.record.steps, of_step(found, ask.arounds), ask.known)

    return (yield from heard(judging, ask, judge))


def heard(judging: Judging, ask: Ask, judge: Callable[[Json], tuple[Reading, Notes]], **more: Any) -> Asking[Told]:
    """The same for answers of another form than a scheme's: `judge` makes labels and problems of them. `more` are
    fields of Question."""
    asked = question(judging, ask.messages, ask.schema, purpose=ask.purpose, number=ask.number, **more)
    (said,) = yield [asked]
    told, can_be_put_right = _told(said, judge)
    if not can_be_put_right:
        return told
    assert isinstance(said, Answer)
    again = replace(asked, messages=(*ask.messages, *put_right(said.text, told.reading.problems)), purpose="repair")
    (said,) = yield [again]
    second, _ = _told(said, judge)
    second.repaired = True
    if second.failed:
        second.failed = f"{second.failed} (the first answer: {told.failed})"
        second.reading = max(second.reading, told.reading, key=lambda one: len(one.labels))
    return second


def _told(said: Said, judge: Callable[[Json], tuple[Reading, Notes]]) -> tuple[Told, bool]:
    """What came of one question, and whether to ask that it be put right."""
    if isinstance(said, Unanswered) or said.refusal:
        return Told(failed=silence(said), answer=None if isinstance(said, Unanswered) else said), False
    try:
        reading, notes = judge(parsed(said.text))
    except NoJson as no:
        reading, notes = Reading(problems=[Problem("", str(no))]), Notes()
    if not reading.problems:
        return Told(reading, notes, "", said), False
    if said.finish in WITHHELD:
        return Told(reading, notes, f"the server withheld the answer ({said.finish})", said), False
    if said.finish in CUT_OFF:
        return Told(reading, notes, f"the answer was cut off: it reached max_tokens ({said.finish})", said), False
    return Told(reading, notes, named(reading.problems, 3), said), True


def silence(said: Said) -> str:
    """Why nothing was said; empty where something was."""
    if isinstance(said, Unanswered):
        return said.reason or "no answer came"
    return f"the model refused: {said.refusal[:500]}" if said.refusal else ""


def put_right(text: str, problems: Sequence[Problem], wish: str = WHOLE) -> tuple[Message, ...]:
    """The two turns that ask for an answer to be put right: the answer, and what is wrong with it."""
    shown = text if len(text) <= SHOWN_AGAIN else f"{text[: SHOWN_AGAIN // 2]}\n…\n{text[-SHOWN_AGAIN // 2 :]}"
    listed = "\n".join(f"- {rendering.plain(_line(one))}" for one in problems[:MOST_NAMED])
    more = f"\n- and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
    return (
        {"role": "assistant", "content": rendering.plain(shown).strip() or "(nothing)"},
        {"role": "user", "content": REPAIR.format(problems=listed + more, wish=wish)},
    )


def named(problems: Sequence[Problem], most: int) -> str:
    """The first problems in one line."""
    more = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return "; ".join(map(_line, problems[:most])) + more


def _line(one: Problem) -> str:
    told = f"{one.place}: {one.reason}" if one.place else one.reason
    return told if len(told) <= 300 else f"{told[:299]}…"


def parsed(text: str) -> Json:
    """The JSON that a text is, or that stands in its last fenced block; NoJson where neither is."""
    bare = without_thought(text)
    if not bare:
        raise NoJson("the answer is empty; accepted is a JSON object")
    try:
        return loaded(bare)
    except NoJson as no:
        blocks = list(FENCED.finditer(bare))
        if not blocks:
            raise NoJson(f"the answer is no JSON: {no}") from None
    try:
        return loaded(blocks[-1][2])
    except NoJson as no:
        raise NoJson(f"the last fenced block is no JSON: {no}") from None


def document(text: str) -> tuple[str, int]:
    """The JSON document that `parsed` reads in a text, as it stands there, and where it begins."""
    bare = without_thought(text)
    blocks = list(FENCED.finditer(bare))
    try:
        loaded(bare)
        found = bare
    except NoJson:
        found = blocks[-1][2] if blocks else bare
    return found, text.rfind(found)


def without_thought(text: str) -> str:
    """The text without what a model wrote to itself before its answer."""
    return THOUGHT.sub("", text.lstrip("\ufeff")).strip()


def loaded(text: str) -> Json:
    """Strict JSON: no key twice, no number that is none. NoJson says what is wrong with it."""
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except json.JSONDecodeError as exc:
        raise NoJson(f"{exc.msg} at character {exc.pos}") from None
    except RecursionError:
        raise NoJson("it is nested too deeply") from None
    except NoJson:
        raise
    except ValueError as exc:  # a whole number of thousands of digits
        raise NoJson(str(exc)[:200]) from None
    if _is_deep(found):
        raise NoJson("it is nested too deeply")
    return _kept(found)


def _kept(found: Json) -> Json:
    """With a sign for characters that no database takes: NUL, and halves of pairs."""
    if isinstance(found, str):
        return UNKEPT.sub("\ufffd", found)
    if isinstance(found, list):
        return [_kept(one) for one in found]
    return {_kept(key): _kept(one) for key, one in found.items()} if isinstance(found, dict) else found


def _is_deep(found: Json) -> bool:
    """Whether it is nested beyond what any form asks for; what reads it further goes down by calling itself."""
    level = [found]
    for _ in range(DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [each for several in inner for each in several]
        if not level:
            return False
    return True


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise NoJson(f"the key {key[:100]!r} stands there twice")
        found[key] = value
    return found


def _constant(text: str) -> Json:
    raise NoJson(f"{text} is no number")


def _float(text: str) -> float:
    if not math.isfinite(found := float(text)):
        raise NoJson(f"{text[:30]} is no number that can be kept")
    return found
