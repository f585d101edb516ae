"""Bringing trajectories in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from annotations.models import Annotation, Event, Label, Project, Rater, Step, Task, Trajectory
from annotations.services import labels
from tests import make
from tests.db.importing import APB, CHAT, counts, file, rollout, rows, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def said(project: Project) -> list[tuple[int | None, str, Any]]:
    """The reference's current labels of the newest versions."""
    of = Label.objects.current().filter(
        annotation__rater=project.reference,
        annotation__retired_at=None,
        annotation__trajectory__superseded_at=None,
    )
    return list(
        of.order_by("annotation__trajectory__rollout", "step__index").values_list("step__index", "field", "value")
    )


def test_a_file_becomes_tasks_rollouts_steps_and_reference_labels(project):
    result = take(project, APB)
    assert counts(result) == (2, 0, 0, 0)
    assert (result["tasks"], result["steps"], result["labels"]) == (1, 6, 8)
    task = project.tasks.get()
    assert (task.external_id, task.source, task.reference) == ("sample:0", "sample", {"target": ["the shaft"]})
    first, second = project.trajectories.order_by("rollout")
    assert (first.external_id, second.rollout, first.meta["total_index"]) == ("sample:0:0", 1, 0)
    assert [(step.source, step.source_index, len(step.observations)) for step in first.steps.all()] == [
        ("system", 0, 0),
        ("user", 1, 0),
        ("agent", 2, 1),
        ("agent", 4, 1),
        ("agent", 6, 0),
    ]
    project.refresh_from_db()
    assert (project.reference.kind, project.reference.name) == (Rater.Kind.IMPORT, "gold")
    assert said(project)[:4] == [(2, "label", 1), (3, "label", 0), (4, "label", -1), (None, "final", -1)]
    assert set(Label.objects.values_list("origin", flat=True)) == {"import"}


def test_importing_again_changes_nothing(project):
    take(project, APB)
    before = {model: sorted(model.objects.values_list("pk", flat=True)) for model in (Task, Trajectory, Step, Label)}
    assert counts(take(project, APB)) == (0, 0, 2, 0)
    assert before == {model: sorted(model.objects.values_list("pk", flat=True)) for model in before}


def test_an_existing_reference_stays_the_reference(project):
    project.reference = make.rater(project, "lead")
    project.save()
    take(project, APB)
    project.refresh_from_db()
    assert project.reference.name == "lead"


def test_labels_changed_in_the_file_supersede(project, tmp_path):
    take(project, APB)
    changed = rollout(0, step_labels={"2": 1, "4": 1}, final_label=0)
    result = take(project, file(tmp_path, changed, rows()[1]))
    assert counts(result) == (0, 1, 1, 0)
    assert said(project)[:3] == [(2, "label", 1), (3, "label", 1), (None, "final", 0)]
    assert Label.objects.exclude(superseded_at=None).count() == 3
    assert Trajectory.objects.count() == 2


def test_a_file_without_labels_leaves_the_labels_alone(project, tmp_path):
    take(project, APB)
    bare = [{key: one for key, one in row.items() if key not in {"step_labels", "final_label"}} for row in rows()]
    take(project, file(tmp_path, *bare))
    assert len(said(project)) == 8


def test_a_changed_trajectory_is_a_new_version_and_the_old_one_stays(project, tmp_path):
    take(project, APB)
    old = project.trajectories.get(rollout=0)
    changed = rows()[0]
    changed["messages"][-1]["content"] = "<answer>the shaft</answer>"
    result = take(project, file(tmp_path, changed, rows()[1]))
    assert counts(result) == (0, 1, 1, 0)
    old.refresh_from_db()
    new = project.trajectories.live().get(rollout=0)
    assert (old.superseded_at is not None, new.version, new.task_id) == (True, 2, old.task_id)
    assert old.steps.count() == new.steps.count() == 5
    assert len(said(project)) == 8


def test_labels_of_unchanged_steps_go_along_to_the_new_version(project, tmp_path):
    take(project, APB)
    person = make.user()
    make.member(project, person)
    old = project.trajectories.get(rollout=0)
    judge = make.rating(make.rater(project, "j"), old, [1, 0, -1], final=-1)
    mine = make.lease(old, person)
    labels.change(mine.pk, person, [{"step": 2, "field": "label", "value": -1}], change=uuid4(), revision=0)
    changed = rows()[0]
    changed["messages"][2]["content"] = "Now I say why."
    result = take(project, file(tmp_path, changed, rows()[1]))
    new = project.trajectories.live().get(rollout=0)
    carried = new.annotations.live().exclude(rater=project.reference)
    assert {one.rater_id for one in carried} == {judge.rater_id, mine.rater_id}
    again = carried.get(rater=judge.rater)
    assert set(again.labels.values_list("step__index", "value")) == {(3, 0), (4, -1), (None, -1)}
    assert result["carried"] == again.labels.count() + carried.get(rater=mine.rater).labels.count()
    mine.refresh_from_db()
    assert (mine.retired_at is not None, mine.seat) == (True, None)
    assert carried.get(rater=mine.rater).seat == 0


