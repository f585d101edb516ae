"""All rollouts of a task in one graph: what is one state, what is known of it, where labels contradict each other."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotations.models import Annotation, Task
from annotations.services import imports, paths_read
from annotations.services.paths_labels import Labels
from tests import make
from tests.ways import rollout

pytestmark = pytest.mark.django_db


@pytest.fixture
def task() -> Task:
    return make.task(make.project(owner=make.user()))


def test_equal_actions_that_bring_the_same_are_one_state_whatever_their_calls_are_called(task):
    for letters, passed in (("abe", True), ("abe", True), ("acd", False)):
        rollout(task, letters, passed)
    paths = paths_read.of(task)
    assert [one.through.rollouts for one in paths.stretches] == [3, 2, 1]
    assert [len(one.states) for one in paths.stretches] == [1, 2, 2], "b and e always follow one another, so do c and d"
    assert [one.through.share for one in paths.stretches] == [2 / 3, 1, 0]
    assert (paths.distinct, paths.shortest, paths.passed, paths.known) == (2, 3, 2, 3)


def test_an_action_that_brings_something_else_is_another_state(task):
    rollout(task, "ab", True)
    rollout(task, "ab", False, seen="ax")
    paths = paths_read.of(task)
    assert [one.through.rollouts for one in paths.stretches] == [2, 1, 1]


def test_long_observations_are_compared_too(task):
    for _ in range(2):
        made = rollout(task, "a")
        made.steps.of_agent().update(observations=[{"content": "x" * 200_000}])
    other = rollout(task, "a")
    other.steps.of_agent().update(observations=[{"content": "y" * 200_000}])
    assert [one.through.rollouts for one in paths_read.of(task).stretches] == [2, 1]


def test_a_rollout_of_which_nothing_tells_whether_it_passed_is_neither_and_the_reference_may_tell(task):
    made = rollout(task, "a")
    rollout(task, "a", True)
    assert [one.passed for one in paths_read.of(task).ways] == [None, True]
    rater = make.rater(task.project, "gold")
    make.rating(rater, made, [1], -1)
    task.project.reference = rater
    task.project.save()
    found = paths_read.of(Task.objects.get(pk=task.pk))
    assert [one.passed for one in found.ways] == [False, True]


def test_trees_and_what_is_beyond_the_bound_are_counted_and_left_out(task, monkeypatch):
    rollout(task, "ab")
    tree = rollout(task, "ab")
    root, first, second = tree.steps.all()
    tree.steps.exclude(pk=root.pk).update(parent=root)
    monkeypatch.setattr(paths_read, "MOST_STEPS", 5)
    rollout(task, "abcde")
    rollout(task, "a")
    paths = paths_read.of(task)
    assert paths.left_out == (1, 1)
    assert [len(one.turns) for one in paths.ways] == [2, 1]


def test_wrong_steps_and_recovery_are_what_most_say(task):
    made = rollout(task, "abc", True)
    for values in ([1, -1, 1], [1, -1, 1], [1, 1, -1]):
        make.rating(make.rater(task.project), made, values)
    labels = Labels(paths_read.of(task))
    assert (labels.wrong(0), labels.recovers(0)) == (1, True)
    [stretch] = labels.paths.stretches
    assert {mark.words: count for mark, count in labels.tally(stretch)} == {"+1": 6, "−1": 3}


def test_one_who_says_otherwise_of_the_same_step_contradicts_themself(task):
    rater = make.rater(task.project, "jo")
    make.rating(rater, rollout(task, "abc"), [1, -1, 1])
    make.rating(rater, rollout(task, "abd"), [1, 1, -1])
    [found] = Labels(paths_read.of(task)).conflicts()
    assert (found.own, found.before) == (["jo"], 2), "the user's turn and a; what differs after it is no contradiction"
    assert [visit.place.number for visit, _ in found.said] == [2, 2]


def test_two_who_never_met_contradict_each_other_and_two_who_differ_on_the_spot_do_not(task):
    one, other = make.rater(task.project, "one"), make.rater(task.project, "two")
    first, second = rollout(task, "ab"), rollout(task, "ac")
    make.rating(one, first, [1, 1])
    make.rating(other, second, [-1, 1])
    [found] = Labels(paths_read.of(task)).conflicts()
    assert (found.own, found.before) == ([], 1)
    make.rating(other, first, [-1, 1])
    make.rating(one, second, [1, 1])
    assert Labels(paths_read.of(task)).conflicts() == [], "both labelled both, each the same: that is for Adjudicate"


def test_what_is_not_handed_in_does_not_count(task):
    rater = make.rater(task.project)
    make.rating(rater, rollout(task, "ab"), [1, 1])
    make.rating(rater, rollout(task, "ab"), [-1, 1], state=Annotation.State.DRAFT)
    labels = Labels(paths_read.of(task))
    assert labels.conflicts() == []
    assert sum(map(len, labels.by_step.values())) == 2


@pytest.fixture
def lead(task, client):
    client.force_login(task.project.memberships.get().user)
    return client


def address(task: Task) -> str:
    return reverse("paths", args=[task.project.slug, task.pk])


def test_the_page_and_the_files_say_the_same(task, lead):
    rater = make.rater(task.project, "=jo")
    make.rating(rater, rollout(task, "abc", True), [1, -1, 1])
    make.rating(rater, rollout(task, "abd", False), [1, 1, -1])
    page = lead.get(address(task)).content.decode()
    assert "1 of 2" in page
    assert page.count("<rect") == 3
    rows = {
        table: list(csv.DictReader(StringIO(lead.get(f"{address(task)}{table}.csv").content.decode())))
        for table in ("states", "rollouts", "contradictions")
    }
    assert [(one["state"], one["stretch"], one["success"]) for one in rows["states"]] == [
        ("1", "1", "0.5"), ("2", "1", "0.5"), ("3", "2", "1.0"), ("4", "3", "0.0")
    ]  # fmt: skip
    assert [(one["passed"], one["recovers"]) for one in rows["rollouts"]] == [("True", "True"), ("False", "False")]
    assert [(one["rater"], one["answer"]) for one in rows["contradictions"]] == [("'=jo", "−1"), ("'=jo", "+1")]
    assert lead.get(f"{address(task)}other.csv").status_code == 404


def test_a_task_without_rollouts_says_so(task, lead):
    assert "Nothing to lay on one another" in lead.get(address(task)).content.decode()


def test_hostile_names_do_not_break_out_of_the_picture(task, lead):
    made = rollout(task, "a", True)
    made.steps.of_agent().update(tool_calls=[{"id": "1", "name": "</svg><b>\u202e", "arguments": "{}"}])
    page = lead.get(address(task)).content.decode()
    assert "<b>\u202e" not in page and "</svg><b>" not in page
    assert "&lt;/svg&gt;&lt;b&gt;\ufffd" in page


def test_more_rollouts_ask_no_more_of_the_database(task, lead, django_assert_max_num_queries):
    rater = make.rater(task.project)
    for letters in ("ab", "ac"):
        make.rating(rater, rollout(task, letters), [1, 1])
    with django_assert_max_num_queries(40) as few:
        lead.get(address(task))
    for letters in ("abc", "acb", "bca", "cab"):
        make.rating(rater, rollout(task, letters), [1, 1, -1])
    with django_assert_max_num_queries(len(few)):
        lead.get(address(task))


def test_another_projects_task_is_not_found(lead):
    other = make.task(make.project())
    mine = lead.get("/").wsgi_request.user.memberships.get().project
    assert lead.get(reverse("paths", args=[mine.slug, other.pk])).status_code == 404


def test_the_command_prints_the_same(task):
    rollout(task, "ab", True)
    rollout(task, "ac", False)

    def said(*options: str) -> str:
        out = StringIO()
        call_command("paths", task.project.slug, task.external_id, *options, stdout=out)
        return out.getvalue()

    assert "2 rollouts, 1 of 2 known ones passed." in said()
    found = json.loads(said("--json"))
    assert (found["states"], found["distinct"], found["variety"]["value"]) == (3, 2, 1.0)
    assert [one["success"] for one in found["tables"]["states"]] == [0.5, 1.0, 0.0]
    assert said("--table", "rollouts").startswith("rollout,trajectory,model,passed")
    with pytest.raises(CommandError, match="no task"):
        call_command("paths", task.project.slug, "none")


@pytest.mark.data
def test_real_rollouts_share_their_beginnings(shared_data: Path) -> None:
    project = make.project(owner=make.user())
    imports.import_trajectories(
        project, [shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"]
    )
    graphs = [paths_read.of(task).graph for task in project.tasks.all()]
    assert len(graphs) == 30
    shared = [len(graph.through) < sum(len(set(one.turns)) for one in graph.rollouts) for graph in graphs]
    assert 3 <= sum(shared) < 30, "some begin with the very same search, most word it anew"
