from __future__ import annotations

import pytest

from annotations.models import Label, Project, Rater, Report, Role, Run, Score
from tests import make
from tests.api.conftest import client_with_token

pytestmark = pytest.mark.django_db

LISTS = ["tasks", "trajectories", "steps", "annotations", "labels", "raters", "guidelines", "members", "scores", "runs"]


def fill(project: Project, times: int) -> None:
    """As many of everything a list shows."""
    run = Run.objects.create(project=project, kind=Run.Kind.SCORE, created_by=make.member(project, make.user()).user)
    for _ in range(times):
        trajectory = make.trajectory(project, steps=2)
        pass_ = make.rating(make.rater(project), trajectory, [1, -1], final=1)
        cause = Label.objects.filter(annotation=pass_).first()
        Label.objects.create(annotation=pass_, step=None, field="note", value="x", origin="propagated", cause=cause)
        Score.objects.create(run=run, trajectory=trajectory, step=trajectory.steps.of_agent()[0], value=0.5)
        Report.objects.create(project=project, result={})
        Run.objects.create(project=project, kind=Run.Kind.EXPORT, created_by=make.member(project, make.user()).user)
        project.guidelines.create(version=project.guidelines.count() + 1, text="More.")


@pytest.mark.parametrize("what", [*LISTS, "reports", "exports"])
def test_a_list_costs_the_same_for_one_and_for_many(client, project, what, django_assert_num_queries, count_queries):
    fill(project, 1)
    path = f"/api/v1/projects/mine/{what}/"
    few, cost = count_queries(lambda: client.get(path).json()["results"])
    fill(project, 4)
    many, same = count_queries(lambda: client.get(path).json()["results"])
    assert 0 < len(few) < len(many)
    assert same == cost <= 5


def test_projects_are_listed_at_the_same_cost(client, lead, project, count_queries):
    _, cost = count_queries(lambda: client.get("/api/v1/projects/"))
    for _ in range(4):
        make.member(make.project(), lead)
    many, same = count_queries(lambda: client.get("/api/v1/projects/").json()["results"])
    assert (len(many), same) == (5, cost)


def test_a_list_carries_no_bodies(client, project):
    make.trajectory(
        project,
        outcome={"answer": "LONG BODY"},
        extra={"x": "LONG BODY"},
        of=make.task(project, instruction="LONG BODY", reference="LONG BODY", tools=["LONG BODY"]),
    )
    for what in ("trajectories", "tasks"):
        answer = client.get(f"/api/v1/projects/mine/{what}/")
        assert len(answer.json()["results"]) == 1
        assert "LONG BODY" not in answer.content.decode()


def test_a_trajectory_comes_with_its_steps_when_asked(client, project):
    trajectory = make.trajectory(project, steps=2)
    path = f"/api/v1/projects/mine/trajectories/{trajectory.pk}/"
    assert client.get(path).json()["bodies"] is None
    answer = client.get(f"{path}?steps=true").json()
    assert [step["source"] for step in answer["bodies"]] == ["user", "agent", "agent"]
    assert answer["bodies"][1]["tool_calls"][0]["name"] == "look"
    assert answer["steps"] == 2
    refused = client.get(f"{path}?steps=maybe")
    assert (refused.status_code, refused.json()["field"]) == (400, "steps")


def test_an_old_version_is_not_listed_and_can_be_read(client, project):
    old = make.trajectory(project, superseded_at="2026-01-01T00:00:00Z")
    new = make.trajectory(project, of=old.task, rollout=old.rollout, version=2)
    listed = client.get("/api/v1/projects/mine/trajectories/").json()["results"]
    assert [one["id"] for one in listed] == [new.pk]
    assert client.get(f"/api/v1/projects/mine/trajectories/{old.pk}/").json()["version"] == 1
    assert client.get("/api/v1/projects/mine/tasks/").json()["results"][0]["rollouts"] == 1


