"""Taking datasets away."""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import tracemalloc
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.backends.postgresql.base import ServerSideCursor

from annotations import formats
from annotations.models import Annotation, Label, Project, Rater, Run, Score
from annotations.services import exports, imports, ratings, watch
from annotations.services.runs import Cancelled, Claim, working_on
from tests import make
from tests.db.importing import APB, CHAT, SAMPLES, file, rollout, take
from tests.db.test_imports_runs import media  # noqa: F401 (a fixture)

LABELS = SAMPLES / "apb-labels.jsonl"

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    made = make.project()
    take(made, APB)
    ratings.import_labels(made, [LABELS], rater="j", kind="judge")
    return made


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def test_the_untouched_reference_leaves_as_it_came(project, tmp_path):
    result = exports.export(project, "apb", tmp_path)
    assert (result["rows"], result["files"]) == (2, ["sample.jsonl", "README.md", "manifest.json"])
    assert (tmp_path / "sample.jsonl").read_bytes() == APB.read_bytes()
    assert result["sha256"]["sample.jsonl"] == hashlib.sha256(APB.read_bytes()).hexdigest()


def test_export_import_export_is_the_same_bytes(project, tmp_path):
    take(project, CHAT)
    chat = project.trajectories.filter(format="openai-chat")
    for one in chat:
        make.rating(project.reference, one, [1] * one.steps.of_agent().count(), final=1)
    exports.export(project, "apb", tmp_path / "first")
    again = make.project()
    files = sorted((tmp_path / "first").glob("*.jsonl"))
    assert len(files) == 2
    assert take(again, *files)["rejected"] == []
    exports.export(again, "apb", tmp_path / "second")
    for one in files:
        assert one.read_bytes() == (tmp_path / "second" / one.name).read_bytes()


def test_another_raters_labels_go_into_the_full_records(project, tmp_path):
    exports.export(project, "apb", tmp_path, rater="judge:j")
    (row,) = lines(tmp_path / "sample.jsonl")
    assert (row["step_labels"], row["final_label"]) == ({"2": 1, "4": 1, "6": -1}, -1)
    assert row["messages"] == lines(APB)[0]["messages"]


def test_every_raters_labels_have_a_file_of_their_own(project, tmp_path):
    result = exports.export(project, "apb-labels", tmp_path)
    assert result["files"] == ["sample__gold.jsonl", "sample__j.jsonl", "README.md", "manifest.json"]
    said, failed = lines(tmp_path / "sample__j.jsonl")
    original, broken = lines(LABELS)
    for name in ("step_labels", "final_label", "explanations", "updated_at", "record_id", "query_index", "comment"):
        assert said[name] == original[name]
    assert failed["comment"] == broken["comment"] and failed["final_label"] is None
    assert failed["step_labels"] == broken["step_labels"]


def test_label_files_come_back_in_unchanged(project, tmp_path):
    exports.export(project, "apb-labels", tmp_path, rater="j")
    again = ratings.import_labels(project, [tmp_path / "sample__j.jsonl"], rater="j", kind="judge")
    assert (again["labels"], again["annotations"], again["unchanged"]) == (0, 0, 2)


def test_two_raters_of_one_name_get_two_files(project, tmp_path):
    ratings.import_labels(project, [LABELS], rater="j", kind="import")
    files = exports.export(project, "apb-labels", tmp_path)["files"]
    assert files[1:3] == ["sample__import-j.jsonl", "sample__judge-j.jsonl"]
    with pytest.raises(exports.ExportRefused, match="several"):
        exports.export(project, "apb", tmp_path, rater="j")


def test_a_name_that_could_mislead_a_file_system_cannot(project, tmp_path):
    make.rating(make.rater(project, "../../etc/x y"), project.trajectories.first(), [1, 1, 1])
    files = exports.export(project, "apb-labels", tmp_path)["files"]
    assert "sample__etc-x-y.jsonl" in files
    assert {one.name for one in tmp_path.iterdir()} == set(files)


@pytest.mark.parametrize(
    ("zero", "expected"), [("drop", [True]), ("true", [True, True, False]), ("false", [True, False, False])]
)
def test_what_a_zero_becomes_is_an_option_that_the_manifest_names(project, tmp_path, zero, expected):
    exports.export(project, "trl-stepwise", tmp_path, options={"zero": zero})
    (path,) = tmp_path.glob("*.jsonl")
    assert [row["labels"] for row in lines(path)] == [expected] * 2
    assert all(len(row["completions"]) == len(row["labels"]) for row in lines(path))
    assert manifest(tmp_path)["options"] == {"zero": zero}


