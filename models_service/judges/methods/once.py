"""One verdict on all that is asked of a case, in the way that scheme and settings want it: the wrong steps alone, or
labels; what compares candidates is asked in both orders, everything else once. Methods that ask several times ask this
several times."""

from __future__ import annotations

from dataclasses import replace

from annotations.judges import ways
from annotations.records import Json
from annotations.schemes.rules import base_of
from models_service.judges.asked import Asking, Case, Judging, Verdict, together
from models_service.judges.methods import pairwise, single, wrong_steps
from models_service.judges.prompting import Extra


def asking(judging: Judging, case: Case, *, number: int = 0, extra: Extra | None = None) -> Asking[Verdict]:
    """`number` tells samples apart."""
    if judging.settings.answer == "wrong_steps":
        return (yield from wrong_steps.asking(judging, case, number=number, extra=extra))
    apart = _apart(case)
    asks = [pairwise.asking, single.asking]
    going = [ask(judging, one, number=number, extra=extra) for ask, one in zip(asks, apart, strict=True) if one.arounds]
    if len(going) == 1:
        return (yield from going[0])
    return joined((yield from together(going)))


def _apart(case: Case) -> tuple[Case, Case]:
    """What compares candidates, and the rest; that only where something of it must be answered, or nothing is compared:
    notes on a comparison are its reasons."""
    names = {spec.name for spec in ways.compared(case.scheme)}
    compared = {place: here for place, here in case.arounds.items() if base_of(place[1]) in names}
    rest = {place: here for place, here in case.arounds.items() if place not in compared}
    needed = any((spec := case.scheme.field(name)) and spec.required for _, name in rest)
    return replace(case, arounds=compared), replace(case, arounds=rest if needed or not compared else {})


def joined(several: list[Verdict]) -> Verdict:
    """Verdicts on different places as one. It has failed where all of them have."""
    made = Verdict()
    unanswered: dict[str, Json] = {}
    for each in several:
        made.labels |= each.labels
        made.explanations |= each.explanations
        made.chances |= each.chances
        single.put_together(made.detail, each.detail, "comparisons" if "orders" in each.detail else "rest")
        unanswered |= {"comparisons" if "orders" in each.detail else "rest": each.failed} if each.failed else {}
    if unanswered:
        made.detail["unanswered"] = {**made.detail.get("unanswered", {}), **unanswered}
    if several and all(each.failed for each in several):
        made.failed = "; ".join(each.failed for each in several)
    return made
