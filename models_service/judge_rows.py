"""Rows that teach a judge of a project: its questions about a trajectory, and people's passes as the answers.

A judge's own reasons stand in an answer only where an answer of the judge to that very question has every verdict as
the person has it. Else the person's own stand there, or none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from annotations.judges.settings import Settings
from annotations.models import Annotation, Judge, JudgeCall, Label, Project, Trajectory
from annotations.records import Json, Labelled, PassRecord
from annotations.schemes.judging import is_explained
from annotations.schemes.rules import Place
from annotations.services import scores
from annotations.services.export_asked import Asked
from models_service import judging
from models_service.judges import teaching
from models_service.judges.answering import Told, Words
from models_service.judges.asked import Case, Judging
from models_service.judges.teaching import Heard, Lesson, NotTaught

NAMED = 20  # passes that are named with what speaks against them
OTHERWISE = {
    "method": "The judge's deliberation ({method}) is left out: the question that it begins with is asked once.",
    "thinks_first": "The judge thinks in a question of its own first; these rows ask for the answer at once.",
    "sight": "The judge is asked {sight}; these rows are {asked}.",
}


@dataclass(frozen=True)
class _Trajectory:
    """A trajectory as the judge is asked about it, and what the judge says of it, if anything."""

    id: int
    case: Case
    said: Mapping[Place, Json] | None


class Teacher:
    """annotations.services.export_judge.Teacher."""

    def __init__(self, project: Project, judge: Judge, asked: Asked) -> None:
        self.project, self.judge, self.asked = project, judge, asked
        self.sight = judge.settings["sight"] if asked.options["sight"] == "judge" else asked.options["sight"]
        self.is_as_asked = self.sight == judge.settings["sight"]
        self.usual = Settings.model_validate(judge.settings)
        judge.settings = {**judge.settings, "sight": self.sight}
        self.judging = Judging(judge.prompt, Settings.model_validate(judge.settings))
        self.left_out: Counter[str] = Counter()
        self.refused: list[dict[str, str]] = []
        self.counts: Counter[str] = Counter()
        shown = [one.trajectory for one in self.usual.examples if one.trajectory is not None]
        known = Trajectory.objects.filter(pk__in=shown).values_list("task__external_id", flat=True)
        self.shown = frozenset(known)
        self._task, self._found = "", dict[int, _Trajectory]()

    def otherwise(self) -> list[str]:
        usual = self.usual
        told = [OTHERWISE["method"].format(method=usual.method)] if usual.method != "single" else []
        told += [OTHERWISE["thinks_first"]] if usual.thinks_first else []
        words = {"blind": "without the reference", "reference": "with the reference"}
        sight = {"sight": words[usual.sight], "asked": words[self.sight]}
        return told + ([] if self.is_as_asked else [OTHERWISE["sight"].format(**sight)])

    def __call__(self, labelled: Labelled) -> Iterator[dict[str, Json]]:
        record = labelled.record
        about = self._about(record.task.external_id, record.rollout or 0)
        for one in record.passes:
            try:
                yield from self._of(labelled, one, about)
            except NotTaught as no:
                self._leave_out(labelled, one, no.kind, str(no))

    def _leave_out(self, labelled: Labelled, one: PassRecord, why: str, reason: str) -> None:
        self.left_out[why] += 1
        if len(self.refused) < NAMED:
            self.refused.append(
                {"trajectory": _name(labelled), "field": f"the pass of {one.kind}:{one.rater}", "reason": reason}
            )

    def _of(self, labelled: Labelled, one: PassRecord, about: _Trajectory | None) -> Iterator[dict[str, Json]]:
        if about is None:
            raise NotTaught("a trajectory that has changed", "it is not there any more")
        if labelled.record.task.external_id in self.shown:
            raise NotTaught("tasks that the judge is shown as examples", "its answers stand in the prompt")
        if one.scheme != self.project.scheme.sha256:
            raise NotTaught("passes under another version of the scheme", "the judge is asked under the one of now")
        corrected = self.asked.options["which"] == "corrected" or self.asked.options["form"] == "pairs"
        if corrected and about.said is None:
            raise NotTaught("trajectories that the judge has not labelled", "there is nothing to correct")
        lessons = teaching.lessons(self.judging, about.case, _told(one, self.asked.propagated == "kept"))
        answers = self._answers(about.id) if self.is_as_asked else []
        for lesson in lessons:
            yield from self._row(labelled, one, about, lesson, answers)

    def _row(
        self,
        labelled: Labelled,
        one: PassRecord,
        about: _Trajectory,
        lesson: Lesson,
        answers: list[tuple[list[dict[str, str]], str]],
    ) -> Iterator[dict[str, Json]]:
        heard = [said for asked, text in answers if lesson.is_asked_in(asked) and (said := lesson.heard(text))]
        mine = lesson.verdicts(lesson.told.labels)
        same = next((said for said in heard if lesson.verdicts(said.told.labels) == mine), None)
        other = next((said for said in heard if lesson.verdicts(said.told.labels) != mine), None)
        differences = _differences(lesson, about.said)
        reasons = "judge" if same else _reasons(lesson)
        if self.asked.options["which"] == "corrected" and not differences:
            self.counts["not written: the judge says the same"] += 1
        elif self.asked.options["reasons"] == "dropped" and reasons not in ("judge", "person"):
            self.counts["not written: a verdict without a reason"] += 1
        elif self.asked.options["form"] == "pairs" and other is None:
            self.counts["not written: no wrong answer of the judge"] += 1
        else:
            self.counts["rows"] += 1
            self.counts[f"reasons: {reasons}"] += 1
            self.counts["corrected"] += bool(differences)
            beside = {
                "reasons": reasons,
                "differences": differences,
                "judge": str(self.judge),
                "by": f"{one.kind}:{one.rater}",
                "task": labelled.record.task.external_id,
                "trajectory": _name(labelled),
                "step": lesson.step,
            }
            yield {**self._said(lesson, same, other), **beside}

    def _said(self, lesson: Lesson, same: Heard | None, other: Heard | None) -> dict[str, Json]:
        """The turns of a row."""
        words = Words() if same is None else same.told.words
        right = lesson.written(
            Told(lesson.told.labels, words if same else lesson.told.words), same.checked if same else ""
        )
        asked, chosen = [dict(one) for one in lesson.messages], {"role": "assistant", "content": right}
        if self.asked.options["form"] == "chat" or other is None:
            return {"messages": [*asked, chosen]}
        wrong = {"role": "assistant", "content": lesson.written(other.told, other.checked)}
        return {"prompt": asked, "chosen": [chosen], "rejected": [wrong]}

    def _about(self, task: str, rollout: int) -> _Trajectory | None:
        """The trajectory as the judge is asked about it. Those of a task are read together."""
        if task != self._task or not self._found:
            self._task, self._found = task, self._read(task)
        return self._found.get(rollout)

    def _read(self, task: str) -> dict[int, _Trajectory]:
        live = Trajectory.objects.live().filter(project=self.project, task__external_id=task).order_by("rollout")
        ids = list(live.values_list("task_id", "pk"))
        cases = list(judging.cases(self.judge, ids))
        said = self._of_judge([rollout for rollout, _ in cases])
        return {one.record.rollout or 0: _Trajectory(one.id, case, said.get(one.id)) for one, case in cases}

    def _of_judge(self, rollouts: list[scores.Rollout]) -> dict[int, dict[Place, Json]]:
        """What the judge says of these trajectories now, where it says something under the scheme of now."""
        passes = Annotation.objects.live().filter(
            rater=self.judge.rater_id,
            trajectory__in=[one.id for one in rollouts],
            scheme=self.project.scheme_id,
            state=Annotation.State.SUBMITTED,
        )
        found: dict[int, dict[Place, Json]] = {pk: {} for pk in passes.values_list("trajectory", flat=True)}
        places = {step: place for one in rollouts for place, step in enumerate(one.steps)}
        rows = Label.objects.current().filter(annotation__in=passes)
        for trajectory, step, name, value in rows.values_list("annotation__trajectory", "step", "field", "value"):
            found[trajectory][None if step is None else places[step], name] = value
        return found

    def _answers(self, trajectory: int) -> list[tuple[list[dict[str, str]], str]]:
        """The questions that the judge was asked about the trajectory, with the answers, in order."""
        calls = JudgeCall.objects.filter(
            verdicts__judge=self.judge, verdicts__annotation__trajectory=trajectory, state=JudgeCall.State.ANSWERED
        )
        rows = calls.order_by("pk").distinct().values_list("question", "answer", "pk")
        return [(question["messages"], answer) for question, answer, _ in rows]


def _told(one: PassRecord, propagated: bool) -> Told:
    """The pass as what a person says; labels that a rule carried on are theirs only where they are kept."""
    kept = [each for each in one.answers if propagated or each.origin != "propagated"]
    whys = {(each.place, each.field): each.explanation.strip() for each in kept if each.explanation.strip()}
    return Told({(each.place, each.field): each.value for each in kept}, Words(whys))


def _differences(lesson: Lesson, said: Mapping[Place, Json] | None) -> int | None:
    """In how many verdicts the judge and the person differ; None where the judge says nothing here."""
    theirs = lesson.verdicts(said) if said is not None else {}
    if not theirs:
        return None
    mine = lesson.verdicts(lesson.told.labels)
    return sum(1 for place in {**mine, **theirs} if mine.get(place) != theirs.get(place))


def _reasons(lesson: Lesson) -> str:
    """Whose reasons the answer has: the person's for all verdicts, for some, or nobody's."""
    case, whys = lesson.case, lesson.told.words.whys
    explained = [place for place in lesson.verdicts(lesson.told.labels) if _is_explained(case, place)]
    given = [place for place in explained if whys.get(place)]
    if lesson.lists_wrong or not given:
        return "some" if given else "none"
    return "person" if len(given) == len(explained) else "some"


def _is_explained(case: Case, place: Place) -> bool:
    spec = case.scheme.field(place[1])
    return spec is not None and is_explained(spec)


def _name(labelled: Labelled) -> str:
    record = labelled.record
    return record.external_id or f"{record.task.external_id}/{record.rollout or 0}"
