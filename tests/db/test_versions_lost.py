"""What was said of an earlier version and is not said of the new one is listed: by the import, on its page, and on the
page of the trajectory, to those who may know."""

from __future__ import annotations

import json

import pytest

from annotations.models import Event, Label, Project, Role, Run, Trajectory
from annotations.services import versions
from tests import make
from tests.db.importing import file, rollout, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def record(*said: str) -> dict:
    turns = [{"role": "user", "content": "Go."}, *({"role": "assistant", "content": one} for one in said)]
    return rollout(0, messages=turns, step_labels={}, final_label=None)


def live(project: Project) -> Trajectory:
    return project.trajectories.live().get()


def changed(project: Project, tmp_path, *said: str, before=("One.", "Two.", "Three."), values=(1, -1, 0)) -> dict:
    """A judge's labels of the first version, then the second."""
    take(project, file(tmp_path, record(*before)))
    make.rating(make.rater(project, "judge"), live(project), list(values), final=1)
    return take(project, file(tmp_path, record(*said)))


def test_a_label_of_a_step_that_changed_is_listed(project, tmp_path):
    result = changed(project, tmp_path, "One.", "Two, but else.", "Three.")
    (one,) = result["lost"]
    old = project.trajectories.get(version=1)
    assert (one["now"], one["before"], one["step"]) == (live(project).pk, old.pk, 2)
    assert (one["rater"], one["value"], one["why"]) == ("judge", "Wrong", "its step changed or is gone")
    assert result["carried"] == 3


def test_nothing_is_listed_where_all_went_along(project, tmp_path):
    result = changed(project, tmp_path, "Before.", "One.", "Two.", "Three.")
    assert (result["lost"], result["carried"]) == ([], 4)


def test_a_label_that_another_implied_stays_with_it(project, tmp_path):
    take(project, file(tmp_path, record("One.", "Two.")))
    made = make.rating(make.rater(project, "judge"), live(project), [-1, -1])
    cause, caused = made.labels.order_by("pk")
    Label.objects.filter(pk=caused.pk).update(cause=cause, origin="propagated")
    result = take(project, file(tmp_path, record("Else.", "Two.")))
    assert [one["why"] for one in result["lost"]] == [
        "its step changed or is gone",
        "the label that implied it did not go along",
    ]
    assert not live(project).annotations.live().get().labels.exists()


def test_the_labels_of_the_file_itself_are_said_anew_and_not_missed(project, tmp_path):
    take(project, file(tmp_path, record("One.", "Two.") | {"step_labels": {"1": 1, "2": 1}}))
    result = take(project, file(tmp_path, record("Else.", "Two.") | {"step_labels": {"1": -1, "2": 1}}))
    assert result["lost"] == []


def test_of_a_long_list_the_beginning_is_kept_and_the_rest_counted(project, tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "LISTED", 2)
    changed(project, tmp_path, "A.", "B.", "C.")
    event = Event.objects.get(verb="annotation.carried_over")
    assert (len(event.after["lost"]), event.after["lost_more"]) == (2, 1)


def test_what_stayed_behind_stands_on_the_page_of_the_run(project, client, tmp_path):
    result = changed(project, tmp_path, "One.", "Two, but else.", "Three.")
    run = make_run(project, result)
    client.force_login(make.member(project, make.user("lead"), Role.OWNER).user)
    page = client.get(f"/p/{project.slug}/runs/{run.pk}/").content.decode()
    old = project.trajectories.get(version=1)
    assert "Labels that could not go along" in page
    assert f'href="/p/{project.slug}/trajectories/{old.pk}/?at=2#step-2"' in page
    kept = json.loads(client.get(f"/p/{project.slug}/runs/{run.pk}/rejected.json").content)
    assert kept["lost"] == result["lost"]


def make_run(project: Project, result: dict) -> Run:
    return Run.objects.create(
        project=project, kind="import", state="done", result=result, config={"names": ["a.jsonl"]}
    )


def test_what_stayed_behind_stands_on_the_page_of_the_trajectory(project, client, tmp_path):
    changed(project, tmp_path, "One.", "Two, but else.", "Three.")
    client.force_login(make.member(project, make.user("lead"), Role.OWNER).user)
    page = client.get(f"/p/{project.slug}/trajectories/{live(project).pk}/").content.decode()
    old = project.trajectories.get(version=1)
    assert "did not come along" in page
    assert f'href="/p/{project.slug}/trajectories/{old.pk}/?at=2#step-2"' in page
    first = client.get(f"/p/{project.slug}/trajectories/{old.pk}/").content.decode()
    assert "did not come along" not in first


def test_who_may_not_see_the_others_labels_sees_only_their_own_that_stayed(project, client, tmp_path):
    ann = make.member(project, make.user("ann"))
    take(project, file(tmp_path, record("One.", "Two.")))
    make.rating(make.rater(project, "judge"), live(project), [1, 1])
    make.rating(make.rater(project, "ann", "human", ann.user), live(project), [-1, 1])
    take(project, file(tmp_path, record("Else.", "Two.")))
    found, more = versions.lost_of(ann, live(project))
    assert [(one["rater"], one["value"], more) for one in found] == [("ann", "Wrong", 0)]
    client.force_login(ann.user)
    page = client.get(f"/p/{project.slug}/trajectories/{live(project).pk}/").content.decode()
    assert "did not come along" in page and "judge" not in page
