"""The answer that a text states, and whether it is the one the reference holds. Only stated answers count: a text that
was cut off, or that trails away, has none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fractions import Fraction

from models_service.scorers import reading
from models_service.statistics.canonical import BOXED, canonical

TAGGED = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.S | re.I)
MARKED = re.compile(r"####|\banswers?\b[\s*_]*(?:is|are|:|=)[\s*_:]*", re.I)
SENTENCE_ENDS = re.compile(r"[.!?](?=\s|$)|\n")
MARKUP = re.compile(r"\\(?:left|right|displaystyle|quad|[!,;:() \[\]])|\\?\$|\*\*|__|`")
WORDED = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
FRACTION = re.compile(
    r"([+-]?)(?:\\[dt]?frac\s*\{(\d{1,50})\}\s*\{(\d{1,50})\}|\\[dt]?frac\s*(\d)\s*(\d)|(\d{1,50})/(\d{1,50}))"
)
WORDS = re.compile(r"[^\W\d_]+(?:[\s'’-]+[^\W\d_]+)*")
NAMED = re.compile(r"(?i:choice|option)[\s_\\*]+\(?([A-Z])(?![A-Za-z])")
CHOSEN = re.compile(r"\(?([A-Za-z])[).:](?=\s|$)")
LONGEST = 400  # characters of an answer


def stated(text: str) -> str | None:
    """What the text states as its answer: in a tag, in a box, behind #### or "answer is", or as a named choice."""
    told = reading.THOUGHT.sub("", text).rpartition("</think>")[2]
    for found in (TAGGED.findall(told), BOXED.findall(told)):
        if found and str(found[-1]).strip():
            return str(found[-1]).strip()[:LONGEST]
    if not MARKED.search(told):
        named = NAMED.findall(told)
        return named[-1] if named else None
    rest = MARKED.split(told)[-1].strip()
    return SENTENCE_ENDS.split(rest)[0].strip(" *_")[:LONGEST] or None


def spelled(answer: str) -> str | None:
    """One spelling for answers that mean the same: numbers and fractions by their value, words without case and
    articles, mathematics without what only sets it. Digits are never run together: (3, 4) is not 34."""
    boxes = BOXED.findall(answer)
    said = WORDED.sub(r"\1", str(boxes[-1]) if boxes else answer)
    said = MARKUP.sub("", said[:LONGEST]).strip().rstrip(".").strip()
    if (number := _number(said)) is not None:
        return number
    if (choice := canonical(said, "choice")) is not None:
        return choice
    if WORDS.fullmatch(said):
        return canonical(said, "text")
    return re.sub(r"\s+", "", said.lower().replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")) or None


def spellings(answers: Iterable[str]) -> frozenset[str]:
    """Those of the answers a reference holds; one that is a whole solution counts by what it states."""
    said = [one for answer in answers for one in (answer, stated(answer)) if one is not None]
    return frozenset(one for answer in said if (one := spelled(answer)) is not None)


def is_right(answer: str, right: Collection[str]) -> bool:
    """Whether the answer is one of these, which are spelled. The letter of a choice may have the choice behind it."""
    said = MARKUP.sub("", WORDED.sub(r"\1", answer)).strip()
    chosen = NAMED.search(said) or CHOSEN.match(said)
    return spelled(answer) in right or (chosen is not None and chosen[1].upper() in right)


def _number(said: str) -> str | None:
    if (match := FRACTION.fullmatch(said)) is not None:
        above, below = [one for one in match.groups()[1:] if one is not None]
        return str(Fraction(int(match[1] + above), int(below))) if int(below) else None
    number = canonical(said, "number")
    return number if number is None or "E" in number or len(number) > 100 else str(Fraction(number))
