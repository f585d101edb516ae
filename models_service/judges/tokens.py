"""Where in an answer a verdict stands, and how likely the model found each verdict there."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from json.decoder import scanstring  # type: ignore[attr-defined]

from annotations.records import Json
from models_service.judges.asked import TokenChance

BLANK = re.compile(r"[ \t\n\r]*")
ATOM = re.compile(r"[^\s,\]}]+")
AROUND = " \t\r\n\"'`*_.:;,()[]{}<>#Ġ▁Ċ"  # what a token may hold beside the letter
UNSAID = -9_000.0  # servers write about -9999 where a token has no chance at all
FLOOR = -20.0  # log-probability of a verdict that is not among the likeliest tokens
AHEAD = 12  # characters in which a token is looked for after one whose text is not whole


def chances(token: TokenChance, verdicts: Mapping[str, str]) -> dict[str, float]:
    """The chance of each verdict at a token, by what it stands for. `verdicts`: letter → what it stands for.

    All spellings of a letter (blanks, quotes, small letters) are one; a letter that is not among the likeliest tokens
    has the floor; the whole is made to sum to 1 over the verdicts. Empty where none of them is there. For two verdicts
    this is the P of generative process reward models as in "Process Reward Models That Think" at temperature 1.
    """
    pooled = dict.fromkeys(verdicts, 0.0)
    for text, log in {**token.top, token.text: token.top.get(token.text, token.log)}.items():
        letter = spelled(text)
        if letter in pooled and log > UNSAID:
            pooled[letter] += math.exp(min(log, 0.0))
    if not any(pooled.values()):
        return {}
    floored = {letter: max(share, math.exp(FLOOR)) for letter, share in pooled.items()}
    whole = sum(floored.values())
    return {verdicts[letter]: share / whole for letter, share in floored.items()}


def spelled(text: str) -> str:
    """The letter that a text spells; "" where it spells none."""
    bare = text.strip(AROUND)
    return bare.upper() if len(bare) == 1 and bare.isascii() and bare.isalpha() else ""


def starts(text: str, tokens: Sequence[TokenChance]) -> list[int | None]:
    """Where in the text each token begins; None where that is not known. A token that holds part of a character has no
    text of its own; tokens that stand before or after the answer (thoughts, ends) are none of it."""
    joined = "".join(token.text for token in tokens)
    if "\ufffd" not in joined and (before := joined.rfind(text)) >= 0:
        ends = [*accumulate(len(token.text) for token in tokens)]
        places = [end - len(token.text) - before for end, token in zip(ends, tokens, strict=True)]
        return [place if 0 <= place < len(text) else None for place in places]
    found: list[int | None] = []
    here = 0
    for token in tokens:
        whole = bool(token.text) and "\ufffd" not in token.text
        place = text.find(token.text, here, here + AHEAD + len(token.text)) if whole else -1
        found.append(place if place >= 0 else None)
        here = place + len(token.text) if place >= 0 else here
    return found


def at(place: int, text: str, tokens: Sequence[TokenChance]) -> TokenChance | None:
    """The token that holds the character at that place of the text."""
    for token, start in zip(tokens, starts(text, tokens), strict=True):
        if start is not None and start <= place < start + len(token.text):
            return token
    return None


def values(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """The path of each text, number, true, false and null of a JSON document, and where it stands: of a text, its first
    character. The document is one that json.loads takes."""
    yield from _walk(text, _over(text, 0), ())[1]


def _walk(text: str, place: int, path: tuple[str, ...]) -> tuple[int, list[tuple[tuple[str, ...], int]]]:
    """Where the value that begins at `place` ends, and what is in it."""
    if text[place] == '"':
        return scanstring(text, place + 1, True)[1], [(path, place + 1)]
    if text[place] not in "{[":
        found = ATOM.match(text, place)
        assert found
        return found.end(), [(path, place)]
    is_object = text[place] == "{"
    inside: list[tuple[tuple[str, ...], int]] = []
    place = _over(text, place + 1)
    number = 0
    while text[place] not in "}]":
        name = str(number)
        if is_object:
            name, place = scanstring(text, place + 1, True)
            place = _over(text, _over(text, place) + 1)
        place, more = _walk(text, place, (*path, name))
        inside += more
        place = _over(text, place)
        place = _over(text, place + 1) if text[place] == "," else place
        number += 1
    return place + 1, inside


def _over(text: str, place: int) -> int:
    found = BLANK.match(text, place)
    assert found
    return found.end()


def named(value: Json) -> str:
    """What a verdict is called among the chances: its JSON."""
    return json.dumps(value, ensure_ascii=False)