def test_pages_follow_each_other_without_loss_or_repetition(client, project):
    for _ in range(7):
        make.trajectory(project, steps=1)
    seen, path = [], "/api/v1/projects/mine/trajectories/?page_size=3"
    while path:
        page = client.get(path).json()
        seen += [one["id"] for one in page["results"]]
        path = page["next"]
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen)


def test_a_page_that_is_inserted_into_while_it_is_read_loses_nothing(client, project):
    first = [make.trajectory(project).pk for _ in range(4)]
    page = client.get("/api/v1/projects/mine/trajectories/?page_size=2").json()
    late = make.trajectory(project).pk
    rest = client.get(page["next"].replace("page_size=2", "page_size=10")).json()
    assert [one["id"] for one in page["results"] + rest["results"]] == [*first, late]


@pytest.mark.parametrize("size", ["0", "1001", "-1", "ten", "", "1e2", "²"])
def test_a_page_size_outside_the_range_is_refused(client, project, size):
    answer = client.get("/api/v1/projects/mine/steps/", {"page_size": size})
    assert answer.status_code == 400
    assert (answer.json()["field"], answer.json()["accepted"]) == ("page_size", {"min": 1, "max": 1000})


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "%00", "cD0x", "bz0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_cursor_of_another_make_does_no_harm(client, project, cursor):
    make.trajectory(project)
    assert client.get("/api/v1/projects/mine/trajectories/", {"cursor": cursor}).status_code in {200, 400}


def test_filters_narrow_and_bad_ones_say_what_they_take(client, project):
    one, two = make.trajectory(project, policy_model="a"), make.trajectory(project, policy_model="b")
    judge = make.rater(project, "judge")
    make.rating(judge, one, [1, 0, -1], final=1)
    make.rating(make.rater(project, "gold", Rater.Kind.IMPORT), two, [1, 1, 1])

    def labels(**query):
        return client.get("/api/v1/projects/mine/labels/", query)

    found = client.get("/api/v1/projects/mine/trajectories/", {"policy_model": "b"}).json()["results"]
    assert [row["id"] for row in found] == [two.pk]
    assert len(labels(rater="judge").json()["results"]) == 4
    assert len(labels(trajectory=two.pk).json()["results"]) == 3
    assert [row["value"] for row in labels(rater="judge", step=3).json()["results"]] == [-1]
    assert [row["step"] for row in labels(field="final").json()["results"]] == [None]
    refused = labels(kind="robot")
    assert refused.status_code == 400
    assert (refused.json()["field"], refused.json()["accepted"]) == ("kind", [kind.value for kind in Rater.Kind])
    assert labels(trajectory="abc").json()["accepted"] == {"min": 0, "max": 2**63 - 1}


def test_labels_say_who_said_what_where_and_why(client, project):
    trajectory = make.trajectory(project, steps=2)
    pass_ = make.rating(make.rater(project, "judge"), trajectory, [-1, None])
    cause = Label.objects.get()
    Label.objects.create(
        annotation=pass_, step=trajectory.steps.get(index=2), field="label", value=-1, origin="propagated", cause=cause
    )
    first, second = client.get("/api/v1/projects/mine/labels/").json()["results"]
    assert (first["rater"], first["step"], first["value"], first["cause"]) == ("judge", 1, -1, None)
    assert (second["step"], second["origin"], second["cause"]) == (2, "propagated", 1)


def test_superseded_labels_and_retired_passes_are_not_current(client, project):
    pass_ = make.rating(make.rater(project), make.trajectory(project, steps=1), [1])
    pass_.labels.update(superseded_at="2026-01-01T00:00:00Z")
    old = make.rating(make.rater(project), make.trajectory(project, steps=1), [1], retired_at="2026-01-01T00:00:00Z")
    assert client.get("/api/v1/projects/mine/labels/").json()["results"] == []
    assert client.get(f"/api/v1/projects/mine/annotations/{old.pk}/").status_code == 404


