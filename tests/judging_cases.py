"""Cases for judges, and whole answers to them in the form that judges are sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from annotations.judges.settings import Settings
from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from annotations.schemes import Scheme, judging
from annotations.schemes.fields import PreferenceField, RubricField, SpansField
from annotations.schemes.rules import Place, base_of, part_of
from models_service.judges import forms, quotes
from models_service.judges.asked import Answer, Asking, Case, Judging, Question, Said
from tests import judged, sampled

PROMPT = "Judge {{scheme}}.\n\n{{fields}}\n\n{{guideline}}"


def case(scheme: Scheme, steps: Sequence[StepRecord] | None = None, **more: Any) -> Case:
    """The scheme's sample as a case, or a trajectory of these steps."""
    ground = judged.Ground(steps) if steps is not None else judged.ground(scheme)
    task = TaskRecord(
        "task", instruction="What is asked for.", reference="The secret reference.", tools=[{"name": "t"}]
    )
    record = TrajectoryRecord(task, tuple(ground.steps), policy_model="the-policy", outcome={"reward": 1})
    compares = any(isinstance(spec, PreferenceField) and not spec.of_step for spec in scheme.fields)
    rollouts = {number: record for number in ground.rollouts or () if compares}
    return Case(record, scheme, ground.arounds(scheme), **{"guideline": "Be fair.", "rollouts": rollouts, **more})


def judge(prompt: str = PROMPT, **settings: Any) -> Judging:
    return Judging(prompt, Settings(**settings))


def spoken(case: Case, said: dict[Place, Any], why: str = "Because.") -> dict[str, Any]:
    """These answers in the form that is sent for the case, with null where nothing is said."""
    whole: dict[str, Any] = {}
    for place in case.arounds:
        step, name = place
        here = (
            whole.setdefault("trajectory", {})
            if step is None
            else whole.setdefault("steps", {}).setdefault(str(step), {})
        )
        entry = _entry(case, place, said, why)
        if part := part_of(name)[1:]:
            here.setdefault(base_of(name), {})[part] = entry
        else:
            here[name] = entry
    return whole


def _entry(case: Case, place: Place, said: dict[Place, Any], why: str) -> Any:
    if place not in said:
        return None
    spec = case.scheme.field(place[1])
    assert spec
    value = said[place]
    if isinstance(spec, SpansField):
        assert place[0] is not None
        unsaid = {"evidence": None} if spec.evidence else {}
        value = [quotes.said(span, place[0], case.record.steps) for span in value]
        value = [{**span, **unsaid, **span} for span in value]
    if isinstance(spec, RubricField) and not spec.asked(case.arounds[place]):
        value = [{"item": name, "answer": one} for name, one in value.items()]
    if not judging.is_explained(spec):
        return {"answer": value}
    sure = {"confidence": None} if forms.is_central(case.scheme, spec) else {}
    return {"evidence": "", "why": why, "answer": value, **sure}


def played(work: Asking[Any], answers: Callable[[Question], str | Said]) -> Any:
    """What the generator returns when each question is answered so."""
    try:
        questions = next(work)
        while True:
            said = [answers(one) for one in questions]
            questions = work.send([Answer(one) if isinstance(one, str) else one for one in said])
    except StopIteration as over:
        return over.value


def scripted(*answers: str | Said) -> tuple[Callable[[Question], str | Said], list[Question]]:
    """Answers in turn, and the list of the questions that were asked."""
    asked: list[Question] = []

    def answer(question: Question) -> str | Said:
        asked.append(question)
        return answers[len(asked) - 1]

    return answer, asked


def sample(scheme: Scheme) -> dict[Place, Any]:
    return sampled.answers_of(scheme)


def asked_steps(question: Question) -> dict[str, Any]:
    """What a question asks, as its data says."""
    inner = question.messages[1]["content"].split("<question>\n")[1].split("\n</question>")[0]
    found = json.loads(inner)
    assert isinstance(found, dict)
    return found


def by_step(case: Case, said: dict[Any, Any], log: list[Question] | None = None) -> Callable[[Question], str | Said]:
    """A model that says these labels, of whatever it is asked."""

    def answer(question: Question) -> str:
        if log is not None:
            log.append(question)
        wanted = asked_steps(question)
        whole = spoken(case, said)
        if "labels" in question.schema["properties"]:
            (step,) = wanted["label_steps"]
            return json.dumps({"labels": whole["steps"][str(step)]})
        steps = {str(step): whole["steps"][str(step)] for step in wanted["label_steps"]}
        told = {"steps": steps} if steps else {}
        return json.dumps(told | ({"trajectory": whole["trajectory"]} if wanted.get("label_trajectory") else {}))

    return answer
