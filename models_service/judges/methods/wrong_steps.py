"""The numbers of the steps that are wrong, and nothing else: one answer labels all steps. From "CAPO: Towards Enhancing
LLM Reasoning through Generative Credit Assignment" as we read its abstract and page.

Steps that are listed get the scheme's wrong answer, all others its right one; other fields are not asked and stay
empty. Where the scheme ends at the first error, what comes after it has no label; where it asks for the first error
itself, that is what is labelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from annotations.judges import ways
from annotations.records import Json
from annotations.schemes.fields.base import is_text, is_whole
from annotations.schemes.judging import Problem, Reading
from annotations.schemes.rules import Place, base_of
from models_service.judges import closing, contracts, forms, prompting, replies
from models_service.judges.asked import Asking, Case, Judging, Verdict
from models_service.judges.methods import single
from models_service.judges.prompting import Extra
from models_service.judges.reading import Notes
from models_service.judges.replies import Ask

CONTRACT = r"""## The form of your answer

One JSON object and nothing else:

{sketch}

"checked": your check of the steps, in order and in short. "wrong_steps": one entry for each step that is wrong, by its
index; \ [] where none is. "evidence": the words that are wrong, copied exactly. "why": what is wrong with them."""


def asking(judging: Judging, case: Case, *, number: int = 0, extra: Extra | None = None) -> Asking[Verdict]:
    """A verdict from the wrong steps. `detail` has them as "wrong_steps", for those who vote on them."""
    reason = ways.of_wrong_steps(case.scheme)
    steps = steps_of(case)
    if reason or not steps:
        return Verdict(failed=reason or "there are no steps to judge")
    form = _form(steps)
    arounds = {place: here for place, here in case.arounds.items() if base_of(place[1]) == case.scheme.main}
    contract = CONTRACT.format(sketch=contracts.sketch(form))
    extra = replace(extra or Extra(), contract=contract, question={"check_steps": steps})
    asked = prompting.prompted(judging, case, arounds, extra=extra)
    messages = asked.messages
    if judging.settings.thinks_first:
        thought = yield from single.thinking(judging, messages, number)
        if not isinstance(thought, tuple):
            return single.verdict(thought, asked)
        messages = thought
    ask = Ask(case, arounds, messages, form, "wrong_steps", number)
    told = yield from replies.heard(judging, ask, lambda found: read(case, steps, found))
    made = single.verdict(told, asked)
    if not made.failed:
        made.detail["wrong_steps"] = _listed(told.reading, case)
    return made


def steps_of(case: Case) -> list[int]:
    """The steps that may be listed."""
    main = case.scheme.main_field
    if main.kind == "first_error":
        return sorted({step for here in case.arounds.values() for step in here.steps or ()})
    return sorted(step for step, name in case.arounds if name == main.name and step is not None)


def _form(steps: list[int]) -> dict[str, Json]:
    step = forms.one_of(steps) if len(steps) <= forms.MOST else {"type": "integer"}
    entry = forms.closed({"evidence": forms.TEXT, "why": forms.TEXT, "step": step})
    return forms.closed({"checked": forms.TEXT, "wrong_steps": {"type": "array", "items": entry}})


def read(case: Case, steps: list[int], found: Json) -> tuple[Reading, Notes]:
    """The answer as labels of these steps."""
    reading, notes = Reading(), Notes()
    listed = found.get("wrong_steps") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        accepted = 'accepted is {"checked": text, "wrong_steps": [{"evidence", "why", "step"}]}'
        reading.problems.append(Problem("wrong_steps", accepted))
        return reading, notes
    wrong: dict[int, str] = {}
    for number, one in enumerate(listed):
        if problem := _problem(one, steps):
            reading.problems.append(Problem(f"wrong_steps[{number}]", problem))
            continue
        wrong.setdefault(one["step"], one["why"].strip())
        if is_text(one.get("evidence")):
            notes.evidence.setdefault(f"steps.{one['step']}.{case.scheme.main}", one["evidence"].strip())
    notes.check(case.record.steps)
    if not reading.problems:
        _label(case, steps, wrong, reading)
    return reading, notes


def _problem(one: Json, steps: list[int]) -> str:
    """Why it names no wrong step. A number that is no step makes it unknown which one is meant."""
    if not isinstance(one, dict) or not is_text(one.get("why")):
        return "accepted is an object of evidence, why (a text that is not empty) and step"
    step = one.get("step")
    accepted = ", ".join(map(str, steps))
    return "" if is_whole(step) and step in steps else f"there is no step {step!r}; accepted are {accepted}"


def _label(case: Case, steps: list[int], wrong: Mapping[int, str], reading: Reading) -> None:
    scheme = case.scheme
    if scheme.main_field.kind == "first_error":
        first = min(wrong, default=None)
        reading.labels[None, scheme.main] = "none" if first is None else first
        reading.explanations |= {} if first is None else {(None, scheme.main): wrong[first]}
        return
    right = ways.right(scheme)
    labels: dict[Place, Json] = {(step, scheme.main): scheme.wrong if step in wrong else right for step in steps}
    over = closing.closed(scheme, case.record.steps, steps, labels, labels)
    reading.labels |= {place: one for place, one in labels.items() if place not in over}
    whys: dict[Place, str] = {(step, scheme.main): why for step, why in wrong.items()}
    reading.explanations |= {place: why for place, why in whys.items() if place in reading.labels}


def _listed(reading: Reading, case: Case) -> list[int]:
    if case.scheme.main_field.kind == "first_error":
        return [one for one in reading.labels.values() if one != "none"]
    return sorted(step for (step, _), one in reading.labels.items() if one == case.scheme.wrong and step is not None)
