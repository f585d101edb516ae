"""Datasets of the Hugging Face hub as what is imported: a small server here speaks what the hub's client asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Label, NamedFormat, Project, Run, Trajectory
from annotations.services import export_push, exports, hub, runs, uploads
from annotations.services.hub import HubRefused
from tests import make
from tests.api.conftest import client_with_token
from tests.db.importing import APB, take
from tests.db.test_imports_runs import media  # noqa: F401 (a fixture)
from tests.hub import TOKEN, Hub, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media")]
SCRIPT = b"raise SystemExit('a script of a dataset was run')"
FILES = {"data/train.jsonl": APB.read_bytes(), "errands.py": SCRIPT, ".gitattributes": b"*", "README.md": b"# Errands"}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(hub, "PAUSES", (0, 0, 0))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        yield found


@pytest.fixture
def project(db: None) -> Project:
    return make.project()


def imported(project: Project, name: str, only: str = "", **how: Any) -> Run:
    """The run that imports it, done here as a worker would."""
    return jobs.run_here(uploads.start(project, None, hub.read(name, only=only), **how))


def fetched_paths(served: Hub) -> list[str]:
    return [path.split("/resolve/")[1].partition("/")[2] for path, _ in served.asked if "/resolve/" in path]


def failed(run: Run) -> str:
    assert run.state == Run.State.FAILED
    return run.error


def test_a_dataset_comes_in_at_one_commit_and_no_script_of_it_is_fetched(served, project):
    commit = served.put("lab/errands", FILES)
    run = imported(project, "lab/errands")
    assert (run.state, run.error, run.result["created"]) == ("done", "", 2)
    assert run.config["hub"] == {"name": "lab/errands", "commit": commit, "files": 1, "bytes": APB.stat().st_size}
    assert fetched_paths(served) == ["data/train.jsonl"]
    assert served.tokens == {""}, "nobody's token was sent"


def test_a_run_asked_again_brings_what_it_brought_though_the_dataset_has_moved_on(served, project):
    commit = served.put("lab/errands", FILES)
    first = imported(project, "lab/errands")
    served.put("lab/errands", {"data/train.jsonl": b"not json"})
    again = jobs.run_here(runs.retry(first, None))
    assert (again.state, again.result["unchanged"], again.config["hub"]["commit"]) == ("done", 2, commit)


def test_what_failed_and_is_tried_again_asks_for_the_same_commit(served, project):
    commit = served.put("lab/errands", FILES)
    served.breaks, served.times = 10, 99
    first = imported(project, "lab/errands")
    served.times = 0
    served.put("lab/errands", {"data/train.jsonl": b"not json"})
    again = jobs.run_here(runs.retry(first, None))
    assert "broke off" in failed(first) and served.address in first.error
    assert (again.state, again.result["created"], again.config["hub"]["commit"]) == ("done", 2, commit)


def test_an_export_that_was_pushed_comes_in_again_as_it_was(served, project, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    take(project, APB)
    run = jobs.run_here(jobs.start(Run.Kind.EXPORT, project, None, format="stepmark"))
    assert export_push.push_run(run, "lab/errands") == f"{served.address}/datasets/lab/errands"
    other = make.project()
    back = imported(other, "lab/errands")
    assert (back.state, back.error, back.result["rejected"]) == ("done", "", [])

    def held(of: Project) -> list[Any]:
        labels = Label.objects.filter(annotation__trajectory__project=of)
        names = ("annotation__trajectory__external_id", "step__index", "field", "value")
        return sorted(labels.values_list(*names), key=str)

    assert held(other) == held(project) != []
    assert exports.files_of(run).keys() >= {"manifest.json"} and "manifest.json" not in fetched_paths(served)


CARD = b"""---
configs:
- config_name: errands
  data_files:
  - {split: train, path: data/train-*.jsonl}
  - {split: test, path: [data/held.jsonl]}
- config_name: notes
  data_files: other/**/*.jsonl
