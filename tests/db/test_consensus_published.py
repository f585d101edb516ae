"""Ten published judges, imported: the project's consensus is what label files compared by themselves give."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from annotations import jobs
from annotations.models import Report
from annotations.services import consensus, consensus_words, imports, projects, ratings
from models_service import evaluating
from models_service.statistics.consensus.comparing import METHODS

pytestmark = [pytest.mark.django_db, pytest.mark.data]
NUMBERS = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "kappa", "coverage", "expected_error")
COUNTS = ("steps", "decided", "ties", "silent", "rounds", "converged")


def annotator(path: Path) -> str:
    with gzip.open(path, "rt") as lines:
        return str(json.loads(next(lines))["annotator"])


def test_ten_imported_judges_come_to_what_their_files_come_to(shared_data):
    published = shared_data / "agentprocessbench"
    trajectories = published / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    paths = [next(one.glob("hotpotqa__*")) for one in sorted((published / "judges").iterdir())]
    said = Counter(map(annotator, paths))
    judges = {annotator(path) if said[annotator(path)] == 1 else path.parent.name: path for path in paths}
    assert len(judges) == 10
    project = projects.create(slug="hotpot")
    imports.import_trajectories(project, [trajectories])
    for name, path in judges.items():
        ratings.import_labels(project, [path], rater=name, kind="judge")
    run = jobs.run_here(consensus.start(project, None, raters="judges", reference="gold"))
    assert (run.state, run.error) == ("done", "")
    mine = Report.objects.get(pk=run.result["consensus"]).result

    files = evaluating.evaluate([trajectories], list(judges.values()), official=False)["consensus"]
    assert mine["counts"]["units"] == mine["counts"]["reference"] == files["majority"]["steps"]
    found = {one["name"]: one for one in mine["methods"]}
    for name in METHODS:
        one, other = found[name], files[name]
        assert {key: one[key] for key in COUNTS} == {key: other[key] for key in COUNTS}, name
        assert {key: one[key] for key in NUMBERS} == pytest.approx({key: other[key] for key in NUMBERS}, abs=1e-9), name
        for key in ("log_likelihood", "bound"):
            assert one[key] == (None if other[key] is None else pytest.approx(other[key], abs=1e-6)), (name, key)
        weights = [sorted(weight or 0 for weight in each["weights"].values()) for each in (one, other)]
        assert weights[0] == pytest.approx(weights[1], abs=1e-6), name
        assert [row["error"] for row in one["risk"]] == pytest.approx([row["error"] for row in other["risk"]])
    assert consensus_words.shown(mine, "dawid_skene")["too_sure"], (
        "judges err together: it expects 4 % and 38 % are wrong"
    )
    assert any("No consensus is more accurate" in one for one in consensus_words.warnings(mine))
    assert mine["best_rater"]["accuracy"] == pytest.approx(files["best_rater"]["accuracy"])
    # Its folds are dealt by the names of tasks, which differ between a project and files.
    assert found["gold_anchored"]["accuracy"] == pytest.approx(files["gold_anchored"]["accuracy"], abs=0.02)
