"""What a judge would be asked about a trajectory, for people to look at: the questions that its method puts, and nobody
who is sent them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotations.judges.servers import Options
from annotations.judges.settings import SAMPLED, Settings
from annotations.models import Judge
from annotations.services.judge_preview import Preview, Sent
from annotations.services.judges import rounds_of
from models_service import judging
from models_service.judges import methods, rendering
from models_service.judges.asked import Case, Judging, Question, Unanswered
from models_service.judges.forms_asked import Forms

MOST = 20_000_000  # characters of all questions about a trajectory that are put together to be looked at
SILENCE = Unanswered("it was only looked at")


def preview(judge: Judge, task: int, trajectory: int) -> Preview:
    """All questions that do not hang on an answer; of too many, those that are asked first."""
    case = next((case for _, case in judging.cases(judge, [(task, trajectory)])), None)
    if case is None or all(step.source != "agent" for step in case.record.steps):
        return Preview(nothing="Nothing is asked about it: it has no step of the agent.")
    settings = Settings.model_validate(judge.settings)
    is_whole = _characters(case, settings) <= MOST
    rounds = _rounds(Judging(judge.prompt, _first_pass(settings, is_whole)), case)
    asked = [question for each in (rounds if is_whole else [next(rounds, [])]) for question in each]
    if not asked:
        return Preview(nothing="Nothing is asked about it: the scheme asks nothing that this judge can answer.")
    sheet = rendering.Sheet(settings.observation_limit)
    rendering.data(case.record, sheet, reference=settings.sight == "reference")
    return Preview(
        questions=_told(judge, asked),
        later=settings.thinks_first or settings.method in ("critique", "branch", "debate", "adaptive"),
        is_whole=is_whole,
        cut=(len(sheet.cut), sum(int(one["characters"]) for one in sheet.cut)),
    )


def _first_pass(settings: Settings, is_whole: bool) -> Settings:
    """The settings with what comes before any answer only. A debate begins as a panel does; samples are alike."""
    changed: dict[str, Any] = {"method": "panel", "rounds": 1} if settings.method == "debate" else {}
    if settings.method in SAMPLED and not is_whole:
        changed["samples"] = 2
    return settings.model_copy(update=changed)


def _characters(case: Case, settings: Settings) -> int:
    """Of all questions of the first pass, about."""
    once = sum(map(len, rendering.messages(case.record.steps, rendering.Sheet(settings.observation_limit))))
    times = (len(case.steps) + 1) / 2 if settings.reading == "prefix" else 1.0
    return round(once * times * rounds_of(settings))


def _rounds(judge: Judging, case: Case) -> Iterator[list[Question]]:
    """What is asked, round by round, where nothing is ever answered."""
    going = methods.asking(judge, case)
    try:
        asked = next(going)
        while True:
            yield asked
            asked = going.send([SILENCE] * len(asked))
    except StopIteration:
        return


def _told(judge: Judge, asked: list[Question]) -> list[Sent]:
    """The questions as they would be sent; those that differ in their seed alone are one."""
    forms = Forms(Options.model_validate(judge.server.options if judge.server_id else {}))
    alike: dict[tuple[Any, ...], Sent] = {}
    for one in asked:
        seed = None if one.seed is None else one.seed + one.number
        messages = tuple((each["role"], each["content"]) for each in one.messages)
        key = (messages, one.purpose, json.dumps(one.schema, sort_keys=True))
        if key in alike:
            seeds = [*alike[key].seeds, seed]
            alike[key] = Sent(**{**vars(alike[key]), "seeds": seeds})
            continue
        body = forms.body(one, judge.model, forms.of(one)[0])
        del body["messages"]
        alike[key] = Sent(one.purpose, messages, one.schema, body, _steps(messages), [seed])
    return list(alike.values())


def _steps(messages: tuple[tuple[str, str], ...]) -> list[int]:
    """The steps that a question names, as it says itself after the data."""
    for _, text in reversed(messages):
        _, begin, rest = text.rpartition(rendering.BEGIN_QUESTION)
        if begin:
            said: Mapping[str, Any] = json.loads(rest.partition(rendering.END_QUESTION)[0])
            return [*said.get("label_steps", said.get("check_steps", []))]
    return []
