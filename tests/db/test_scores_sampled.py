"""Continuations drawn by a real model, end to end: settings, worker, database; and trees with their rewards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from annotations import jobs
from annotations.models import Project, Run, Score, Step, Trajectory
from models_service import scorers
from tests import make
from tests.completing import QUESTION, RIGHT, WRONG, taught
from tests.served import Served

pytestmark = pytest.mark.django_db
SAMPLED = "models_service.scorers.sampled"
KINDS = {
    "value": f"{SAMPLED}.monte_carlo.MonteCarlo",
    "progress": f"{SAMPLED}.monte_carlo.RelativeProgress",
    "search": f"{SAMPLED}.omega.FirstError",
    "denoised": f"{SAMPLED}.scan.SelfDenoised",
}
SAID = ["Step 1 is fine.", "Step 2 is WRONG.", "Step 3 is fine.", WRONG]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return taught(tmp_path_factory.mktemp("completer"))


@pytest.fixture(autouse=True)
def deployment(settings: Any, folder: Path) -> Iterator[None]:
    language = {"folder": str(folder), "device": "cpu"}
    options = {"language": language, "count": 4, "most": 24, "ask": "", "temperature": 0.5}
    settings.SCORERS = settings.SCORERS | {
        name: {"title": name, "class": kind, "options": options} for name, kind in KINDS.items()
    }
    settings.SCORERS |= {"backup": {"title": "backup", "class": f"{SAMPLED}.backup.TreeBackup"}}
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


def trajectory(project: Project, said: Sequence[str], parents: Sequence[int | None] = (), **task: Any) -> Trajectory:
    task = {"instruction": QUESTION, "reference": "42"} | task
    made = make.trajectory(project, steps=len(said), of=make.task(project, **task))
    steps = {step.index: step for step in made.steps.all()}
    for place, (message, parent) in enumerate(zip(said, parents or [None] * len(said), strict=True), start=1):
        step = steps[place]
        step.message, step.tool_calls, step.observations = message, [], []
        step.parent = None if parent is None else steps[parent]
    Step.objects.bulk_update(steps.values(), ["message", "tool_calls", "observations", "parent"])
    return made


def score(project: Project, scorer: str) -> Run:
    run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": scorer}))
    assert run.state == Run.State.DONE, run.error
    return run


def values(run: Run) -> list[float]:
    return list(Score.objects.filter(run=run).order_by("trajectory", "step__index").values_list("value", flat=True))


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [("value", [1, 0, 0, 0]), ("progress", [1, 0]), ("search", [1, 0, 0, 0]), ("denoised", [1, 0, 0, 0])],
)
def test_a_planted_error_is_found_by_a_trained_model_and_who_drew_is_kept(scorer: str, expected: list[float]) -> None:
    project = make.project()
    trajectory(project, SAID)
    run = score(project, scorer)
    assert values(run) == expected
    assert run.result["reads_reference"] is True
    assert run.result["provenance"]["models"][0]["sha256"]
    assert all("reads the reference" in one.detail["flags"] for one in Score.objects.filter(run=run))
    assert sum(run.result.get("unscored", {}).values()) == 4 - len(expected)


def test_the_same_is_found_through_a_server(settings: Any, folder: Path) -> None:
    project = make.project()
    trajectory(project, SAID)
    with Served(folder) as server:
        entry = settings.SCORERS["search"]
        entry = entry | {"options": entry["options"] | {"language": {"server": server.url, "model": "tiny"}}}
        settings.SCORERS = settings.SCORERS | {"search": entry}
        scorers.load.cache_clear()
        run = score(project, "search")
    assert values(run) == [1, 0, 0, 0]
    assert run.result["provenance"]["completer"]["server"] == server.url


def test_what_cannot_be_continued_is_listed_with_its_reason_and_the_others_are_scored() -> None:
    project = make.project()
    right = trajectory(project, [*SAID[:1], f"Step 2 is fine. {RIGHT}"])
    trajectory(project, SAID, reference=None)
    trajectory(project, SAID, tools=[{"name": "look"}])
    make.trajectory(project, of=make.task(project, reference="42"))
    run = score(project, "value")
    assert set(Score.objects.filter(run=run).values_list("trajectory", flat=True)) == {right.pk}
    reasons = [one["reason"] for one in run.result["skipped"]]
    assert len(reasons) == 3 and all("not applicable" in one for one in reasons)


def test_rewards_of_leaves_reach_the_scorer_that_asks_for_them() -> None:
    project = make.project()
    made = trajectory(project, ["Start.", "Left.", "Right."], [None, 1, 1], reference=None)
    for index, reward in ((2, 1), (3, 0)):
        made.steps.filter(index=index).update(extra={"values": {"reward": reward, "visits": 9}})
    run = score(project, "backup")
    assert values(run) == [0.5, 1, 0]
    assert run.result["reads_reference"] is True
