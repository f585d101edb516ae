"""Bringing label files in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from annotations.models import Annotation, Event, Label, Project, Rater, Run
from annotations.services import imports, projects, ratings
from annotations.services.runs import working_on
from tests import make
from tests.db.importing import APB, CHAT, SAMPLES, file, rollout, take
from tests.db.test_imports_runs import media, uploaded  # noqa: F401 (a fixture)

LABELS = SAMPLES / "apb-labels.jsonl"

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    made = make.project()
    take(made, APB)
    return made


def bring(project: Project, *paths: Path, rater: str = "j", kind: str = "judge") -> dict[str, Any]:
    return ratings.import_labels(project, list(paths), rater=rater, kind=kind)


def row(sample: int = 0, **changed: Any) -> dict[str, Any]:
    """A judge's row about the sample's first rollout."""
    return json.loads(LABELS.read_text().splitlines()[0]) | {"sample_index": sample} | changed


def says(project: Project, rater: str = "j", rollout: int = 0) -> dict[Any, Any]:
    of = Label.objects.current().filter(annotation__rater__name=rater, annotation__rater__project=project)
    told = of.filter(annotation__trajectory__rollout=rollout, annotation__trajectory__superseded_at=None)
    return dict(told.values_list("step__source_index", "value"))


def test_a_judges_file_becomes_its_labels_and_reasons(project):
    result = bring(project, LABELS)
    assert (result["labels"], result["annotations"], result["failed"]) == (4, 2, 1)
    assert (result["unmatched"], result["rejected"]) == ([], [])
    assert says(project) == {2: 1, 4: 1, 6: -1, None: -1}
    label = Label.objects.get(annotation__rater__name="j", step__source_index=6)
    assert (label.origin, label.explanation) == ("judge", "Nothing was read of the shaft.")
    assert label.annotation.submitted_at.isoformat() == "2026-02-04T14:49:08.324653+00:00"


def test_a_failed_record_says_nothing_and_never_zero(project):
    bring(project, LABELS)
    failed = Annotation.objects.get(rater__name="j", trajectory__rollout=1)
    assert (failed.state, failed.comment) == ("failed", "llm_annotate_failed: no JSON in the reply")
    assert says(project, rollout=1) == {}


def test_labels_inside_a_failed_record_stay_with_it_but_its_final_zero_does_not(project, tmp_path):
    bring(
        project,
        file(tmp_path, row(comment=" llm_annotate_failed: cut", step_labels={"2": 1, "4": None}, final_label=0)),
    )
    assert Annotation.objects.get(rater__name="j").state == "failed"
    assert says(project) == {2: 1}


def test_importing_again_changes_nothing(project):
    bring(project, LABELS)
    before = list(Label.objects.order_by("pk").values_list("pk", "superseded_at"))
    result = bring(project, LABELS)
    assert (result["labels"], result["annotations"], result["unchanged"], result["failed"]) == (0, 0, 2, 1)
    assert before == list(Label.objects.order_by("pk").values_list("pk", "superseded_at"))


def test_a_record_that_was_refused_whole_is_not_told_as_unchanged(project, tmp_path):
    result = bring(project, file(tmp_path, row(step_labels={"2": 5}, final_label=None)))
    assert (result["unchanged"], len(result["rejected"])) == (0, 1)


def test_a_changed_file_supersedes_and_says_so(project, tmp_path):
    bring(project, LABELS)
    result = bring(project, file(tmp_path, row(step_labels={"2": 1, "4": 0}, final_label=-1)))
    assert (result["labels"], result["annotations"]) == (1, 1)
    assert says(project) == {2: 1, 4: 0, None: -1}
    annotation = Annotation.objects.get(rater__name="j", trajectory__rollout=0)
    event = Event.objects.get(annotation=annotation)
    assert (annotation.revision, event.verb, event.revision) == (1, "labels.imported", 1)
    assert {one["value"] for one in event.before["labels"]} == {1, -1}


def test_a_judge_that_succeeds_later_is_no_longer_failed(project, tmp_path):
    bring(project, LABELS)
    bring(project, file(tmp_path, row(1)))
    assert Annotation.objects.get(rater__name="j", trajectory__rollout=1).state == "submitted"
    assert says(project, rollout=1) == {2: 1, 4: 1, 6: -1, None: -1}


@pytest.mark.parametrize(
    ("times", "winner"),
    [
        (("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", None), 0),
        (("2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00Z", None), 1),
        ((None, None, None), 2),
        ((None, 1767225600, None), 1),
        (("2026-01-01", "2026-01-01", ""), 1),
        (("yesterday", None, "2020-01-01"), 2),
    ],
)
def test_of_several_rows_the_newest_counts(project, tmp_path, times, winner):
    values = (1, 0, -1)
    lines = [row(step_labels={"2": one}, updated_at=at) for one, at in zip(values, times, strict=True)]
    bring(project, file(tmp_path, *lines))
    assert says(project)[2] == values[winner]


def test_a_row_without_updated_at_is_as_old_as_it_was_created(project, tmp_path):
    old = row(step_labels={"2": 0}, created_at="2020-01-01")
    old.pop("updated_at")
    bring(project, file(tmp_path, row(step_labels={"2": 1}, updated_at="2021-01-01"), old))
    assert says(project)[2] == 1


def test_rows_are_joined_on_total_index_first(project, tmp_path):
    bare = {"step_labels": {"2": 0}, "total_index": 1}
    assert bring(project, file(tmp_path, bare))["annotations"] == 1
    assert says(project, rollout=1) == {2: 0}


@pytest.mark.parametrize("total", [1, 77])
def test_a_total_index_that_contradicts_the_rest_is_rejected(project, tmp_path, total):
    result = bring(project, file(tmp_path, row(total_index=total), row(1)))
    assert (result["annotations"], len(result["rejected"]), result["unmatched"]) == (1, 1, [])
    assert result["rejected"][0]["field"] == "total_index" and result["rejected"][0]["line"] == 1


def test_rows_about_what_is_not_here_are_listed_and_stop_nothing(project, tmp_path):
    result = bring(project, file(tmp_path, row(9), row(0), row(total_index=500, query_index=99)))
    assert result["annotations"] == 1 and result["rejected"] == []
    assert [(one["line"], one["record"]) for one in result["unmatched"]] == [(1, "sample:0:9"), (3, "sample:99:0")]


def test_labels_of_a_chat_are_joined_by_its_name(tmp_path):
    project = make.project()
    take(project, CHAT)
    name = project.trajectories.get(rollout=1).external_id
    assert bring(project, file(tmp_path, {"record_id": name, "step_labels": {"2": 1}}))["annotations"] == 1


def test_what_does_not_fit_is_rejected_and_the_rest_stays(project, tmp_path):
    result = bring(project, file(tmp_path, row(step_labels={"2": 1, "3": 1, "4": "?"}), "{", {"step_labels": {}}))
    assert says(project) == {2: 1, None: -1}
    assert [(one["line"], one["field"]) for one in result["rejected"]] == [
        (2, ""),
        (3, "total_index"),
        (1, "step_labels.3"),
        (1, "step_labels.4"),
    ]


def test_a_trajectory_file_is_no_label_file(project):
    result = bring(project, APB, LABELS)
    assert result["annotations"] == 2
    assert "use import_trajectories" in result["rejected"][0]["reason"]


def test_only_known_kinds_and_free_names_rate(project):
    with pytest.raises(ratings.WrongRater, match="human, judge, import"):
        bring(project, LABELS, kind="oracle")
    anna = make.user("anna")
    make.rater(project, "anna", Rater.Kind.HUMAN, anna)
    with pytest.raises(ratings.WrongRater, match="login"):
        bring(project, LABELS, rater="anna", kind="human")
    assert bring(project, LABELS, rater="anna", kind="judge")["annotations"] == 2


def test_imported_people_say_it_as_imported(project):
    bring(project, LABELS, rater="expert", kind="human")
    assert set(Label.objects.filter(annotation__rater__name="expert").values_list("origin", flat=True)) == {"import"}


@pytest.mark.django_db(transaction=True)
def test_a_killed_label_import_goes_on_and_reports_the_same(media, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(ratings, "ROWS", 10)
    trajectories = file(tmp_path, *(rollout(n) for n in range(60)))
    labels = file(tmp_path, "{", *(row(n) for n in range(80)), name="labels.jsonl")
    take(other := make.project(), trajectories)
    whole = bring(other, labels)

    take(project := make.project(), trajectories)
    run = uploaded(project, labels, what="labels", rater="j", rater_kind="judge")
    batch, calls = ratings._Import.batch, []

    def dies(self: Any, *args: Any) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise SystemExit("killed")
        batch(self, *args)

    monkeypatch.setattr(ratings._Import, "batch", dies)
    with pytest.raises(SystemExit), working_on(run.pk) as claim:
        imports.perform(claim)
    assert Annotation.objects.filter(rater__project=project, rater__name="j").count() == 30
    with working_on(run.pk) as claim:
        imports.perform(claim)
    run.refresh_from_db()
    assert (run.state, run.done, run.total) == (Run.State.DONE, 80, 80)
    assert {name: run.result[name] for name in whole} == whole
    assert (whole["annotations"], len(whole["unmatched"]), len(whole["rejected"])) == (60, 20, 1)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_labels_at_once_store_them_once(tmp_path):
    project = projects.create(slug="twice")
    take(project, file(tmp_path, *(rollout(n) for n in range(40))))
    path = file(tmp_path, *(row(n) for n in range(40)), name="labels.jsonl")

    def work() -> None:
        try:
            bring(Project.objects.get(pk=project.pk), path)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Annotation.objects.filter(rater__name="j").count() == 40
    assert Label.objects.filter(annotation__rater__name="j").count() == 160


@pytest.mark.data
def test_the_ten_judges_join_the_shared_trajectories(shared_data):
    project, base = make.project(), shared_data / "agentprocessbench"
    take(project, base / "trajectories" / "hotpotqa_q00-29.jsonl.gz")
    judges = sorted(base.glob("judges/*/hotpotqa*"))
    assert len(judges) == 10
    failed = {}
    for path in judges:
        result = bring(project, path, rater=path.parent.name)
        assert (result["annotations"], len(result["unmatched"]), result["rejected"]) == (150, 100, [])
        failed[path.parent.name] = result["failed"]
    assert {name: number for name, number in failed.items() if number} == _failures(judges)
    gold = bring(project, base / "gold" / "hotpotqa_final.jsonl", rater="people", kind="import")
    assert (gold["labels"], len(gold["unmatched"])) == (426 + 150, 100)


def _failures(judges: list[Path]) -> dict[str, int]:
    """Failed calls about the first thirty tasks, counted from the files alone."""
    counted = {}
    for path in judges:
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        failed = [one for one in rows if (one["comment"] or "").startswith("llm_annotate_failed:")]
        counted[path.parent.name] = sum(one["query_index"] < 30 for one in failed)
    return {name: number for name, number in counted.items() if number}
