"""Runs, imports, exports, scores: what is started, watched and taken away."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Project, Report, Role, Run, User, WorkerBeat
from tests import make, reports
from tests.db.test_pages import enter
from tests.db.test_pages_lists import scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User) -> Client:
    return enter(owner)


def test_runs_page_through_history_without_loading_results(client: Client, project: Project) -> None:
    for _ in range(31):
        Run.objects.create(project=project, kind="export", state="done", result={"rows": 1})
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(reverse("runs", args=[project.slug]))
    assert len(answer.context["rows"]) == 30
    assert len(asked) <= 5
    assert '"annotations_run"."result"' not in " ".join(query["sql"] for query in asked.captured_queries)
    older = client.get(reverse("runs", args=[project.slug]), {"before": answer.context["older"]})
    assert len(older.context["rows"]) == 1


def test_a_run_polls_until_it_is_over(client: Client, project: Project) -> None:
    run = Run.objects.create(project=project, kind="score", state="running", done=20, total=80, config={})
    run.started_at = timezone.now() - timedelta(seconds=10)
    run.beat_at = run.started_at + timedelta(seconds=10)
    run.save()
    address = reverse("run", args=[project.slug, run.pk])
    running = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in running
    assert "2/s" in running
    assert "30 s left" in running
    assert "<html" not in running
    Run.objects.filter(pk=run.pk).update(state="done")
    assert "hx-trigger" not in client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_a_run_without_a_worker_says_so_and_how_to_start_one(client: Client, project: Project) -> None:
    run = Run.objects.create(project=project, kind="score", config={})
    address = reverse("run", args=[project.slug, run.pk])
    assert "make worker" in client.get(address).content.decode()
    WorkerBeat.objects.create(name="w", queues=["gpu"], beat_at=timezone.now())
    assert "make worker" not in client.get(address).content.decode()


def test_a_run_of_another_project_is_not_there(client: Client, project: Project) -> None:
    run = Run.objects.create(project=make.project(), kind="score", config={})
    for name in ("run", "run_problems_csv", "export_zip"):
        assert client.get(reverse(name, args=[project.slug, run.pk])).status_code == 404
    for name in ("run_cancel", "run_retry"):
        assert client.post(reverse(name, args=[project.slug, run.pk])).status_code == 404


def test_a_reviewer_stops_their_own_run_and_no_other(project: Project, owner: User) -> None:
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    client = enter(reviewer)
    mine = Run.objects.create(project=project, kind="export", created_by=reviewer)
    other = Run.objects.create(project=project, kind="export", created_by=owner)
    assert client.post(reverse("run_cancel", args=[project.slug, mine.pk])).status_code == 302
    assert client.post(reverse("run_cancel", args=[project.slug, other.pk])).status_code == 403
    assert [run.state for run in Run.objects.order_by("pk")] == ["cancelled", "queued"]


def test_a_manager_who_became_a_reviewer_cannot_repeat_their_import(project: Project) -> None:
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    mine = Run.objects.create(project=project, kind="import", created_by=reviewer, state="failed")
    assert enter(reviewer).post(reverse("run_retry", args=[project.slug, mine.pk])).status_code == 403


@pytest.mark.parametrize("odd", ["9" * 40, "9" * 5000, "x", "", "-1", "²"])
def test_an_odd_address_of_older_runs_is_no_error(client: Client, project: Project, odd: str) -> None:
    assert client.get(reverse("runs", args=[project.slug]), {"before": odd}).status_code == 200


@pytest.mark.parametrize("name", ["imports", "exports", "agreement", "project"])
def test_tables_of_runs_do_not_load_their_results(client: Client, project: Project, name: str) -> None:
    for kind in ("import", "export", "agreement"):
        Run.objects.create(project=project, kind=kind, state="running", result={"rejected": []})
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse(name, args=[project.slug])).context["rows"]
    assert '"annotations_run"."result"' not in " ".join(query["sql"] for query in asked.captured_queries)


def test_refused_records_are_a_table_and_a_file_that_runs_no_formula(client: Client, project: Project) -> None:
    problem = {"file": "a.jsonl", "line": 7, "field": "messages", "reason": "=1+1 is no list"}
    result = {"created": 3, "rejected": [problem], "unmatched": ["x:1:0"]}
    run = Run.objects.create(project=project, kind="import", state="done", result=result)
    page = client.get(reverse("run", args=[project.slug, run.pk])).content.decode()
    for said in ("a.jsonl", "messages", "=1+1 is no list", "x:1:0"):
        assert said in page
    table = client.get(reverse("run_problems_csv", args=[project.slug, run.pk])).content.decode()
    assert table.splitlines() == ["file,line,field,reason", "a.jsonl,7,messages,'=1+1 is no list"]
    whole = client.get(reverse("run_problems_json", args=[project.slug, run.pk])).json()
    assert whole == {"rejected": [problem], "unmatched": ["x:1:0"], "lost": [], "unconverted": [], "duplicates": []}


def test_an_upload_becomes_a_run_with_its_file_in_place(client: Client, project: Project, owner: User) -> None:
    file = SimpleUploadedFile("../../sly.jsonl", b'{"messages": []}\n')
    answer = client.post(reverse("imports", args=[project.slug]), {"what": "trajectories", "files": [file]})
    run = Run.objects.get(kind="import")
    assert answer.headers["Location"] == reverse("run", args=[project.slug, run.pk])
    assert (run.created_by, run.config["names"]) == (owner, ["sly.jsonl"])
    with default_storage.open(run.file) as stored:
        assert stored.read() == b'{"messages": []}\n'


def test_labels_need_the_name_of_their_rater(client: Client, project: Project) -> None:
    address = reverse("imports", args=[project.slug])
    labels = client.post(address, {"what": "labels", "files": [SimpleUploadedFile("a.jsonl", b"{}")]})
    assert labels.status_code == 422
    assert "need the name of their rater" in labels.content.decode()
    assert not Run.objects.exists()


def test_an_export_is_downloaded_by_who_may_take_data(client: Client, project: Project) -> None:
    run = Run.objects.create(
        project=project,
        kind="export",
        state="done",
        result={"rows": 1, "files": ["a.jsonl", "manifest.json"], "sha256": {"a.jsonl": "ab" * 32}},
    )
    for name in ("a.jsonl", "manifest.json"):
        default_storage.save(f"exports/{run.pk}/{name}", ContentFile(f"{name}\n".encode()))
    file = reverse("export_file", args=[project.slug, run.pk, "a.jsonl"])
    answer = client.get(file)
    assert b"".join(answer.streaming_content) == b"a.jsonl\n"  # type: ignore[attr-defined]
    archive = client.get(reverse("export_zip", args=[project.slug, run.pk]))
    assert names_in(b"".join(archive.streaming_content)) == {"a.jsonl", "manifest.json"}  # type: ignore[attr-defined]
    for sly in ("other.jsonl", "../../secret_key", "..%2f..%2fsecret_key"):
        address = reverse("run", args=[project.slug, run.pk]).replace("runs", "exports") + f"files/{sly}"
        assert client.get(address).status_code == 404
    annotator = make.user()
    make.member(project, annotator)
    assert enter(annotator).get(file).status_code == 403
    assert enter(make.user()).get(file).status_code == 404


def names_in(archive: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return set(opened.namelist())


def test_an_export_shows_its_first_rows_and_its_command(client: Client, project: Project) -> None:
    judge = make.rater(project, "the judge")
    make.rating(judge, make.trajectory(project), [1, 1, -1])
    asked = {"format": "trl-stepwise", "rater": "judge:the judge", "zero": "true"}
    answer = client.get(reverse("exports", args=[project.slug]), asked, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "&quot;completions&quot;" in page
    assert "python manage.py export" in page
    assert "--rater &#x27;judge:the judge&#x27;" in page
    bare = client.get(reverse("exports", args=[project.slug]), {"format": "apb"}).content.decode()
    assert "no reference rater" in bare


def test_starting_work_makes_a_run_with_what_was_asked(client: Client, project: Project) -> None:
    make.rater(project, "gold", "import")
    client.post(reverse("agreement", args=[project.slug]), {"reference": "import:gold", "official": "1"})
    client.post(reverse("exports", args=[project.slug]), {"format": "parquet", "rater": ""})
    client.post(reverse("scores", args=[project.slug]), {"scorer": "embedded"})
    assert [(run.kind, run.config) for run in Run.objects.order_by("pk")] == [
        ("agreement", {"reference": "import:gold", "official": True}),
        ("export", {"format": "parquet"}),
        ("score", {"scorer": "embedded"}),
    ]


def test_the_scores_page_shows_how_scores_lie_beside_the_reference(client: Client, project: Project) -> None:
    gold = make.rater(project, "gold", "import")
    project.reference = gold
    project.save()
    one = make.trajectory(project)
    make.rating(gold, one, [1, 0, -1])
    scored(one, [0.99, 1.0, 0.02])
    page = client.get(reverse("scores", args=[project.slug]))
    spans = page.context["scorers"][0].spans
    assert spans[0].counts == {"right": 0, "neutral": 0, "wrong": 1, "none": 0}
    assert spans[-1].counts == {"right": 1, "neutral": 1, "wrong": 0, "none": 0}


def test_a_report_shows_its_figures_and_why_one_is_undefined(client: Client, project: Project) -> None:
    report = Report.objects.create(project=project, result=reports.full())
    page = client.get(reverse("report", args=[project.slug, report.pk])).content.decode()
    for said in ("0.800", "0.700–0.900", "only one rater", "always 1", "no variation", "3 labels of 3 raters"):
        assert said in page
    by_hand = client.get(reverse("report", args=[project.slug, report.pk]), {"by_hand": ""})
    assert by_hand.context["without"] == "by_hand"
    other = Report.objects.create(project=make.project(), result=reports.full())
    assert client.get(reverse("report", args=[project.slug, other.pk])).status_code == 404


def test_the_overview_asks_for_runs_in_flight_alone(client: Client, project: Project) -> None:
    Run.objects.create(project=project, kind="score", state="done")
    going = Run.objects.create(project=project, kind="export")
    answer = client.get(reverse("runs", args=[project.slug]) + "?open", headers={"HX-Request": "true"})
    assert [row.run for row in answer.context["rows"]] == [going]
    assert "runs/?open" in answer.content.decode()
