"""What a judge is taught with: its questions about a trajectory, and the answers that a person's labels are.

The judge's own method is run, and a person's labels answer it: so the questions are, word for word, those that the
judge is asked, and what the method reads in the answers is seen to be what the person said. Deliberation is not taught:
of samples, roles, critiques and a thought before the answer, the question that they all ask is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from annotations.judges.settings import Settings
from annotations.records import Json
from annotations.schemes.judging import Arounds, Reading, path
from annotations.schemes.rules import Place, base_of
from models_service.judges import answering, prompting, reading, rendering, replies
from models_service.judges.answering import NOT_GIVEN, Told, Words
from models_service.judges.asked import Answer, Case, Judging, Message, Question, Said
from models_service.judges.methods import once, single, wrong_steps
from models_service.judges.reading import Known


class NotTaught(ValueError):
    """No answer can be made of these labels. `kind` says in general why, the message what it is here."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True)
class Heard:
    """An answer of a judge's to the question of a lesson. `checked` is what it wrote down before, where the form has a
    place for it."""

    told: Told
    checked: str = ""


@dataclass(frozen=True)
class Lesson:
    """One question and the right answer to it. `step`: it is about that step alone, in the form of one."""

    case: Case
    messages: tuple[Message, ...]
    schema: Json
    arounds: Arounds
    told: Told
    step: int | None = None

    @property
    def lists_wrong(self) -> bool:
        """Whether the answer is a list of the steps that are wrong."""
        return "wrong_steps" in self.schema["properties"]

    def written(self, told: Told, checked: str = "") -> str:
        """The answer with these labels and words, as JSON in which nothing passes for a token of the model's own."""
        if self.lists_wrong:
            return rendering.dumped(_listing(self.case, told, checked))
        case = self.case
        return rendering.dumped(answering.answer(case.scheme, self.arounds, case.record.steps, told, self.step))

    def verdicts(self, labels: Mapping[Place, Json]) -> dict[Place, Json]:
        """Of labels, those that the question is about and that are no texts of somebody's own."""
        kinds = {place: self.case.scheme.field(place[1]) for place in self.arounds if place in labels}
        return {place: labels[place] for place, spec in kinds.items() if spec and spec.kind != "text"}

    def heard(self, text: str) -> Heard | None:
        """What an answer of the judge's says; None where it cannot be read, or not as a whole."""
        case = self.case
        try:
            found = replies.parsed(text)
        except replies.NoJson:
            return None
        if self.lists_wrong:
            said, notes = wrong_steps.read(case, wrong_steps.steps_of(case), found)
        else:
            others = {place: one for place, one in self.told.labels.items() if place not in self.arounds}
            known = Known({place: case.arounds[place] for place in others}, Reading(dict(others)))
            answer = reading.of_step(found, self.arounds)
            said, notes = reading.read(case.scheme, self.arounds, case.record.steps, answer, known)
        if said.problems:
            return None
        words = Words(said.explanations, notes.evidence, notes.confidence)
        checked = found.get("checked") if self.lists_wrong else ""
        return Heard(Told(said.labels, words), checked if isinstance(checked, str) else "")

    def is_asked_in(self, messages: list[dict[str, str]]) -> bool:
        """Whether these messages, of a question of the judge's, begin with those of the lesson."""
        mine = [dict(one) for one in self.messages]
        *first, last = mine
        theirs = messages[: len(mine)]
        return (
            len(theirs) == len(mine)
            and theirs[:-1] == first
            and theirs[-1].get("role") == last["role"]
            and str(theirs[-1].get("content")).startswith(last["content"])
        )


def plain(settings: Settings) -> Settings:
    """The settings without deliberation."""
    changed = {"method": "single", "samples": 1, "personas": (), "thinks_first": False}
    return settings.model_copy(update=changed)


def lessons(judging: Judging, case: Case, told: Told) -> list[Lesson]:
    """The questions in the order of steps, with the answers that are these labels. NotTaught where the pass is not
    whole, or the form of the answer cannot hold it."""
    told = _whole(case, told)
    asking = _Asking(replace(judging, settings=plain(judging.settings)), case, told)
    found = asking.driven()
    wanted = told.labels
    if asking.judging.settings.answer == "wrong_steps":
        wanted = {place: one for place, one in wanted.items() if base_of(place[1]) == case.scheme.main}
    if differing := [place for place in {**wanted, **asking.read} if wanted.get(place) != asking.read.get(place)]:
        raise NotTaught("labels that this form of answer cannot hold", f"{path(differing[0])} would be read otherwise")
    return sorted(found, key=lambda one: math.inf if one.step is None else one.step)


