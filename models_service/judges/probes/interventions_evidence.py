"""Interventions in what is said of the evidence: misquoted, cited from nowhere, claimed without support, ascribed to
another source. After "REFLECT" (meta-evaluation of judges by controlled interventions), read in its abstract; how each
is made is our reading.
"""

from __future__ import annotations

import re
from random import Random

from annotations.records import Labelled
from models_service.judges.probes.base import Edit, NotHere, Pair, Pool
from models_service.judges.probes.evidence import resting
from models_service.judges.probes.texts import (
    Passage,
    edited,
    evidence_before,
    facts,
    graded,
    holds,
    once,
    passages,
    with_step,
)

NAME = "interventions"
LEVEL = "evidence"
NUMBER = re.compile(r"\d+")
CITATIONS = (
    "This is also stated in “{about}: a documentary history” (document 48213907).",
    "See “The records of {about}”, chapter 4, retrieved above, which says the same.",
)
CLAIMS = (
    "It is also certain that {about} was at the centre of a lawsuit that was settled in 1911.",
    "Besides, {about} is known to have received two royal medals, which settles the matter.",
)


def misquoted_evidence(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """A number or a name that the step has from a tool's answer is said otherwise than it stands there."""
    for place in graded(one, 1, lambda step: step.message):
        record = one.record
        seen = evidence_before(record, place)
        found = resting(one, place)
        message = record.steps[place].message
        others = [fact for fact in facts(seen) if not holds(message, fact) and fact not in record.task.instruction]
        for fact in sorted(found, key=lambda fact: not NUMBER.fullmatch(fact)):
            false = _otherwise(fact, others, seen, rng)
            if false:
                return _reworded(one, "misquoted_evidence", place, _everywhere(message, fact, false))
    return NotHere("no step called right says a name or number that only tools' answers hold")


def _otherwise(fact: str, others: list[str], seen: str, rng: Random) -> str:
    """Another number than the one that stands there, or another name of the evidence; "" where there is none."""
    if NUMBER.fullmatch(fact):
        near = [str(int(fact) + by) for by in (3, 4, 6, 7, 8, 11, 13)]
        return next((one for one in near if not holds(seen, one)), "")
    names = [name for name in others if not NUMBER.match(name) and name not in fact and fact not in name]
    return rng.choice(names) if names else ""


def _everywhere(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text)


def invented_citation(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """A source that no tool has brought is cited."""
    return _added(one, rng, "invented_citation", CITATIONS)


def unsupported_claim(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """Something is stated for certain that nothing supports."""
    return _added(one, rng, "unsupported_claim", CLAIMS)


def _added(one: Labelled, rng: Random, operator: str, sentences: tuple[str, ...]) -> Pair | NotHere:
    """One of the sentences after the words of a right step, about what the task or the step is about."""
    places = graded(one, 1, lambda step: step.message.strip())
    if not places:
        return NotHere("no step called right says anything in words")
    place = rng.choice(places)
    message = one.record.steps[place].message
    about = max(facts(one.record.task.instruction) or facts(message) or ["this"], key=len)
    sentence = rng.choice(sentences).format(about=about)
    if sentence in evidence_before(one.record, place):
        return NotHere("tools' answers say the very sentence")
    return _reworded(one, operator, place, within_answer(message, sentence))


def within_answer(message: str, sentence: str) -> str:
    """The sentence before the tagged answer, where there is one, else at the end."""
    start = message.rfind("<answer>")
    if start < 0:
        return f"{message}\n{sentence}"
    return f"{message[:start]}{sentence}\n{message[start:]}"


def swapped_source(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """A fact is ascribed to another of the documents that tools brought, which does not hold it."""
    for place in graded(one, 1, lambda step: step.message):
        message = one.record.steps[place].message
        found = _documents(one, place)
        for fact in resting(one, place):
            holding = [each for each in found if holds(each.text, fact)]
            others = [each for each in found if each.name and not holds(each.text, fact)]
            others = [each for each in others if all(each.name != right.name for right in holding)]
            if holding and others:
                source = rng.choice(others).name
                new = once(message, fact, f"{fact} (source: “{source}”)")
                return _reworded(one, "swapped_source", place, new)
    return NotHere("no step called right says what one document holds and another does not")


def _documents(one: Labelled, place: int) -> list[Passage]:
    return [each for step in one.record.steps[:place] if step.observations for each in passages(step.observations)]


def _reworded(one: Labelled, operator: str, place: int, new: str) -> Pair:
    edit = Edit(NAME, operator, place, "message", one.record.steps[place].message, new, LEVEL)
    return edited(one, with_step(one.record, place, message=new), edit, "wrong", (place,))
