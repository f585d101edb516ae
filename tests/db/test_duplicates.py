"""Rollouts that are there twice are found, told, and grouped or left out where that was asked for."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

from annotations.models import Project, Role, Trajectory
from annotations.services import duplicates
from tests import make
from tests.db.importing import file, rollout, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def turns(said: str = "I add.", call: str = "c1", arguments: str = '{"a": 1, "b": 2}', seen: str = "3") -> list[dict]:
    function = {"name": "add", "arguments": arguments}
    return [
        {"role": "user", "content": "One and two?"},
        {"role": "assistant", "content": said, "tool_calls": [{"id": call, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call, "content": seen},
    ]


def record(number: int, query: int = 0, **turn: str) -> dict:
    said = {"messages": turns(**turn), "step_labels": {}, "final_label": None, "query_index": query}
    return rollout(number, **said)


def names(project: Project) -> list[str]:
    return list(project.trajectories.live().order_by("pk").values_list("external_id", flat=True))


ALL = [
    record(0),
    record(1, call="other"),  # equal: ids of calls do not count
    record(2, said="Now I add.", arguments='{"b":2,"a":1}', seen="three"),  # the same actions
    record(3, arguments='{"a": 1, "b": 3}'),
    record(4, query=1),  # equal, under another name of the task
    record(5, query=1, said="Or so."),  # the same actions as the last
]


def test_they_are_kept_and_not_spoken_of_unless_that_is_asked_for(project, tmp_path):
    result = take(project, file(tmp_path, *ALL))
    assert (result["created"], result["duplicates"]) == (6, [])
    assert not Trajectory.objects.filter(grouped=True).exists()


def test_left_out_are_those_that_equal_one_before(project, tmp_path):
    result = take(project, file(tmp_path, *ALL), duplicates="skip")
    assert names(project) == ["sample:0:0", "sample:0:3", "sample:1:5"]
    assert (result["created"], result["skipped"]) == (3, 3)
    first = project.trajectories.get(external_id="sample:0:0").pk
    assert [(one["line"], one["kind"], one["equals_id"]) for one in result["duplicates"]] == [
        (2, "exact", first),
        (3, "near", first),
        (5, "exact", first),
    ]


def test_left_out_may_be_only_those_that_say_the_same(project, tmp_path):
    result = take(project, file(tmp_path, *ALL), duplicates="skip-exact")
    assert names(project) == ["sample:0:0", "sample:0:2", "sample:0:3", "sample:1:5"]
    assert [one["skipped"] for one in result["duplicates"]] == [True, False, True]
    grouped = project.trajectories.filter(grouped=True)
    assert set(grouped.values_list("external_id", flat=True)) == {"sample:0:0", "sample:0:2"}


def test_a_group_is_made_of_those_that_were_there_too(project, tmp_path):
    take(project, file(tmp_path, *ALL[:1]))
    result = take(project, file(tmp_path, *ALL), duplicates="group")
    assert (result["created"], result["unchanged"], result["skipped"]) == (5, 1, 0)
    grouped = project.trajectories.filter(grouped=True).values_list("external_id", flat=True)
    assert set(grouped) == {"sample:0:0", "sample:0:1", "sample:0:2", "sample:1:4", "sample:1:5"}


def test_leaving_out_again_changes_nothing(project, tmp_path):
    path = file(tmp_path, *ALL)
    take(project, path, duplicates="skip")
    again = take(project, path, duplicates="skip")
    assert (again["created"], again["updated"], again["unchanged"], again["skipped"]) == (0, 0, 3, 3)


def test_a_new_version_is_never_left_out(project, tmp_path):
    take(project, file(tmp_path, record(0), record(1, said="Else.", arguments="{}")))
    result = take(project, file(tmp_path, record(1)), duplicates="skip")
    assert (result["updated"], result["skipped"]) == (1, 0)
    assert result["duplicates"][0]["equals"] == "sample:0:0"


def test_a_task_that_only_has_what_is_left_out_is_not_made(project, tmp_path):
    take(project, file(tmp_path, record(0), record(4, query=1)), duplicates="skip")
    assert list(project.tasks.values_list("external_id", flat=True)) == ["sample:0"]


def test_how_messages_are_cut_makes_no_difference(project, tmp_path):
    long = "First.\n\nThen."
    take(project, file(tmp_path, record(0, said=long)), segmentation="paragraph")
    result = take(project, file(tmp_path, record(1, said=long)), duplicates="skip")
    assert (result["skipped"], result["duplicates"][0]["kind"]) == (1, "exact")


def test_the_same_actions_of_other_tasks_are_no_duplicates(project, tmp_path):
    other = record(9, query=3, seen="else")
    result = take(project, file(tmp_path, record(0), other), duplicates="skip")
    assert result["created"] == 2


def test_the_list_finds_them_and_says_how_many_there_are(project, client, tmp_path):
    take(project, file(tmp_path, *ALL))
    client.force_login(make.member(project, make.user("lead"), Role.OWNER).user)
    first = project.trajectories.get(external_id="sample:0:0").pk
    address = f"/p/{project.slug}/trajectories/"

    def found(asked: str) -> set[str]:
        page = client.get(address, {"duplicates": asked}).context["page"]
        return {row.external_id.removeprefix("sample:") for row in page.rows}

    assert found("exact") == {"0:0", "0:1", "1:4"}
    assert found("near") == {"0:0", "0:1", "0:2", "1:4", "1:5"}
    assert found(str(first)) == {"0:0", "0:1", "0:2", "1:4"}
    assert found("999999") == set()
    rows = {row.external_id: (row.exact, row.near) for row in client.get(address).context["page"].rows}
    assert rows["sample:0:0"] == (2, 3) and rows["sample:0:3"] == (0, 0)
    assert "accepted is exact, near" in client.get(address, {"duplicates": "some"}).content.decode()


def test_who_does_not_see_others_labels_cannot_ask(project, client, tmp_path):
    take(project, file(tmp_path, *ALL))
    client.force_login(make.member(project, make.user("ann")).user)
    page = client.get(f"/p/{project.slug}/trajectories/", {"duplicates": "exact"})
    assert "not yours to filter by" in page.content.decode()
    assert "equal to" not in page.content.decode()


def test_the_fingerprints_of_what_was_there_before_are_made_the_same_way(project, tmp_path):
    take(project, file(tmp_path, *ALL))
    columns = ("pk", "turns_hash", "actions_hash")
    before = list(project.trajectories.order_by("pk").values_list(*columns))
    project.trajectories.update(turns_hash="", actions_hash="")
    with connection.cursor() as cursor:
        cursor.execute(import_module("annotations.migrations.0009_duplicates").FILL)
    assert list(project.trajectories.order_by("pk").values_list(*columns)) == before


def test_trajectories_without_fingerprints_equal_nothing(project):
    make.trajectory(project)
    make.trajectory(project)
    assert not duplicates.equal(project.trajectories.all(), "near").exists()
    assert not duplicates.equal(project.trajectories.all(), "exact").exists()
