"""What retrieval brought: how much of it was used, whether it was enough, and whether it came from too late."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from annotations.records import Json, StepRecord, TrajectoryRecord
from models_service.scorers import text
from models_service.scorers.checks.share import UNCHECKED, held
from models_service.scorers.reading import NAME, NUMBER, clip
from models_service.scorers.reference import parts
from models_service.scorers.ruled import Found, RuledScorer
from models_service.statistics.canonical import tokens

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DATES = re.compile(
    r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)"
    r"|\b(?P<day2>\d{1,2})(?:st|nd|rd|th)? (?P<name2>[A-Za-z]{3,9}),? (?P<year2>\d{4})\b"
    r"|\b(?P<name3>[A-Za-z]{3,9})\.? (?P<day3>\d{1,2})(?:st|nd|rd|th)?,? (?P<year3>\d{4})\b"
)


def passages(step: StepRecord) -> list[str]:
    """What a step's calls brought back, one by one: each part of each observation."""
    return [clip(one) for seen in step.observations for one in _parts(seen)]


def _parts(seen: Json) -> Iterator[str]:
    content = seen.get("content") if isinstance(seen, dict) else seen
    for part in content if isinstance(content, list) else [content]:
        if told := text.flat(part.get("text", part) if isinstance(part, dict) else part).strip():
            yield told


class InformationDensity(RuledScorer):
    """The share of a step's passages that are used: a name or number that was new in them stands in what the agent says
    or calls for later. Search-R2 has a model judge which are useful; here a rule does."""

    title = "information density"
    needs = "observations"

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        if not any(passages(step) for step in steps):
            raise self.lacks("nothing was observed")
        told = [_marks("\n".join([text.said(step), *text.calls(step)])) for step in steps]
        later: list[set[str]] = [set() for _ in steps]
        for place in range(len(steps) - 2, -1, -1):
            later[place] = later[place + 1] | told[place + 1]
        known = _marks(record.task.instruction)
        found = []
        for step, own, after in zip(steps, told, later, strict=True):
            known |= own
            brought = [(one, _marks(one) - known) for one in passages(step)]
            checks = [(one[:80], "" if new & after else "nothing of it is used") for one, new in brought]
            found.append(held(checks, UNCHECKED))
            known = known.union(*(new for _, new in brought))
        return found


def _marks(said: str) -> set[str]:
    return {*NAME.findall(said), *NUMBER.findall(said)}


class Sufficiency(RuledScorer):
    """1 from the step on by which the right answer stands in what was seen, 0 before: whether answering then could be
    right (SIM-RAG asks a critic; this is the rule for answers that can be read off)."""

    title = "sufficiency"
    needs = "the answer in the task's reference, and observations"
    reads_reference = True

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        answers = parts.answers(record.task.reference)
        if not answers:
            raise self.lacks("the task's reference holds no answer")
        if not any(passages(step) for step in steps):
            raise self.lacks("nothing was observed")
        enough, found = 0.0, []
        for step in steps:
            seen = tokens("\n".join(passages(step)))
            enough = max(enough, float(any(parts.stands_in(one, seen) for one in answers)))
            found.append(Found(enough))
        return found


class Leakage(RuledScorer):
    """The share of a step's passages that name no date after the `cut_off` (OracleProto). 1: nothing leaked."""

    title = "leakage"
    needs = "observations, and the date after which nothing may be known"

    def __init__(self, cut_off: str) -> None:
        date.fromisoformat(cut_off)
        self.cut_off = cut_off

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        if not any(passages(step) for step in steps):
            raise self.lacks("nothing was observed")
        return [held([(one[:80], self._late(one)) for one in passages(step)], UNCHECKED) for step in steps]

    def _late(self, passage: str) -> str:
        last = max(dates(passage), default=None)
        return f"names {last}" if last is not None and last > date.fromisoformat(self.cut_off) else ""


def dates(said: str) -> list[date]:
    """The days that are named: 2026-03-01, 1 March 2026, Mar 1, 2026."""
    return [day for match in DATES.finditer(said) if (day := _day(match)) is not None]


def _day(match: re.Match[str]) -> date | None:
    got = match.groupdict()
    name = (got["name2"] or got["name3"] or "").lower()
    month = int(got["month"] or 0) or next((at for at, one in enumerate(MONTHS, 1) if name and one.startswith(name)), 0)
    try:
        return date(*(int(one or 0) for one in (got["year"] or got["year2"] or got["year3"], month,
                                                 got["day"] or got["day2"] or got["day3"])))  # fmt: skip
    except ValueError:
        return None
