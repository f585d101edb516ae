"""Who said which of two answers is better: people, judges, a winner by name. What they say of one of the two."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from annotations.formats.loose import without
from annotations.formats.turns import number
from annotations.records import Json

FIRST, SECOND, TIE = 0, 1, "tie"
_KEY = re.compile(r"annotator_?\d+|\w+_result|winner|preference|preferred|verdict|better")
_SAID = {
    FIRST: ("1", "a", "model_a", "response1", "response_1", "response_a", "model_1", "first"),
    SECOND: ("2", "b", "model_b", "response2", "response_2", "response_b", "model_2", "second"),
    TIE: ("0", "tie", "equal", "tie (bothbad)", "both_bad", "bothbad", "c"),
}
_MEANING = {word: side for side, words in _SAID.items() for word in words}
SIDES = ("chosen", "rejected")
SCORES = ("score_{}", "{}_score", "{}-rating", "{}_rating", "rating_{}")
MODELS = ("{}_model", "{}-model", "model_{}")


def verdicts(row: dict[str, Any]) -> dict[str, Json]:
    """Everything in the row that says which is better, as found."""
    return {key: value for key, value in row.items() if _KEY.fullmatch(key) and isinstance(value, (str, int, float))}


def is_result(row: dict[str, Any]) -> str:
    """Whose verdict on a pair the row is that holds no pair itself; "" where it is none."""
    names = (key.removesuffix("_result") for key in row if key.endswith("_result"))
    return next((name for name in names if "idx" in row and isinstance(row.get(f"{name}_reason"), str)), "")


def preferred(said: dict[str, Json]) -> Json:
    """Which side most of them prefer: 0, 1 or "tie"; None where none has more than half of what was said."""
    sides = [_MEANING.get(_word(value)) for value in said.values()]
    counted = Counter(side for side in sides if side is not None)
    side, times = counted.most_common(1)[0] if counted else (None, 0)
    return side if 2 * times > sum(counted.values()) else None


def _word(value: Json) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if isinstance(value, bool) else str(value).strip().lower()


def judged(row: dict[str, Any], side: int) -> dict[str, Json]:
    """What came of one of the two answers that others have compared."""
    said = verdicts(row)
    better = preferred(said)
    known: dict[str, Json] = {} if better is None else {"preferred": TIE if better == TIE else better == side}
    return known | ({"verdicts": said} if said else {})


def chosen(row: dict[str, Any], side: int) -> dict[str, Json]:
    """What came of the answer that was chosen, or of the one that was rejected."""
    score = next((value for key in _named(SCORES, side) if number(value := row.get(key))), None)
    return {"preferred": side == FIRST} | ({} if score is None else {"score": score})


def model_of(row: dict[str, Any], side: int, names: tuple[str, str]) -> str:
    """Whose answer it is, where the row says so."""
    keys = (*_named(MODELS, side), f"model_{'ab'[side]}", f"model_{side + 1}", f"{names[side]}_model")
    said = next((value for key in keys if isinstance(value := row.get(key), str)), None)
    both = row.get("cmp_key")
    if said is None and isinstance(both, str) and both.count("_") == 1:
        said = both.split("_")[side]
    return (said or "")[:200]


def _named(patterns: tuple[str, ...], side: int) -> list[str]:
    return [pattern.format(SIDES[side]) for pattern in patterns]


def rest_of(row: dict[str, Any], *taken: str) -> dict[str, Json]:
    """What is said beside the answers and the verdicts."""
    return without(row, *taken, *verdicts(row))
