"""PRM800K: at each step of a solution one completion or several, each rated, and the one that the work went on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LineFormat, Refused, found, text
from annotations.formats.prm800k_steps import Group, Slot, foreign, gone_on, group, slots
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

FINISHED = ("solution", "found_error", "give_up", "bad_problem")
KEYS = (
    "labeler",
    "timestamp",
    "generation",
    "is_quality_control_question",
    "is_initial_screening_question",
    "question",
    "label",
)


class PRM800K(LineFormat, Writer):
    """Phases 1 and 2. Completions at one step are siblings, tried after the one that was chosen before; a step that a
    person wrote is one of them, and has a label only where it has a rating. Which one was chosen, and all that is no
    text and no rating, is remembered as a row without these two, and they are filled in again on the way out."""

    name = "prm800k"
    title = "PRM800K"
    purpose = "reward"
    keeps = "Every completion with its rating, who was chosen, human steps, flags, why the work ended, and all else."
    loses = (
        "Written from other formats: what comes after the first wrong step of the way that was gone on, or after the "
        "first step without a label there; and explanations. Of a tree: what is not on that way nor beside it."
    )

    def recognises(self, row: Json) -> bool:
        if not isinstance(row, dict) or not isinstance(row.get("question"), dict):
            return False
        label = row.get("label")
        return isinstance(label, dict) and isinstance(label.get("steps"), list) and "problem" in row["question"]

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        question, label = _object(row, "question"), _object(row, "label")
        said = label.get("steps")
        if not isinstance(said, list):
            raise Refused("label.steps", f"found {found(said)}; accepted is a list of steps")
        groups = [group(one, place) for place, one in enumerate(said)]
        steps = _steps(text(question, "problem"), groups)
        if len(steps) == 1:
            raise Refused("label.steps", "found no completion in any step; accepted is one at least")
        template = {"question": question, "label": label | {"steps": [one.rest for one in groups]}}
        return TrajectoryRecord(
            task=TaskRecord(
                naming.prompt_id(steps[:1]),
                source=self.name,
                instruction=steps[0].message,
                reference=question.get("ground_truth_answer"),
            ),
            steps=steps,
            outcome=_outcome(question, label),
            extra=solutions.kept(self.name, row | template, (), KEYS),
            rating=_rating(groups, label, text(row, "timestamp")),
        )

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts:
            remembered = solutions.memory(labelled.record, self.name)
            row = _refilled(labelled, remembered.get("fields")) if remembered else None
            if row := row or _made(labelled):
                yield solutions.ordered(row, remembered, KEYS, ("label",))


def _steps(problem: str, groups: Sequence[Group]) -> tuple[StepRecord, ...]:
    """The completions of all steps, each after the one that was chosen before."""
    branched = any(len(one.slots) > 1 for one in groups)
    made = [StepRecord("user", 0, problem)]
    parent = 0
    for one in groups:
        first = len(made)
        for place, slot in enumerate(one.slots, start=first):
            extra = {"fields": slot.fields} if slot.fields else {}
            made.append(StepRecord("agent", place, slot.text, extra=extra, parent=parent if branched else None))
        parent = parent if one.chosen is None else first + one.chosen
    return tuple(made)


def _rating(groups: Sequence[Group], label: dict[str, Any], timestamp: str) -> RatingRecord:
    finish = label.get("finish_reason")
    every = [slot for one in groups for slot in one.slots]
    steps = {place: slot.rating for place, slot in enumerate(every, start=1) if slot.rating is not None}
    final = finish if finish in FINISHED else None
    return RatingRecord(steps, final, updated_at=timestamp, scheme="prm800k")


def _outcome(question: dict[str, Any], label: dict[str, Any]) -> Json:
    said = {
        "answer": question.get("pre_generated_answer"),
        "verifier_score": question.get("pre_generated_verifier_score"),
        "finish_reason": label.get("finish_reason"),
    }
    return {key: value for key, value in said.items() if value is not None} or None


def _refilled(labelled: Labelled, template: Json) -> dict[str, Json] | None:
    """The row the record was made of, with the labels of now; None where the steps are others than then."""
    steps = [labelled.record.steps[place] for place in labelled.steps]
    if not isinstance(template, dict) or len(slots(template)) != len(steps):
        return None
    filled = iter(
        Slot(step.message, labelled.grades.get(place)) for place, step in zip(labelled.steps, steps, strict=True)
    )
    label = template["label"]
    said = [_filled(one, filled) for one in label["steps"]]
    new = {"steps": said} | _ended(labelled, label)
    row = template | {"label": label | new}
    return row | {"labeler": labelled.by} if labelled.by else row


def _filled(one: dict[str, Any], filled: Iterator[Slot]) -> dict[str, Json]:
    completions, human = one.get("completions"), one.get("human_completion")
    if completions:
        completions = [next(filled).over(each) for each in completions]
    if human is not None:
        human = next(filled).text if isinstance(human, str) else next(filled).over(human)
    new = {"completions": completions, "human_completion": human}
    return {key: new.get(key, value) for key, value in one.items()}


def _made(labelled: Labelled) -> dict[str, Json] | None:
    """A row for a trajectory of another format."""
    record = labelled.record
    way = next(solutions.written(record), None)
    said = foreign(labelled)
    if not said or way is None:
        return None
    reference = record.task.reference if isinstance(record.task.reference, str) else None
    return {
        "labeler": labelled.by,
        "timestamp": record.rating.updated_at if record.rating else "",
        "generation": None,
        "is_quality_control_question": False,
        "is_initial_screening_question": False,
        "question": {"problem": way.prompt, "ground_truth_solution": None, "ground_truth_answer": reference},
        "label": {"steps": said, "total_time": None, "finish_reason": _finish(labelled)},
    }


def _ended(labelled: Labelled, label: dict[str, Any]) -> dict[str, Json]:
    """Why the work ended. A reason that is none of those known is no label, and stays as it was."""
    was, finish = label.get("finish_reason"), _finish(labelled)
    said = was if finish is None and was not in FINISHED else finish
    return {"finish_reason": said} if "finish_reason" in label or said is not None else {}


def _finish(labelled: Labelled) -> Json:
    """Why the work ended, as it was said; else as the labels have it."""
    rating = labelled.record.rating
    if rating and rating.final in FINISHED:
        return rating.final
    if rating and rating.scheme == "prm800k" and rating.final is None:
        return None
    way = gone_on(labelled)
    labels = way.labels(labelled) if way else []
    if any(label is not None and label < 0 for label in labels):
        return "found_error"
    return "solution" if all(label is not None for label in labels) else None


def _object(row: dict[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    if not isinstance(value, dict):
        raise Refused(key, f"found {found(value) if key in row else 'nothing'}; accepted is an object")
    return value