def test_a_trajectory_without_a_usable_label_is_counted_not_written(project, tmp_path):
    Label.objects.filter(annotation__trajectory__rollout=1, step__source_index=2).delete()
    assert exports.export(project, "trl-stepwise", tmp_path)["rows"] == 1
    assert manifest(tmp_path)["counts"] == {"rows": 1, "without_a_row": 1}


def test_the_long_table_has_one_row_a_label(project, tmp_path):
    from pyarrow import parquet

    result = exports.export(project, "parquet", tmp_path)
    table = parquet.read_table(tmp_path / result["files"][0]).to_pylist()
    submitted = Label.objects.current().filter(annotation__state="submitted")
    assert len(table) == result["rows"] == submitted.count() == 12
    (row,) = [one for one in table if one["rater"] == "j" and one["source_index"] == 6]
    assert (row["value"], row["number"], row["origin"], row["explanation"]) == (
        "-1",
        -1.0,
        "judge",
        "Nothing was read of the shaft.",
    )
    assert (row["mode"], row["scheme"], row["scheme_version"], row["task"]) == (
        "blind",
        "agent-process",
        "1",
        "sample:0",
    )
    (final,) = [one for one in table if one["rater"] == "j" and one["field"] == "final"]
    assert (final["step"], final["step_id"], final["rollout"]) == (None, None, 0)


def test_propagated_labels_name_their_cause_in_the_long_table(project, tmp_path):
    from pyarrow import parquet

    annotation = Annotation.objects.get(rater__name="j", state="submitted")
    steps = list(annotation.trajectory.steps.of_agent())
    annotation.labels.all().delete()
    cause = Label.objects.create(annotation=annotation, step=steps[0], field="label", value=-1, origin="human")
    Label.objects.create(
        annotation=annotation, step=steps[1], field="label", value=-1, origin="propagated", cause=cause
    )
    result = exports.export(project, "parquet", tmp_path, rater="j")
    table = parquet.read_table(tmp_path / result["files"][0]).to_pylist()
    assert [(row["origin"], row["cause_step"]) for row in table] == [("human", None), ("propagated", 2)]


def test_each_label_of_the_long_table_names_the_guidelines_that_were_shown_with_it(project, tmp_path):
    from pyarrow import parquet

    annotation = Annotation.objects.get(rater__name="j", state="submitted")
    old, new = (project.guidelines.create(version=number, text=f"Version {number}.") for number in (2, 3))
    annotation.labels.filter(step__isnull=False).update(guideline=old)
    Annotation.objects.filter(pk=annotation.pk).update(guideline=new)
    result = exports.export(project, "parquet", tmp_path, rater="j")
    table = parquet.read_table(tmp_path / result["files"][0]).to_pylist()
    assert {row["guideline_version"] for row in table if row["step"] is not None} == {2}
    assert [row["guideline_version"] for row in table if row["step"] is None] == [3], "it was given without naming one"


def test_only_finished_work_on_the_newest_version_goes_out(project, tmp_path):
    person = make.rater(project, "p", Rater.Kind.HUMAN, make.user())
    first, second = project.trajectories.order_by("rollout")
    make.rating(person, first, [1, 1, 1], final=1)
    make.rating(person, second, [1, 1, None], state="draft")
    assert exports.export(project, "apb", tmp_path, rater="p")["rows"] == 1
    assert manifest(tmp_path)["raters"] == [{"kind": "human", "name": "p", "annotations": {"draft": 1, "submitted": 1}}]


