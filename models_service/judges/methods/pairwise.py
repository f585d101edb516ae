"""Which candidate is better: asked in both orders, under letters that mean nothing.

A judge that takes whatever stands first says one thing in one order and another in the other. That is no answer: the
place stays without a label, and both answers are noted. Where the scheme itself asks each pair both ways round, each is
asked as it stands. That each pair is judged in both orders, and disagreement counts as inconsistent, follows the
evaluation of pairwise process reward models of web agents (WebPRMBench).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any

from annotations.records import Json, TrajectoryRecord
from annotations.schemes.fields import PreferenceField
from annotations.schemes.fields.preference import TIE
from annotations.schemes.judging import Reading, path
from annotations.schemes.rules import Place, base_of, part_of
from models_service.judges import contracts, forms, prompting, rendering, replies
from models_service.judges.asked import Asking, Case, Judging, Verdict, together
from models_service.judges.methods import single
from models_service.judges.prompting import Extra, Prompted
from models_service.judges.reading import Notes, read
from models_service.judges.replies import Ask, Told

MOST = len(ascii_uppercase)
LETTERS = (
    """Candidates go by the letters {letters}, in the order in which they are shown. Name them by their letters."""
)


@dataclass(frozen=True)
class Comparison:
    """One comparison, with its candidates in the order in which they are shown."""

    place: Place
    spec: PreferenceField
    order: tuple[int, ...]

    @property
    def letters(self) -> dict[str, int]:
        return dict(zip(ascii_uppercase, self.order, strict=False))


def asking(
    judging: Judging, case: Case, *, number: int = 0, extra: Extra | None = None, both: bool = True
) -> Asking[Verdict]:
    """A verdict on all that is compared in the case. Without `both`, each is asked in the order that its place names:
    to find out what the order does to a judge."""
    asked = {place: _orders(case, place)[: None if both else 1] for place in case.arounds}
    every = [one for orders in asked.values() for one in orders]
    told = iter((yield from together([_one(judging, case, one, number, extra or Extra()) for one in every])))
    made = Verdict(detail={"orders": {"compared": len(asked), "agreed": 0}})
    for place, orders in asked.items():
        _settle(made, place, [next(told) for _ in orders])
    _finish(made, asked)
    return made


def _orders(case: Case, place: Place) -> list[Comparison]:
    """The orders in which the place is asked: both, unless the scheme asks for the other one at a place of its own."""
    spec = case.scheme.field(place[1])
    assert isinstance(spec, PreferenceField)
    order = tuple(case.arounds[place].candidates or ())
    one = Comparison(place, spec, order)
    return [one] if spec.both_orders else [one, replace(one, order=order[::-1])]


def _one(judging: Judging, case: Case, one: Comparison, number: int, extra: Extra) -> Asking[tuple[Told, Prompted]]:
    """The comparison in one order."""
    if reason := _lacks(case, one):
        return Told(failed=reason), Prompted(())
    form = _form(one)
    prompted = _prompted(judging, case, one, form, extra)
    messages = prompted.messages
    if judging.settings.thinks_first:
        thought = yield from single.thinking(judging, messages, number)
        if isinstance(thought, Told):
            return thought, prompted
        messages = thought

    def judge(found: Json) -> tuple[Reading, Notes]:
        arounds = {one.place: case.arounds[one.place]}
        return read(case.scheme, arounds, case.record.steps, _placed(one, found))

    ask = Ask(case, case.arounds, messages, form, "comparison", number)
    told = yield from replies.heard(judging, ask, judge)
    return told, prompted


def _lacks(case: Case, one: Comparison) -> str:
    """Why it cannot be asked; empty where it can."""
    if not 2 <= len(one.order) <= MOST:
        return f"there are {len(one.order)} candidates; accepted are 2 to {MOST}"
    there = set(range(len(case.record.steps))) if one.spec.of_step else set(case.rollouts)
    missing = sorted(set(one.order) - there)
    return f"candidates {', '.join(map(str, missing))} are not here" if missing else ""


def _form(one: Comparison) -> dict[str, Json]:
    letter = forms.one_of(one.letters)
    if one.spec.form == "rank":
        answer: dict[str, Json] = {"type": "array", "items": {"type": "array", "items": letter}}
    else:
        answer = forms.one_of([*one.letters, *([TIE] if one.spec.ties else [])])
    sure = {"confidence": forms.nullable({"type": "integer"})}
    return forms.closed({"evidence": forms.TEXT, "why": forms.TEXT, "answer": answer, **sure})


def _prompted(judging: Judging, case: Case, one: Comparison, form: Mapping[str, Json], extra: Extra) -> Prompted:
    sheet = rendering.Sheet(judging.settings.observation_limit)
    arounds = {one.place: case.arounds[one.place]}
    letters = LETTERS.format(letters=", ".join(one.letters))
    contract = f"{contracts.contract(case.scheme, arounds, form)}\n{letters}"
    extra = replace(extra, contract=contract, question={"compare": list(one.letters), "field": one.spec.name})
    data = _data(judging, case, one, sheet)
    return Prompted(prompting.messages(judging, case, arounds, data, extra), sheet.cut)


def _data(judging: Judging, case: Case, one: Comparison, sheet: rendering.Sheet) -> str:
    """The candidates as data: whole rollouts, or what led to the place and then each step that was tried there."""
    reference = judging.settings.sight == "reference"
    told = rendering.head(case.record.task, sheet, reference=reference)
    if one.spec.of_step:
        first = case.record.steps[one.order[0]].parent
        before = rendering.messages(case.record.steps, sheet, upto=first) if first is not None else iter(())
        told += '"messages": [\n' + ",\n".join(before) + "],\n"
    shown = [_candidate(judging, case, one, letter, number, sheet) for letter, number in one.letters.items()]
    return f'{rendering.BEGIN}\n{told}"candidates": [\n' + ",\n".join(shown) + f"]}}\n{rendering.END}"


def _candidate(judging: Judging, case: Case, one: Comparison, letter: str, number: int, sheet: rendering.Sheet) -> str:
    if not one.spec.of_step:
        record: TrajectoryRecord = case.rollouts[number]
        own = rendering.Sheet(sheet.limit)
        lines = ",\n".join(rendering.messages(record.steps, own))
        sheet.cut += [{"rollout": number, **one} for one in own.cut]
    else:
        step = rendering.message(case.record.steps[number], number, sheet, result=prompting.sees_result(judging))
        lines = rendering.dumped({key: value for key, value in step.items() if key not in ("index", "after")})
    return f'{{"candidate": "{letter}", "messages": [\n{lines}]}}'


def _placed(one: Comparison, found: Json) -> Json:
    """The answer at its place in a whole one, with the candidates' numbers for their letters."""
    if not isinstance(found, dict):
        return found
    step, name = one.place
    entry = {**found, "answer": _numbered(one.letters, found.get("answer"))} if "answer" in found else found
    inner = {part_of(name)[1:]: entry} if part_of(name) else entry
    fields = {base_of(name): inner}
    return {"trajectory": fields} if step is None else {"steps": {str(step): fields}}


