"""A verdict in words, for whoever is to think about it next."""

from __future__ import annotations

from annotations.formats.lines import dump
from annotations.schemes.judging import path
from models_service.judges import rendering
from models_service.judges.asked import Case, Verdict

WHY = 600  # characters of a reason


def told_of(case: Case, verdict: Verdict) -> str:
    """A line a place, in reading order: what was said, and why. What a model wrote is data to the next one too."""
    if verdict.failed:
        return f"(No answer: {rendering.plain(verdict.failed)[:WHY]})"
    lines = []
    for place in case.arounds:
        if place in verdict.labels:
            why = rendering.plain(verdict.explanations.get(place, ""))[:WHY].replace("\n", " ")
            lines.append(f"- {path(place)}: {dump(verdict.labels[place])}{f': {why}' if why else ''}")
    return "\n".join(lines) or "(Nothing was said.)"
