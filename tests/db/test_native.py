"""Stepmark's own format: everything leaves, and comes back as it was."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations import schemes
from annotations.models import Annotation, Guideline, Label, Project, Trajectory, User
from annotations.schemes import Scheme
from annotations.schemes.fields import RubricField
from annotations.services import exports, labels, progressive, rubrics
from tests import judged, make, sampled
from tests.db.importing import APB, file, rollout, take

pytestmark = pytest.mark.django_db
SHIPPED = schemes.shipped()


def leave(project: Project, folder: Path) -> Path:
    exports.export(project, "stepmark", folder)
    return folder / f"{project.slug}.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def again(project: Project) -> Project:
    """An empty project under the same scheme and guidelines."""
    made = make.project(scheme=project.scheme)
    Guideline.objects.filter(project=made).delete()
    for one in project.guidelines.all():
        Guideline.objects.create(project=made, version=one.version, text=one.text)
    return made


def stays_the_same(project: Project, folder: Path) -> Path:
    """Leaves, comes into an empty project, and leaves it as the same bytes. Returns what left."""
    first = leave(project, folder / "first")
    other = again(project)
    assert take(other, first)["rejected"] == []
    assert leave(other, folder / "second").read_text() == first.read_text()
    return first


def sample(name: str, folder: Path, *people: User) -> Project:
    """A project with the sample of that scheme, labelled by each."""
    project = sampled.project_of(SHIPPED[name], folder, *people)
    for one in people:
        sampled.labelled(project, one, sampled.answers_of(SHIPPED[name]))
        project.overlap += 1
        Annotation.objects.filter(rater__project=project).update(seat=None)
    return project


def said(project: Project, rater: str) -> dict[tuple[int | None, str], Any]:
    kind, _, name = rater.partition(":")
    rows = Label.objects.current().filter(
        annotation__rater__project=project,
        annotation__rater__kind=kind,
        annotation__rater__name=name,
        annotation__retired_at=None,
    )
    return {(step, field): value for step, field, value in rows.values_list("step__index", "field", "value")}


def test_what_came_from_elsewhere_leaves_and_comes_back_as_the_same_bytes(tmp_path):
    project = make.project()
    take(project, APB)
    rows = lines(stays_the_same(project, tmp_path))
    assert [row["annotations"][0]["rater"] for row in rows] == [{"kind": "import", "name": "gold"}] * 2
    assert any(call["arguments"] for row in rows for step in row["steps"] for call in step["tool_calls"])


def test_a_rollout_that_tells_its_task_otherwise_keeps_its_telling(tmp_path):
    project = make.project()
    take(project, file(tmp_path, rollout(0), rollout(1, question="Asked otherwise?")))
    stays_the_same(project, tmp_path)
    before = project.trajectories.values_list("content_hash", flat=True)
    assert take(project, leave(project, tmp_path / "third"))["unchanged"] == 2
    assert list(before) == list(project.trajectories.values_list("content_hash", flat=True))


def test_how_each_label_came_to_be_comes_back(tmp_path):
    """Guidelines, times, comments, reasons, what was accepted, what a rule brought, what was said before the end."""
    ann = make.user("ann")
    project = sampled.project_of(SHIPPED["agent-process"], tmp_path, ann)
    trajectory, guideline = project.trajectories.get(), project.guidelines.get()
    mine = make.lease(
        trajectory, ann, mode="progressive", frontier=1, guideline=guideline, propagation="fill", drawn="random"
    )
    for step, value in ((1, 1), (2, -1), (3, -1)):
        change(mine, ann, step=step, field="label", value=value, explanation=f"Seen {step}.")
    progressive.reveal(mine.pk, ann)
    change(mine, ann, step=1, field="label", value=-1)
    change(mine, ann, step=3, field="label", value=None)
    change(mine, ann, step=None, field="final", value=-1)
    labels.submit(mine.pk, ann, change=uuid.uuid4(), revision=_revision(mine))
    Label.objects.filter(annotation=mine, step__index=1).update(suggestion={"source": "judge:j", "value": 1}, time_ms=7)
    judge = make.rater(project, "j")
    make.rating(judge, trajectory, [None, None, None], state=Annotation.State.FAILED, comment="No answer.")

    first = lines(stays_the_same(project, tmp_path))[0]
    person, broken = first["annotations"]
    assert (person["mode"], person["propagation"], person["guideline"]) == ("progressive", "fill", 1)
    assert (person["drawn"], "drawn" in broken) == ("random", False)
    assert (broken["state"], broken["comment"], broken["labels"]) == ("failed", "No answer.", [])
    by_place = {(one.get("source_index"), one["field"]): one for one in person["labels"]}
    changed, carried = by_place[1, "label"], by_place[5, "label"]
    assert (changed["value"], changed["first_value"], changed["explanation"]) == (-1, 1, "Seen 1.")
    assert (changed["suggestion"]["source"], changed["time_ms"]) == ("judge:j", 7)
    assert (carried["origin"], carried["cause"]) == ("propagated", by_place[3, "label"]["step"])


def change(mine: Annotation, person: User, **item: Any) -> None:
    labels.change(mine.pk, person, [item], change=uuid.uuid4(), revision=_revision(mine))  # type: ignore[list-item]


def _revision(mine: Annotation) -> int:
    mine.refresh_from_db()
    return mine.revision


def test_two_annotators_stay_two_raters_who_can_be_compared(tmp_path):
    ann, ben = make.user("ann"), make.user("ben")
    project = sample("agent-process", tmp_path, ann, ben)
    other = again(project)
    take(other, stays_the_same(project, tmp_path))
    raters = other.raters.order_by("name").values_list("kind", "name", "user")
    assert list(raters) == [("human", "ann", None), ("human", "ben", None)]
    assert said(other, "human:ann") == said(project, "human:ann")


def test_coming_in_again_changes_nothing_here_and_there(tmp_path):
    ann = make.user("ann")
    project = sample("tool-edit", tmp_path, ann)
    left = leave(project, tmp_path / "left")
    other = again(project)
    take(other, left)
    for one in (project, other):
        before = list(Label.objects.filter(annotation__rater__project=one).order_by("pk").values())
        result = take(one, left)
        assert (result["created"], result["updated"], result["unchanged"], result["labels"]) == (0, 0, 1, 0)
        assert list(Label.objects.filter(annotation__rater__project=one).order_by("pk").values()) == before
        assert one.raters.count() == 1


def test_nobody_who_logs_in_is_spoken_for_by_a_file(tmp_path):
    ann = make.user("ann")
    project = sample("agent-process", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0]
    row["annotations"][0]["labels"][0]["value"] = 0
    told = file(tmp_path, row)
    mine = said(project, "human:ann")
    assert take(project, told)["rejected"] == []
    assert said(project, "human:ann") == mine
    assert said(project, "import:ann")[1, "label"] == 0
    assert take(project, told)["labels"] == 0


def test_a_changed_answer_of_a_file_supersedes_and_takes_along_what_it_had_caused(tmp_path):
    project = sampled.project_of(SHIPPED["agent-process"], tmp_path)
    trajectory = project.trajectories.get()
    judge = make.rater(project, "j")
    made = make.rating(judge, trajectory, [-1, None, None], final=0)
    cause = made.labels.get(step__index=1)
    step = trajectory.steps.get(index=2)
    Label.objects.create(annotation=made, step=step, field="label", value=-1, origin="propagated", cause=cause)
    row = lines(leave(project, tmp_path / "left"))[0]
    row["annotations"][0]["labels"][0]["explanation"] = "Now with a reason."
    result = take(project, file(tmp_path, row))
    assert (result["updated"], result["labels"]) == (1, 2)
    now = made.labels.current().get(step=step)
    assert now.cause == made.labels.current().get(step__index=1) != cause
    assert made.labels.filter(superseded_at__isnull=False).count() == 2


def test_answers_that_name_steps_are_right_after_steps_were_put_in_before_them(tmp_path):
    ann = make.user("ann")
    project = sample("intervention", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0]
    new = row["steps"][0] | {"id": "new-0", "index": 90, "source_index": 90, "source": "system", "message": "Be brief."}
    other = again(project)
    take(other, file(tmp_path, row | {"steps": [new, *row["steps"]]}))
    before, now = said(project, "human:ann"), said(other, "human:ann")
    assert now[None, "intervention"] == before[None, "intervention"] | {
        "step": before[None, "intervention"]["step"] + 1
    }
    assert {(step and step - 1, name) for step, name in now} == set(before)


def test_a_pass_that_goes_along_to_a_new_version_names_its_steps_where_they_stand_now(tmp_path):
    ann = make.user("ann")
    for name, place in (("earliest-harm", (None, "first_harm")), ("intervention", (None, "intervention"))):
        project = sampled.project_of(SHIPPED[name], tmp_path, ann)
        sampled.labelled(project, ann, sampled.answers_of(SHIPPED[name]))
        before = said(project, "human:ann")[place]
        row = lines(leave(project, tmp_path / name))[0] | {"annotations": []}
        new = row["steps"][0] | {
            "id": "new-0",
            "index": 90,
            "source_index": 90,
            "source": "system",
            "message": "Be brief.",
        }
        assert take(project, file(tmp_path, row | {"steps": [new, *row["steps"]]}))["updated"] == 1
        now = said(project, "human:ann")[place]
        assert now == (before + 1 if name == "earliest-harm" else before | {"step": before["step"] + 1})


def test_a_label_does_not_go_along_where_a_step_it_names_is_gone(tmp_path):
    ann = make.user("ann")
    project = sample("earliest-harm", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0] | {"annotations": []}
    row["steps"][3]["message"] = "Something else."
    take(project, file(tmp_path, row))
    assert (None, "first_harm") not in said(project, "human:ann")
    assert Annotation.objects.live().get(rater__name="ann").state == Annotation.State.RETURNED


def test_a_pair_of_steps_goes_with_its_steps(tmp_path):
    ann = make.user("ann")
    project = sample("step-dpo", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0]
    new = row["steps"][0] | {"id": "new-0", "index": 90, "source_index": 90, "source": "system", "message": "Be brief."}
    other = again(project)
    assert take(other, file(tmp_path, row | {"steps": [new, *row["steps"]]}))["rejected"] == []
    ((pair, better),) = [(name, one) for (_, name), one in said(other, "human:ann").items() if "@" in name]
    assert sorted(pair.removeprefix("better@").split("-")) == ["2", "3"] and better == 3


def test_an_answer_that_names_a_step_which_is_gone_is_listed(tmp_path):
    ann = make.user("ann")
    project = sample("earliest-harm", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0]
    steps = [step for step in row["steps"] if step["index"] != 3]
    other = again(project)
    (problem,) = take(other, file(tmp_path, row | {"steps": steps}, name="cut.jsonl"))["rejected"]
    assert (problem["file"], problem["line"]) == ("cut.jsonl", 1)
    assert problem["field"].startswith("annotations[0].labels[") and problem["field"].endswith("].value")
    assert "found 3, which names a step that the record does not have" in problem["reason"]
    assert said(other, "human:ann")


def test_what_does_not_fit_is_listed_with_what_is_accepted_and_the_rest_goes_in(tmp_path):
    ann = make.user("ann")
    project = sample("agent-process", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0]
    told = row["annotations"][0]["labels"]
    told[0]["value"] = 7
    told += [
        {"field": "mood", "value": 1, "origin": "human"},
        {"step": "gone", "field": "label", "value": 1, "origin": "human"},
        {"field": "final", "value": 1, "origin": "human"},
        told[1] | {"field": "label@call-0"},
        {"source_index": 0, "field": "label", "value": 1, "origin": "human"},
        told[0] | {"value": -1, "origin": "propagated", "cause": "gone"},
    ]
    other = again(project)
    result = take(other, file(tmp_path, row))
    problems = [(one["field"].removeprefix("annotations[0]."), one["reason"]) for one in result["rejected"]]
    count = len(told) - 6
    no_step, by = "found no such step of the agent; accepted are 1, 2, 3", "by human:ann"
    assert sorted(problems) == sorted(
        [
            ("labels[0].value", f"label of step 1 {by}: label takes one of 1, 0, -1, not 7; accepted is 1, 0, -1"),
            (
                f"labels[{count}].field",
                f"mood of the trajectory {by}: found the field 'mood'; agent-process 1 asks of the trajectory final",
            ),
            (f"labels[{count + 1}].step", f"label of a step {by}: {no_step}"),
            (
                f"labels[{count + 2}].field",
                f"final of the trajectory {by}: found a second answer at this place; accepted is one",
            ),
            (
                f"labels[{count + 3}].field",
                f"label@call-0 of step 2 {by}: found 'label@call-0'; accepted is the field asked of the step",
            ),
            (f"labels[{count + 4}].step", f"label of step 0 {by}: {no_step}"),
            (
                f"labels[{count + 5}].cause",
                f"label of step 1 {by}: its cause is no label that came in; accepted is the id of the step whose label"
                " implied it",
            ),
        ]
    )
    assert result["labels"] == count - 1
    assert len(said(other, "human:ann")) == count - 1


def test_labels_of_another_scheme_go_in_where_the_same_field_takes_them(tmp_path):
    ann = make.user("ann")
    project = sample("agent-process", tmp_path, ann)
    other = make.project(scheme=make.scheme("processbench"))
    result = take(other, leave(project, tmp_path / "left"))
    (scheme,) = result["schemes"]
    assert (scheme["name"], scheme["same"]) == ("agent-process", False)
    assert said(other, "human:ann") == {(1, "label"): -1, (2, "label"): 1, (3, "label"): 1}
    fields = [one["reason"].partition(" by ")[0] for one in result["rejected"]]
    assert fields == ["correction of step 2", "final of the trajectory"]


def test_lists_of_a_rubric_come_along_and_never_replace_what_a_task_has(tmp_path):
    ann = make.user("ann")
    project = sampled.project_of(SHIPPED["weighted-rubric"], tmp_path)
    spec = next(spec for spec in SHIPPED["weighted-rubric"].fields if isinstance(spec, RubricField))
    trajectory = project.trajectories.get()
    items = [{"name": "a", "title": "Is it there?"}, {"name": "b", "title": "Is it right?", "weight": 2}]
    rubrics.store(trajectory.task, spec.name, items, source="person", by=ann)
    left = stays_the_same(project, tmp_path)
    other = again(project)
    take(other, left)
    task = other.tasks.get()
    assert set(rubrics.of_task(task, spec) or {}) == {"a", "b"}
    rubrics.store(task, spec.name, items[:1], source="person", by=ann)
    (problem,) = take(other, left)["rejected"]
    assert problem["field"] == f"task.rubrics.{spec.name}" and "stay" in problem["reason"]
    assert set(rubrics.of_task(task, spec) or {}) == {"a"}


def test_a_trajectory_that_came_in_changed_brings_its_labels_along(tmp_path):
    ann = make.user("ann")
    project = sample("agent-process", tmp_path, ann)
    row = lines(leave(project, tmp_path / "left"))[0]
    other = again(project)
    take(other, tmp_path / "left" / f"{project.slug}.jsonl")
    row["steps"][3]["message"] = "Yes, from ten."
    result = take(other, file(tmp_path, row))
    assert (result["updated"], result["rejected"]) == (1, [])
    assert said(other, "human:ann") == said(project, "human:ann")


def test_siblings_of_a_tree_come_back_as_siblings(tmp_path):
    ann = make.user("ann")
    project = sample("n-way-best", tmp_path, ann)
    stays_the_same(project, tmp_path)
    steps = Trajectory.objects.get(project=project).steps.of_agent()
    assert {step.parent.index for step in steps} == {0}


def test_only_one_raters_labels_leave_where_one_is_named(tmp_path):
    ann, ben = make.user("ann"), make.user("ben")
    project = sample("agent-process", tmp_path, ann, ben)
    exports.export(project, "stepmark", tmp_path / "out", rater="human:ben")
    (row,) = lines(tmp_path / "out" / f"{project.slug}.jsonl")
    assert [one["rater"]["name"] for one in row["annotations"]] == ["ben"]


def test_work_that_is_not_finished_does_not_leave(tmp_path):
    ann = make.user("ann")
    project = make.project(ann)
    mine = make.lease(make.trajectory(project), ann)
    change(mine, ann, step=1, field="label", value=1)
    (row,) = lines(leave(project, tmp_path))
    assert row["annotations"] == []


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda row: row.update(stepmark=2), "stepmark"),
        (lambda row: row.update(more=1), "more"),
        (lambda row: row.pop("task"), "task"),
        (lambda row: row["task"].update(external_id=""), "task.external_id"),
        (lambda row: row["trajectory"].update(rollout=True), "trajectory.rollout"),
        (lambda row: row["trajectory"].update(extra={"task": {"nothing": 1}}), "trajectory.extra"),
        (lambda row: row["trajectory"].update(extra={"keys": 5}), "trajectory.extra"),
        (lambda row: row["trajectory"].update(meta={"query_index": [1]}), "trajectory.meta"),
        (lambda row: row["steps"][1].update(extra={"keys": ["nothing"]}), "steps[1]"),
        (lambda row: row["steps"][1].update(extra={"observed_at": ["1"]}), "steps[1]"),
        (lambda row: row["steps"][1].update(tool_calls=[{"id": 1}]), "steps[1].tool_calls[0]"),
        (lambda row: row["steps"][1].update(parent=77), ""),
        (lambda row: row["steps"][1].update(index=0), ""),
        (lambda row: row.update(steps=row["steps"][:1]), ""),
        (lambda row: row["annotations"][0]["rater"].update(kind="ghost"), "annotations[0].rater.kind"),
        (lambda row: row["annotations"][0].update(created_at="yesterday"), "annotations[0].created_at"),
        (lambda row: row["annotations"][0]["labels"][0].update(value=None), "annotations[0].labels[0]"),
    ],
)
def test_a_line_of_another_shape_is_refused_with_its_place(spoil, place, tmp_path):
    row = json.loads((APB.parent / "stepmark.jsonl").read_text().splitlines()[0])
    spoil(row)
    project = make.project()
    (problem,) = take(project, file(tmp_path, row), format="stepmark")["rejected"]
    assert problem["field"] == place
    assert "accepted" in problem["reason"]
    assert project.trajectories.count() == 0


KINDS = Scheme.model_validate(
    {
        "name": "kinds",
        "version": "1",
        "title": "Every kind",
        "main": "choice",
        "fields": [
            {"name": "choice", "title": "C", "kind": "choice", "choices": [{"value": 0.5, "title": "H"}]},
            {"name": "tags", "title": "T", "kind": "taxonomy", "choices": [{"value": "a", "title": "A"}]},
            {"name": "scale", "title": "S", "kind": "scale"},
            {"name": "vector", "title": "V", "kind": "scale", "dimensions": [{"name": "d", "title": "D"}]},
            {"name": "progress", "title": "P", "kind": "progress"},
            {"name": "flag", "title": "F", "kind": "flag"},
            {"name": "note", "title": "N", "kind": "text"},
            {"name": "call", "title": "K", "kind": "correction", "target": "tool_call"},
            {"name": "true", "title": "U", "kind": "flag", "target": "sentence"},
            {"name": "spans", "title": "X", "kind": "spans", "types": [{"value": 1, "title": "One"}]},
            {"name": "list", "title": "L", "kind": "rubric", "items": [{"name": "i", "title": "I?"}]},
            {"name": "instead", "title": "I", "kind": "intervention"},
            {"name": "error", "title": "E", "kind": "first_error"},
            {"name": "rank", "title": "R", "kind": "preference", "form": "rank", "level": "ranking"},
        ],
    }
)
MESSAGES = [
    {"role": "user", "content": "Who wrote it?"},
    {
        "role": "assistant",
        "content": "I look. It is 𝔘 or é.",
        "tool_calls": [{"id": "a", "function": {"name": "find"}}],
    },
    {"role": "tool", "tool_call_id": "a", "content": "Nobody."},
    {"role": "assistant", "content": "Nobody wrote it."},
]
ALL = Scheme.model_validate(KINDS.model_dump(exclude_defaults=True) | {"sample": {"messages": MESSAGES}})


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_answers_of_every_kind_come_back_as_they_left(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("kinds")
    ground = judged.ground(ALL)
    ground.rollouts = [0, 1, 2]
    answers = data.draw(judged.answers(ALL, ground.arounds(ALL)))
    person = make.user()
    theirs = sampled.project_of(ALL, folder, person)
    for number in (1, 2):
        _another_rollout(theirs, number, folder)
    mine = sampled.labelled(theirs, person, answers)
    first = stays_the_same(theirs, folder)
    assert said(theirs, f"human:{person.username}") == answers
    assert len(lines(first)) == 3 and mine.state == Annotation.State.SUBMITTED


def _another_rollout(project: Project, number: int, folder: Path) -> None:
    (row, *_) = lines(leave(project, folder / f"again-{number}"))
    row["trajectory"] |= {"rollout": number, "external_id": f"sample:{number}"}
    assert take(project, file(folder, row))["created"] == 1
