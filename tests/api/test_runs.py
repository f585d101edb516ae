from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotations import jobs
from annotations.models import ApiToken, Role, Run
from tests import make
from tests.api.conftest import client_of, client_with_token

pytestmark = pytest.mark.django_db

RUNS = "/api/v1/projects/mine/runs/"
SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(autouse=True)
def files_of_the_test(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def upload(client, content: bytes, name: str = "rollouts.jsonl", **fields):
    return client.post(f"{RUNS}import/", {"file": SimpleUploadedFile(name, content), **fields}, format="multipart")


def finished(answer) -> Run:
    """The run an answer started, done here as a worker would."""
    assert answer.status_code == 201, answer.content
    return jobs.run_here(Run.objects.get(pk=answer.json()["id"]))


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_in_and_a_dataset_comes_out_by_token(project, lead):
    client = client_with_token(lead, project=project)
    run = finished(upload(client, gzip.compress((SAMPLES / "apb.jsonl").read_bytes()), "apb.jsonl.gz"))
    assert (run.state, run.error) == (Run.State.DONE, "")
    told = client.get(f"{RUNS}{run.pk}/").json()
    assert told["result"]["created"] == len(client.get("/api/v1/projects/mine/trajectories/").json()["results"])

    run = finished(client.post(f"{RUNS}export/", {"format": "apb"}, format="json"))
    assert (run.state, run.error) == (Run.State.DONE, "")
    (export,) = client.get("/api/v1/projects/mine/exports/").json()["results"]
    assert {file["name"] for file in export["files"]} > {"manifest.json"}
    contents = {file["name"]: b"".join(client.get(file["url"]).streaming_content) for file in export["files"]}
    for file in export["files"]:
        assert hashlib.sha256(contents[file["name"]]).hexdigest() == file["sha256"]
    del contents["manifest.json"], contents["README.md"]
    assert sum(len(content.splitlines()) for content in contents.values()) == export["rows"]


def test_a_reading_token_downloads_and_starts_nothing(project, lead, client):
    finished(upload(client, (SAMPLES / "apb.jsonl").read_bytes()))
    run = finished(client.post(f"{RUNS}export/", {"format": "parquet"}, format="json"))
    reader = client_with_token(lead, scope=ApiToken.Scope.READ)
    file = reader.get(f"/api/v1/projects/mine/exports/{run.pk}/").json()["files"][0]
    answer = reader.get(file["url"])
    assert (answer.status_code, len(b"".join(answer.streaming_content)) > 0) == (200, True)
    assert reader.post(f"{RUNS}export/", {"format": "parquet"}, format="json").status_code == 403


@pytest.mark.parametrize("name", ["../../secret", "none.jsonl", "%2e%2e/manifest.json"])
def test_only_an_exports_own_files_are_sent(project, client, name):
    run = Run.objects.create(project=project, kind="export", state="done", result={"files": ["manifest.json"]})
    assert client.get(f"/api/v1/projects/mine/exports/{run.pk}/files/{name}").status_code == 404


def test_an_export_of_another_project_is_not_reached_through_ones_own(project, client):
    elsewhere = Run.objects.create(project=make.project(), kind="export", state="done", result={"files": ["a"]})
    assert client.get(f"/api/v1/projects/mine/exports/{elsewhere.pk}/").status_code == 404
    assert client.get(f"/api/v1/projects/mine/exports/{elsewhere.pk}/files/a").status_code == 404
    assert client.get(f"{RUNS}{elsewhere.pk}/").status_code == 404


def test_an_import_lists_what_it_refused(project, client):
    run = finished(upload(client, b'{"messages": 3}\nnot json\n', format="openai-chat"))
    rejected = client.get(f"{RUNS}{run.pk}/").json()["result"]["rejected"]
    assert [one["line"] for one in rejected] == [1, 2]


def test_an_import_that_is_not_understood_is_refused_before_it_starts(project, client):
    assert upload(client, b"").json()["field"] == "file"
    assert client.post(f"{RUNS}import/", {}, format="multipart").json()["field"] == "file"
    unknown = upload(client, b"{}", format="csv").json()
    assert (unknown["field"], "auto" in unknown["accepted"]) == ("format", True)
    assert upload(client, b"{}", what="labels").json()["field"] == "rater"
    assert client.post(f"{RUNS}import/", {"file": "x"}, format="json").status_code == 415
    assert not Run.objects.exists()


def test_labels_of_a_judge_go_in(project, client):
    finished(upload(client, (SAMPLES / "apb.jsonl").read_bytes()))
    labels = (SAMPLES / "apb-labels.jsonl").read_bytes()
    finished(upload(client, labels, what="labels", rater="my-judge", rater_kind="judge"))
    found = client.get("/api/v1/projects/mine/labels/", {"rater": "my-judge"}).json()["results"]
    assert {one["kind"] for one in found} == {"judge"}


def test_agreement_is_computed_and_read(project, client):
    trajectory = make.trajectory(project)
    for name, values in (("gold", [1, 0, -1]), ("judge", [1, 1, -1])):
        make.rating(make.rater(project, name), trajectory, values, final=1)
    finished(client.post(f"{RUNS}agreement/", {"reference": "gold"}, format="json"))
    (report,) = client.get("/api/v1/projects/mine/reports/").json()["results"]
    result = client.get(f"/api/v1/projects/mine/reports/{report['id']}/").json()["result"]
    assert result["reference"] == "gold"
    refused = client.post(f"{RUNS}agreement/", {"reference": "nobody"}, format="json")
    assert (refused.status_code, refused.json()["field"]) == (400, "reference")


def test_what_cannot_be_started_says_what_can(project, client):
    scorer = client.post(f"{RUNS}score/", {"scorer": "none"}, format="json").json()
    assert (scorer["field"], "embedded" in scorer["accepted"]) == ("scorer", True)
    export = client.post(f"{RUNS}export/", {"format": "docx"}, format="json").json()
    assert "parquet" in export["accepted"]
    rater = client.post(f"{RUNS}export/", {"format": "apb", "rater": "nobody"}, format="json").json()
    assert rater["field"] == "rater"


def test_a_run_is_stopped_once_and_repeated_as_a_new_one(project, client):
    started = client.post(f"{RUNS}score/", {"scorer": "embedded"}, format="json").json()
    one = f"{RUNS}{started['id']}/"
    assert client.post(f"{one}retry/").status_code == 409
    assert client.post(f"{one}cancel/").json()["state"] == "cancelled"
    assert client.post(f"{one}cancel/").status_code == 409
    again = client.post(f"{one}retry/")
    assert (again.status_code, again.json()["retry_of"]) == (201, started["id"])
    assert client.get(RUNS, {"state": "queued"}).json()["results"][0]["id"] == again.json()["id"]


def test_a_reviewer_stops_only_what_they_started(project, client):
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    leads = client.post(f"{RUNS}score/", {"scorer": "embedded"}, format="json").json()
    own = client_of(reviewer).post(f"{RUNS}agreement/", {}, format="json").json()
    assert client_of(reviewer).post(f"{RUNS}{leads['id']}/cancel/").status_code == 403
    assert client_of(reviewer).post(f"{RUNS}{own['id']}/cancel/").status_code == 200


def test_what_a_file_says_beside_the_trajectory_is_not_sent_to_an_annotator_in_blind_mode(project, client):
    """Whatever the file calls it: fields we know, fields we do not, in the record and in its messages."""
    record = json.loads((SAMPLES / "apb.jsonl").read_text().splitlines()[0])
    hidden = ["ground_truth", "answer_text", "reward_info", "meta", "score", "tool_metrics", "final_label", "outcome"]
    record |= {name: {"x": f"zq-{name}"} for name in hidden if name not in ("answer_text", "final_label")}
    record["answer_text"] = "zq-answer_text"
    for message in record["messages"]:
        message["judgement"] = "zq-in-a-message"
    finished(upload(client, json.dumps(record).encode()))
    ann = make.user()
    make.member(project, ann)
    theirs = client_of(ann)
    (one,) = theirs.get("/api/v1/projects/mine/trajectories/").json()["results"]
    paths = [f"trajectories/{one['id']}/?steps=true", f"tasks/{one['task']}/", "steps/", "labels/", "raters/"]
    for path in paths:
        answer = theirs.get(f"/api/v1/projects/mine/{path}")
        assert answer.status_code == 200
        assert "zq-" not in answer.content.decode(), path
    lead_sees = client.get(f"/api/v1/projects/mine/trajectories/{one['id']}/?steps=true").content.decode()
    assert "zq-ground_truth" in lead_sees


def test_an_export_in_another_scheme_starts_or_says_which_can_be_reached(project, client):
    refused = client.post(f"{RUNS}export/", {"format": "apb", "as_scheme": "rollout-ranking"}, format="json")
    assert refused.status_code == 400 and refused.json()["field"] == "as_scheme"
    assert refused.json()["accepted"] == ["binary", "data-prm", "first-error", "prm800k", "processbench"]
    run = finished(client.post(f"{RUNS}export/", {"format": "csv", "as_scheme": "binary"}, format="json"))
    assert run.config["as_scheme"] == "binary" and "manifest.json" in run.result["files"]


def test_a_run_is_paused_and_resumed(project, client):
    started = client.post(f"{RUNS}score/", {"scorer": "embedded"}, format="json").json()
    one = f"{RUNS}{started['id']}/"
    assert client.post(f"{one}resume/").status_code == 409
    assert client.post(f"{one}pause/").json()["state"] == "paused"
    assert client.post(f"{one}pause/").status_code == 409
    assert client.post(f"{one}retry/").status_code == 409
    assert client.get(RUNS, {"state": "paused"}).json()["results"][0]["id"] == started["id"]
    assert client.post(f"{one}resume/").json()["state"] == "queued"
    agreement = client.post(f"{RUNS}agreement/", {}, format="json").json()
    refused = client.post(f"{RUNS}{agreement['id']}/pause/")
    assert (
        refused.status_code,
        "only import, judge, meanings, probe, rubrics and score runs" in refused.content.decode(),
    ) == (
        409,
        True,
    )
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    assert client_of(reviewer).post(f"{one}pause/").status_code == 403