def test_a_persons_finished_work_comes_back_when_a_step_changed(project, tmp_path):
    take(project, APB)
    person = make.rater(project, "p", Rater.Kind.HUMAN, make.user())
    old = project.trajectories.get(rollout=0)
    make.rating(person, old, [1, 0, -1], final=-1)
    make.rating(person, project.trajectories.get(rollout=1), [1, 0, -1], final=-1)
    longer, same = rows()
    longer["messages"].append({"role": "assistant", "content": "Or the shaft?"})
    same["answer_text"] = "another verdict on the same steps"
    take(project, file(tmp_path, longer, same))
    live = Annotation.objects.live().filter(rater=person).order_by("trajectory__rollout")
    assert [one.state for one in live] == ["returned", "submitted"]
    assert "imported again" in live[0].comment
    assert [one.labels.count() for one in live] == [4, 4]


def test_a_broken_line_is_reported_and_the_others_go_in(project, tmp_path):
    path = file(tmp_path, rollout(0), "{broken", rollout(1, messages=7), rollout(2, query_index="x"), rollout(3))
    result = take(project, path)
    assert counts(result) == (2, 0, 0, 3)
    assert [(one["file"], one["line"], one["field"]) for one in result["rejected"]] == [
        ("made.jsonl", 2, ""),
        ("made.jsonl", 3, "messages"),
        ("made.jsonl", 4, "query_index"),
    ]
    assert all("not JSON" in one["reason"] or "accepted" in one["reason"] for one in result["rejected"])


def test_labels_that_fit_nothing_are_reported_and_the_rest_stays(project, tmp_path):
    labelled = rollout(0, step_labels={"2": 1, "3": 1, "4": 5, "6": "good", "99": -1}, final_label="maybe")
    result = take(project, file(tmp_path, labelled))
    assert result["created"] == 1 and result["labels"] == 1
    fields = {one["field"]: one["reason"] for one in result["rejected"]}
    assert set(fields) == {"step_labels.3", "step_labels.4", "step_labels.6", "step_labels.99", "final_label"}
    assert "accepted are 2, 4, 6" in fields["step_labels.3"] and "1, 0, -1" in fields["step_labels.4"]


def test_one_trajectory_twice_in_a_file_counts_once(project, tmp_path):
    result = take(project, file(tmp_path, rollout(0), rollout(0), rollout(0, answer_text="other")))
    assert counts(result) == (1, 0, 1, 1)
    assert "earlier line" in result["rejected"][0]["reason"]


def test_conversations_with_the_same_beginning_are_rollouts_of_one_task(project):
    result = take(project, CHAT)
    assert counts(result) == (2, 0, 0, 0)
    task = project.tasks.get()
    assert task.instruction == "Name the colour.\n[image_url]"
    assert sorted(task.trajectories.values_list("rollout", "policy_model")) == [(0, "small-1"), (1, "small-1")]
    assert counts(take(project, CHAT)) == (0, 0, 2, 0)
    assert project.reference is None


def test_a_chat_with_an_id_is_versioned_by_it(project, tmp_path):
    row = rows(CHAT)[1] | {"id": "run-7"}
    take(project, file(tmp_path, row))
    row["messages"][-1]["content"] = "Green."
    assert counts(take(project, file(tmp_path, row))) == (0, 1, 0, 0)
    assert project.trajectories.live().get().external_id == "run-7"


def test_two_ids_cannot_be_one_rollout(project, tmp_path):
    row = rows(CHAT)[1] | {"task_id": "t", "rollout": 0}
    take(project, file(tmp_path, row | {"id": "a"}))
    result = take(project, file(tmp_path, row | {"id": "b"}))
    assert counts(result) == (0, 0, 0, 1) and "'a'" in result["rejected"][0]["reason"]


def test_what_a_rollout_says_of_its_task_otherwise_is_kept_with_the_rollout(project, tmp_path):
    take(project, file(tmp_path, rollout(0), rollout(1, question="Other words?", tools=[])))
    assert project.tasks.get().instruction == rows()[0]["question"]
    assert project.trajectories.get(rollout=1).extra["task"] == {"instruction": "Other words?", "tools": []}


def test_a_missing_file_is_named_before_anything_is_done(project, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.jsonl"):
        take(project, APB, tmp_path / "nothing.jsonl")
    assert not project.trajectories.exists()


def test_an_import_is_in_the_log(project):
    someone = make.user()
    take(project, APB, by=someone)
    event = Event.objects.get(project=project, verb="trajectories.imported")
    assert (event.actor, event.after["created"]) == (someone, 2)


@pytest.mark.data
def test_the_shared_trajectories_give_the_numbers_their_readme_gives(project, shared_data):
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    result = take(project, path)
    assert (result["created"], result["tasks"], result["steps"], result["rejected"]) == (150, 30, 426, [])
    project.refresh_from_db()
    found = [(field, value) for _, field, value in said(project)]
    assert {one: found.count(one) for one in set(found)} == {
        ("label", 1): 286,
        ("label", 0): 28,
        ("label", -1): 112,
        ("final", 1): 96,
        ("final", -1): 54,
    }
    assert {task.trajectories.count() for task in project.tasks.all()} == {5}
    assert counts(take(project, path)) == (0, 0, 150, 0)


def test_a_ground_truth_corrected_in_every_rollout_is_the_tasks(project, tmp_path):
    take(project, APB)
    right = [row | {"ground_truth": {"target": ["the well"]}} for row in rows()]
    take(project, file(tmp_path, right[0]))
    assert project.tasks.get().reference == {"target": ["the shaft"]}
    take(project, file(tmp_path, right[1]))
    assert project.tasks.get().reference == {"target": ["the well"]}
    assert [one.extra.get("task") for one in project.trajectories.live()] == [None, None]
    assert counts(take(project, file(tmp_path, *right))) == (0, 0, 2, 0)