def _numbered(letters: Mapping[str, int], answer: Json) -> Json:
    """What is no letter stays as it is, for the field to refuse; a number is no letter either."""
    if isinstance(answer, list):
        return [_numbered(letters, one) for one in answer]
    if isinstance(answer, str):
        return letters.get(answer, answer)
    return f"not a letter: {json.dumps(answer)}" if isinstance(answer, int) else answer


def _settle(made: Verdict, place: Place, several: Sequence[tuple[Told, Prompted]]) -> None:
    """The label of a place, where all its orders say the same."""
    name = path(place)
    for told, prompted in several:
        cut = {"cut": prompted.cut} if prompted.cut else {}
        single.put_together(made.detail, told.detail() | cut, name)
    if failed := next((told.failed for told, _ in several if told.failed), ""):
        made.detail.setdefault("unanswered", {})[name] = failed
        return
    said = [told.reading.labels.get(place) for told, _ in several]
    if any(one != said[0] for one in said) or said[0] is None:
        made.detail.setdefault("inconsistent", {})[name] = said
        return
    made.detail["orders"]["agreed"] += 1
    made.labels[place] = said[0]
    made.explanations |= {at: why for at, why in several[0][0].reading.explanations.items() if at == place}


def _finish(made: Verdict, asked: Mapping[Place, Any]) -> None:
    if made.labels or not asked:
        return
    unanswered = made.detail.get("unanswered", {})
    if unanswered:
        made.failed = f"no comparison was answered; the first: {next(iter(unanswered.values()))}"
    else:
        made.failed = "no comparison has the same answer in both orders"
