"""Stretches of text by their words: what a judge can say of them, turned into places and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from annotations.records import Json, StepRecord
from annotations.rendering import parts as texts

STRETCH = {"part", "quote", "occurrence"}


class NotThere(ValueError):
    """The words do not stand where they are said to stand."""


def placed(span: Json, step: int | None, steps: Sequence[StepRecord]) -> Json:
    """A span by its words as the scheme stores it. What is no such span is given back as it is: the field refuses it.
    NotThere where its words are not to be found."""
    if not isinstance(span, dict) or step is None or not isinstance(span.get("quote"), str):
        return span
    rest = {key: value for key, value in span.items() if key not in STRETCH and value is not None}
    made = _stretch(span, step, steps) | rest
    if isinstance(evidence := made.get("evidence"), dict) and "quote" in evidence:
        at = evidence.get("step")
        if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < len(steps):
            raise NotThere(f"evidence: there is no step {at!r}")
        made["evidence"] = {"step": at, **_stretch(evidence, at, steps)}
    return made


def said(span: Mapping[str, Json], step: int, steps: Sequence[StepRecord]) -> dict[str, Json]:
    """A stored span by its words."""
    made = {"note": span.get("note"), **_words(span, step, steps), "type": span["type"]}
    if (evidence := span.get("evidence")) is None:
        return made
    if "step" in evidence:
        evidence = {"step": evidence["step"], **_words(evidence, evidence["step"], steps)}
    return made | {"evidence": evidence}


def _stretch(said: Mapping[str, Json], step: int, steps: Sequence[StepRecord]) -> dict[str, Json]:
    part, quote = said.get("part"), said.get("quote")
    found = texts.part(steps[step], part) if isinstance(part, str) else None
    if found is None:
        raise NotThere(f"step {step} has no part {part!r}; it has {', '.join(_names(steps[step]))}")
    starts = list(_starts(found.text, quote)) if isinstance(quote, str) and quote else []
    if not starts:
        raise NotThere(
            f"the quote {_short(quote)} does not stand in {part} of step {step}; accepted are its exact words"
        )
    number = said.get("occurrence") or 1
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= len(starts):
        raise NotThere(f"the quote {_short(quote)} stands {len(starts)} times in {part}; occurrence {number!r} is none")
    start = starts[number - 1]
    return {"part": part, "start": start, "end": start + len(str(quote))}


def _words(place: Mapping[str, Json], step: int, steps: Sequence[StepRecord]) -> dict[str, Json]:
    found = texts.part(steps[step], str(place["part"]))
    text = found.text if found else ""
    quote = text[place["start"] : place["end"]]
    starts = list(_starts(text, quote))
    return {"part": place["part"], "quote": quote, "occurrence": starts.index(place["start"]) + 1 if quote else None}


def _starts(text: str, quote: str) -> Iterator[int]:
    at = text.find(quote)
    while at >= 0:
        yield at
        at = text.find(quote, at + 1)


def _names(step: StepRecord) -> list[str]:
    return [one.name for one in texts.parts(step, pictures=False)]


def _short(text: Json) -> str:
    told = repr(text)
    return told if len(told) <= 120 else f"{told[:119]}…"