---
"""
MANY = {
    "README.md": CARD,
    **{f"data/{name}.jsonl": APB.read_bytes() for name in ("train-0", "train-1", "held", "draft")},
    "other/deep/down.jsonl": APB.read_bytes(),
}


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ("", ["data/held", "data/train-0", "data/train-1", "other/deep/down"]),
        ("test", ["data/held"]),
        ("errands/train", ["data/train-0", "data/train-1"]),
        ("errands", ["data/held", "data/train-0", "data/train-1"]),
        ("notes", ["other/deep/down"]),
        ("data/draft.jsonl", ["data/draft"]),
        ("other", ["other/deep/down"]),
        ("data/*-1.jsonl", ["data/train-1"]),
        ("draft", ["data/draft"]),
    ],
)
def test_a_file_a_folder_a_pattern_or_a_split_of_the_card_is_what_is_fetched(served, only, found):
    served.put("lab/errands", MANY)
    with hub.fetched(hub.read("lab/errands", only=only)) as got:
        assert [one.path.removesuffix(".jsonl") for one in got.files] == found
        assert {(got.folder / one.path).read_bytes() for one in got.files} == {APB.read_bytes()}
    assert not got.folder.exists()


def test_several_files_come_in_together_and_can_be_pointed_at(served, project):
    odd = b'{"uid": "a", "dialog": [{"speaker": "bot", "utterance": "I measure it."}]}\n'
    served.put("lab/errands", {"train.jsonl": odd, "test.jsonl": APB.read_bytes()})
    run = imported(project, "lab/errands")
    assert (run.state, run.result["created"]) == ("done", 2)
    assert run.config["names"] == ["lab__errands.zip"]
    (problem,) = run.result["rejected"]
    assert problem["file"] == "lab__errands.zip/train.jsonl"
    lead = make.user()
    make.member(project, lead, "owner")
    client = Client()
    client.force_login(lead)
    page = client.get(reverse("import_map", args=[project.slug, run.pk]))
    assert page.status_code == 200 and not NamedFormat.objects.exists()


def test_where_the_network_breaks_off_the_download_goes_on_from_there(served, project):
    commit = served.put("lab/errands", FILES)
    served.breaks, served.times = 300, 2
    run = imported(project, "lab/errands")
    assert (run.state, run.result["created"]) == ("done", 2)
    assert [said for path, said in served.asked if f"/{commit}/" in path] == ["bytes=0-", "bytes=300-", "bytes=600-"]


def test_a_server_that_knows_no_ranges_is_skipped_through(served, project):
    served.put("lab/errands", FILES)
    served.ranges, served.breaks, served.times = False, 300, 2
    assert imported(project, "lab/errands").result["created"] == 2


def test_a_wrong_name_is_told_from_a_wrong_revision(served, project):
    served.put("lab/errands", FILES)
    assert "found no dataset lab/erands" in failed(imported(project, "lab/erands"))
    assert "has no revision 'v9'; accepted are main" in failed(imported(project, "lab/errands@v9"))


def test_a_gated_dataset_says_whose_terms_have_to_be_accepted(served, project, monkeypatch):
    served.put("lab/errands", FILES)
    served.gated.add("lab/errands")
    assert f"gated: somebody has to accept its terms at {served.address}/datasets/lab/errands" in failed(
        imported(project, "lab/errands")
    )
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    told = failed(imported(project, "lab/errands"))
    assert "found one that may not" in told and TOKEN not in told


@pytest.mark.parametrize(("status", "told"), [(401, "private"), (403, "private"), (500, "answered 500")])
def test_a_hub_that_refuses_is_quoted(served, project, status, told):
    served.refuses = status
    assert told in failed(imported(project, "lab/errands"))


def test_a_hub_that_cannot_be_reached_is_named(served, project, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached" in failed(imported(project, "lab/errands"))


def test_what_is_too_large_is_refused_before_anything_is_fetched(served, project, settings):
    settings.HUB_MAX_BYTES = 100
    served.put("lab/errands", FILES)
    told = failed(imported(project, "lab/errands"))
    assert "accepted are 0.0 MB (HUB_MAX_BYTES)" in told and fetched_paths(served) == []


def test_a_dataset_without_data_says_what_it_holds(served, project):
    served.put("lab/errands", {"errands.py": SCRIPT, "README.md": b"# Errands"})
    assert "found .py (1), .md (1) in the dataset; accepted are .csv" in failed(imported(project, "lab/errands"))


def test_a_split_that_is_not_there_is_answered_with_those_that_are(served, project):
    served.put("lab/errands", MANY)
    told = failed(imported(project, "lab/errands", only="dev"))
    assert "found nothing called 'dev'; accepted are the files data/draft.jsonl" in told and "train" in told


@pytest.mark.parametrize("path", ["../out.jsonl", "/etc/out.jsonl", "a/../../out.jsonl", ".hidden/out.jsonl"])
def test_a_name_that_leads_out_of_the_folder_is_no_data_file(served, project, path):
    served.put("lab/errands", {path: APB.read_bytes()})
    assert "found .jsonl (1) in the dataset" in failed(imported(project, "lab/errands"))
    assert fetched_paths(served) == []


@pytest.mark.parametrize("name", ["", "lab/errands/more", "../x", "http://127.0.0.1/x", "lab/er rands", "lab/x@a..b"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(served, name):
    with pytest.raises(HubRefused, match="accepted is"):
        hub.read(name)
    assert served.asked == []


def test_where_the_client_is_not_installed_it_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(HubRefused, match="pip install huggingface_hub"):
        hub.read("lab/errands")


def test_a_stopped_run_stops_fetching(served, project):
    served.put("lab/errands", FILES)
    run = uploads.start(project, None, hub.read("lab/errands"))
    with runs.working_on(run.pk) as claim:
        assert claim is not None
        runs.cancel(run, None)
        hub.perform(claim)
    run.refresh_from_db()
    assert (run.state, run.file) == ("cancelled", "") and fetched_paths(served) == []


def test_the_command_says_the_commit(served, project):
    commit = served.put("lab/errands", FILES)
    said = StringIO()
    call_command("import_trajectories", project.slug, "--hub", "lab/errands@main", stdout=said)
    assert f"1 files came from lab/errands@main at commit {commit}." in said.getvalue()
    assert project.trajectories.count() == 2
    with pytest.raises(CommandError, match="found no dataset lab/other"):
        call_command("import_trajectories", project.slug, "--hub", "lab/other")
    with pytest.raises(CommandError, match="Name a FILE"):
        call_command("import_trajectories", project.slug)


def test_the_api_starts_the_import_of_a_dataset(served, project):
    served.put("lab/errands", FILES)
    lead = make.user()
    make.member(project, lead, "owner")
    client = client_with_token(lead, project=project)
    address = f"/api/v1/projects/{project.slug}/runs/import/"
    answer = client.post(address, {"hub": "lab/errands", "hub_only": "data"}, format="multipart")
    assert answer.status_code == 201, answer.content
    assert answer.json()["config"]["hub"] == {"name": "lab/errands", "only": "data"}
    run = jobs.run_here(Run.objects.get(pk=answer.json()["id"]))
    assert (run.state, run.result["created"]) == ("done", 2)
    assert client.post(address, {"hub": "no such name"}, format="multipart").json()["field"] == "hub"
    assert client.post(address, {}, format="multipart").status_code == 400


def test_the_page_starts_the_import_of_a_dataset_and_says_what_is_wrong_with_a_name(served, project):
    served.put("lab/errands", FILES)
    lead = make.user()
    make.member(project, lead, "owner")
    client = Client()
    client.force_login(lead)
    address = reverse("imports", args=[project.slug])
    said = {"what": "trajectories", "hub": "lab/errands", "hub_revision": "main", "hub_only": "train"}
    answer = client.post(address, said)
    run = Run.objects.get()
    assert answer["Location"] == reverse("run", args=[project.slug, run.pk])
    assert run.config["hub"] == {"name": "lab/errands", "revision": "main", "only": "train"}
    jobs.run_here(run)
    assert Trajectory.objects.count() == 2
    assert "lab/errands train at" in client.get(answer["Location"]).content.decode()
    for wrong, told in (
        ({"hub": "../x"}, "accepted is NAME or OWNER/NAME"),
        ({"hub_only": "train"}, "Of which dataset?"),
        ({}, "Choose a file"),
    ):
        page = client.post(address, {"what": "trajectories", **wrong})
        assert page.status_code == 422 and told in page.content.decode()


def test_the_original_of_what_came_from_the_hub_is_kept(served, project):
    served.put("lab/errands", FILES)
    run = imported(project, "lab/errands")
    assert run.file == f"imports/{run.pk}/train.jsonl"
    assert Path(run.file).name == run.config["names"][0]
    assert json.loads(APB.read_text().splitlines()[0])