def test_the_manifest_says_what_the_dataset_was_made_of(project, tmp_path):
    result = exports.export(project, "apb-labels", tmp_path)
    told = manifest(tmp_path)
    assert told["project"]["slug"] == project.slug and told["format"] == "apb-labels"
    assert told["scheme"] == {"name": "agent-process", "version": "1", "sha256": project.scheme.sha256}
    assert (told["sha256"], told["counts"]["rows"]) == (result["sha256"], 4)
    assert told["visibility_modes"] == {"blind": 3} and told["propagation_policies"] == {"off": 3}
    assert told["label_origins"] == {"import": 8, "judge": 4}
    for name, digest in told["sha256"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_what_cannot_be_exported_says_what_can(project, tmp_path):
    with pytest.raises(formats.UnknownFormat, match="accepted are stepmark, apb, apb-labels, .*trl-stepwise"):
        exports.export(project, "excel", tmp_path)
    with pytest.raises(exports.ExportRefused, match="import:gold, judge:j"):
        exports.export(project, "apb", tmp_path, rater="nobody")
    with pytest.raises(exports.ExportRefused, match="drop, true, false"):
        exports.export(project, "trl-stepwise", tmp_path, options={"zero": "perhaps"})
    with pytest.raises(exports.ExportRefused, match="no reference rater"):
        exports.export(make.project(), "apb", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_the_old_files(project, tmp_path, monkeypatch):
    exports.export(project, "apb", tmp_path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    Label.objects.filter(annotation__rater=project.reference).update(value=1)

    def breaks(*args: Any, **more: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(exports.export_manifest, "of", breaks)
    with pytest.raises(OSError, match="full"):
        exports.export(project, "apb", tmp_path)
    assert before == {one.name: one.read_bytes() for one in tmp_path.iterdir()}


def test_memory_does_not_grow_with_the_dataset(tmp_path):
    peaks = []
    for size in (200, 1_000):
        project = make.project()
        take(project, file(tmp_path, *(rollout(n, answer_text="x" * 10_000) for n in range(size))))
        exports.export(project, "apb", tmp_path / "warm")
        tracemalloc.start()
        exports.export(project, "apb", tmp_path / "out")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (tmp_path / "out" / "sample.jsonl").stat().st_size > 10_000_000
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.django_db(transaction=True)
def test_a_run_keeps_its_files_and_counts_to_the_end(media, tmp_path):  # noqa: F811
    project = make.project()
    take(project, APB)
    asked = {"format": "apb", "rater": None, "zero": "drop"}
    run = Run.objects.create(project=project, kind=Run.Kind.EXPORT, config=asked)
    default_storage.save(f"exports/{run.pk}/sample.jsonl", ContentFile(b"left by an attempt that died"))
    with working_on(run.pk) as claim:
        exports.perform(claim)
    run.refresh_from_db()
    assert (run.state, run.done, run.total) == (Run.State.DONE, 2, 2)
    assert run.result["files"] == ["sample.jsonl", "README.md", "manifest.json"]
    folder = Path(default_storage.path(run.file)).parent
    assert sorted(one.name for one in folder.iterdir()) == ["README.md", "manifest.json", "sample.jsonl"]
    assert (folder / "sample.jsonl").read_bytes() == APB.read_bytes()
    assert hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() == run.sha256


@pytest.mark.data
def test_the_shared_trajectories_leave_byte_for_byte_and_round_trip(shared_data, tmp_path):
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    take(project := make.project(), path)
    exports.export(project, "apb", tmp_path / "first")
    assert (tmp_path / "first" / "hotpotqa.jsonl").read_bytes() == gzip.decompress(path.read_bytes())
    again = make.project()
    assert imports.import_trajectories(again, [tmp_path / "first" / "hotpotqa.jsonl"])["created"] == 150
    exports.export(again, "apb", tmp_path / "second")
    assert (tmp_path / "first" / "hotpotqa.jsonl").read_bytes() == (tmp_path / "second" / "hotpotqa.jsonl").read_bytes()


@pytest.mark.parametrize("format", ["parquet", "sft"])
def test_an_export_that_is_stopped_leaves_no_cursor_to_spoil_another_query(tmp_path, monkeypatch, format):
    monkeypatch.setattr(watch, "LOOK_EVERY", 0)
    project = make.project()
    scores = Run.objects.create(project=project, kind="score", state="done")
    judge = make.rater(project, "j")
    for _ in range(2):
        one = make.trajectory(project)
        make.rating(judge, one, [1, 0, -1], final=-1)
        Score.objects.create(run=scores, trajectory=one, step=one.steps.get(index=1), value=0, probability=0.5)
    run = Run.objects.create(project=project, kind="export", state="running", claim=uuid4())

    with pytest.raises(Cancelled) as stopped:  # the run is not seen from beside this transaction
        exports.export(project, format, tmp_path, rater="j", claim=Claim(run))

    left = [one for one in gc.get_objects() if type(one) is ServerSideCursor and not one.closed]
    assert left == [], stopped  # whoever collected it later would close it amid another query
