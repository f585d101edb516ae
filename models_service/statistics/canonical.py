"""Answers made comparable: two that mean the same are spelled the same, as far as their kind tells."""

from __future__ import annotations

import json
import re
import string
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
BOXED = re.compile(r"\\boxed\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
CHOICE = re.compile(r"\(?([A-Za-z])[).:]?")
NUMBER = re.compile(r"[$€£]?\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*[.%]?")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
BETWEEN_DIGITS = re.compile(r"(?<=\d)[^\w\s]+(?=\d)")
PUNCTUATION = str.maketrans("", "", string.punctuation)
KINDS = ("auto", "number", "choice", "json", "text")


def canonical(answer: str, kind: str = "auto") -> str | None:
    """The one spelling of the answer; None where it is none of that kind. `auto` takes the first kind that fits."""
    if kind not in KINDS:
        raise ValueError(f"no kind of answer {kind!r}; there are {', '.join(KINDS)}")
    said = _unboxed(answer).strip()
    found = {"number": _number, "choice": _choice, "json": _json, "text": _text}
    if kind != "auto":
        return found[kind](said)
    return next((one for name in KINDS[1:] if (one := found[name](said)) is not None), None)


def tokens(answer: str) -> list[str]:
    """The words of an answer, without case, punctuation and articles (as SQuAD compares answers)."""
    return ARTICLES.sub(" ", answer.lower().translate(PUNCTUATION)).split()


def _unboxed(answer: str) -> str:
    boxes = BOXED.findall(answer)
    return str(boxes[-1]) if boxes else answer


def _number(said: str) -> str | None:
    match = NUMBER.fullmatch(said)
    if match is None:
        return None
    digits = match[1].replace(",", "")
    try:
        number = Decimal(digits).normalize(Context(len(digits), Emax=MAX_EMAX, Emin=MIN_EMIN))
    except InvalidOperation:
        return None
    # Written out, a number with a large exponent would be as long as the exponent says.
    return "0" if not number else str(number) if abs(number.adjusted()) > 50 else format(number, "f")


def _choice(said: str) -> str | None:
    match = CHOICE.fullmatch(said)
    return match[1].upper() if match else None


def _json(said: str) -> str | None:
    if not said.startswith(("{", "[")):
        return None
    try:
        return json.dumps(json.loads(said), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def _text(said: str) -> str | None:
    """Digits are never run together: neither (3,4) nor 3/4 is 34."""
    return " ".join(tokens(BETWEEN_DIGITS.sub(" ", THOUSANDS.sub("", said)))) or None