def _whole(case: Case, told: Told) -> Told:
    """The pass as it is read. NotTaught where it lacks an answer, or has one where none is asked for."""
    if strange := next((place for place in told.labels if place not in case.arounds), None):
        raise NotTaught("answers where a judge is not asked", f"{path(strange)} is not asked of a judge")
    answer = answering.answer(case.scheme, case.arounds, case.record.steps, told)
    said, _ = reading.read(case.scheme, case.arounds, case.record.steps, answer)
    if said.problems:
        raise NotTaught("a pass that is not complete", f"{said.problems[0].place} {said.problems[0].reason}"[:300])
    if lost := next((place for place in told.labels if place not in said.labels), None):
        raise NotTaught("answers where a judge is not asked", f"{path(lost)} is not asked, with what else is said")
    return Told(said.labels, told.words)


class _Asking:
    """The method's questions, answered. `read` is what the method took the answers for."""

    def __init__(self, judging: Judging, case: Case, told: Told) -> None:
        self.judging, self.case, self.told = judging, case, told
        self.read: Mapping[Place, Json] = {}
        by_steps = judging.settings.reading == "prefix"
        self.groups = list(single.by_steps(case)) if by_steps else [(None, case.arounds)]

    def driven(self) -> list[Lesson]:
        going = once.asking(self.judging, self.case)
        found: list[Lesson] = []
        try:
            questions = next(going)
            while True:
                new = [self._lesson(question) for question in questions]
                found += new
                answers: list[Said] = [Answer(one.written(self.told)) for one in new]
                questions = going.send(answers)
        except StopIteration as over:
            if over.value.failed:
                raise NotTaught("labels that this form of answer cannot hold", over.value.failed[:300]) from None
            self.read = over.value.labels
        return found

    def _lesson(self, question: Question) -> Lesson:
        if question.purpose == "repair":
            raise NotTaught("labels that this form of answer cannot hold", "the answer would have to be put right")
        step, arounds = self._of(question)
        about = step if "labels" in question.schema["properties"] else None
        return Lesson(self.case, question.messages, question.schema, arounds, self.told, about)

    def _of(self, question: Question) -> tuple[int | None, Arounds]:
        """The places that a question is about."""
        if self.judging.settings.answer == "wrong_steps":
            main = self.case.scheme.main
            return None, {place: here for place, here in self.case.arounds.items() if base_of(place[1]) == main}
        asked, of_one = question.messages[-1]["content"], question.purpose == "step"
        groups = (group for group in self.groups if (group[0] is not None) == of_one)
        return next(group for group in groups if _asked(self.case, group[1]) in asked)


def _asked(case: Case, arounds: Arounds) -> str:
    """The question about these places, as it stands in a message."""
    told = rendering.dumped(prompting.asked(case, arounds))
    return f"{rendering.BEGIN_QUESTION}\n{told}\n{rendering.END_QUESTION}"


def _listing(case: Case, told: Told, checked: str) -> dict[str, Json]:
    """The steps that the labels call wrong."""
    words, main = told.words, case.scheme.main
    entries = [
        {
            "evidence": words.evidence.get(f"steps.{step}.{main}", ""),
            "why": words.whys.get(place) or NOT_GIVEN,
            "step": step,
        }
        for step, place in _wrong(case, told)
    ]
    return {"checked": checked or NOT_GIVEN, "wrong_steps": entries}


def _wrong(case: Case, told: Told) -> list[tuple[int, Place]]:
    """The steps that are called wrong, in order, each with the place of the label that says so."""
    scheme = case.scheme
    said = {place: value for place, value in told.labels.items() if place[1] == scheme.main}
    if scheme.main_field.kind == "first_error":
        return [(value, place) for place, value in said.items() if value != "none"]
    return sorted((place[0], place) for place, value in said.items() if place[0] is not None and value == scheme.wrong)