def test_settings_change_and_are_logged(client, project):
    rater = make.rater(project, "gold")
    answer = client.patch("/api/v1/projects/mine/", {"overlap": 3, "reference": rater.pk}, format="json")
    assert (answer.json()["overlap"], answer.json()["reference"]) == (3, "gold")
    assert project.events.get().after == {"overlap": 3, "reference": "gold"}
    refused = client.patch("/api/v1/projects/mine/", {"mode": "open"}, format="json")
    assert refused.json()["accepted"] == ["blind", "reference", "assisted", "progressive"]
    helped = client.patch("/api/v1/projects/mine/", {"prefill": "scorer:embedded", "blind_share": 0}, format="json")
    assert (helped.json()["prefill"], helped.json()["blind_share"]) == ("scorer:embedded", 0)
    refused = client.patch("/api/v1/projects/mine/", {"prefill": "judge:nobody"}, format="json")
    assert (refused.status_code, refused.json()["field"]) == (400, "prefill")
    assert "scorer:embedded" in refused.json()["accepted"]
    elsewhere = make.rater(make.project())
    assert client.patch("/api/v1/projects/mine/", {"reference": elsewhere.pk}, format="json").status_code == 400


def test_a_project_is_made_and_owned_by_who_asked(client, lead):
    answer = client.post("/api/v1/projects/", {"slug": "new", "overlap": 1}, format="json")
    assert (answer.status_code, answer.json()["role"]) == (201, Role.OWNER)
    again = client.post("/api/v1/projects/", {"slug": "new"}, format="json")
    assert (again.status_code, again.json()["field"]) == (400, "slug")
    several = client.post("/api/v1/projects/", {"slug": "a b", "overlap": 0}, format="json").json()
    assert [one["field"] for one in several["errors"]] == ["slug", "overlap"]
    assert several["errors"][1]["accepted"] == {"min": 1, "max": 50}


def test_guidelines_are_published_as_versions(client, project):
    made = client.post("/api/v1/projects/mine/guidelines/", {"text": "# New"}, format="json")
    assert (made.status_code, made.json()["version"]) == (201, 2)
    assert client.get("/api/v1/projects/mine/guidelines/2/").json()["text"] == "# New"


def test_members_come_change_and_go_but_one_owner_stays(client, lead, project):
    make.user("bea")
    path = "/api/v1/projects/mine/members/"
    made = client.post(path, {"user": "bea", "role": "annotator"}, format="json")
    assert made.status_code == 201
    assert client.post(path, {"user": "bea", "role": "viewer"}, format="json").status_code == 409
    assert client.post(path, {"user": "nobody", "role": "viewer"}, format="json").json()["field"] == "user"
    one = f"{path}{made.json()['id']}/"
    assert client.patch(one, {"role": "reviewer"}, format="json").json()["role"] == "reviewer"
    assert client.delete(one).status_code == 204
    own = project.memberships.get(user=lead)
    assert client.patch(f"{path}{own.pk}/", {"role": "viewer"}, format="json").status_code == 409
    assert client.delete(f"{path}{own.pk}/").status_code == 409


def test_the_frozen_scheme_is_there_to_read(client, project):
    (listed,) = client.get("/api/v1/schemes/").json()["results"]
    assert listed["name"] == "agent-process"
    document = client.get(f"/api/v1/schemes/{listed['id']}/").json()["document"]
    assert [field["name"] for field in document["fields"]] == ["label", "correction", "note", "final"]


@pytest.mark.parametrize("path", ["nothing/", "projects/mine/trajectories/x/", "projects/a%20b/", "projects/mine"])
def test_an_address_that_is_none_is_answered_in_the_usual_shape(client, project, path):
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "field", "accepted"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b"[" * 950 + b"]" * 950,
        b'{"slug": 1e999}',
        b'{"slug": NaN}',
        b'{"slug": "\\u0000"}',
        b'{"slug": "\\ud800"}',
        b"\xff",
        b'"text"',
        b"[]",
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(client, lead, body):
    answer = client.post("/api/v1/projects/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_beyond_the_limit_is_refused_before_it_is_read_whole(lead, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = client_with_token(lead).post("/api/v1/projects/", {"title": "x" * 1000}, format="json")
    assert answer.status_code == 413
    assert "1,000 bytes" in answer.json()["error"]
