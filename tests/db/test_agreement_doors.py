"""Whatever door labels come and go by, agreement as it stands now is what a report would say."""

from __future__ import annotations

import signal
import uuid
from pathlib import Path
from typing import Any

import pytest

from annotations import schemes
from annotations.models import AgreementMark, Annotation, Project, ProjectAgreement, User
from annotations.services import agreement_live, labels, projects, ratings, scheme_changes, scheme_texts
from models_service import counting
from models_service.statistics import running
from tests import make
from tests.db.importing import APB, SAMPLES, file, rollout, rows, take
from tests.db.test_agreement_live import rated, same_as_a_report
from tests.db.test_scheme_changes import NO_NEUTRAL, ONE, RENAMED, put, revision, say
from tests.processes import kill_when

pytestmark = pytest.mark.django_db


def waits(project: Project) -> bool:
    return agreement_live.now(project).waiting > 0


def test_imported_labels_and_new_versions_of_what_was_labelled(tmp_path: Path) -> None:
    project = make.project(owner=make.user())
    take(project, APB)
    assert waits(project)
    same_as_a_report(project)
    ratings.import_labels(project, [SAMPLES / "apb-labels.jsonl"], rater="j", kind="judge")
    assert waits(project)
    same_as_a_report(project)
    steps = rows()[0]["step_labels"]
    take(project, file(tmp_path, rows()[0] | {"step_labels": dict.fromkeys(steps, -1)}))
    assert waits(project)
    same_as_a_report(project)
    changed = rows()[0]
    changed["messages"][-1]["content"] = "It ends another way."
    take(project, file(tmp_path, changed))
    assert waits(project)
    same_as_a_report(project)


def test_trajectories_that_nobody_has_labelled_mark_nothing(tmp_path: Path) -> None:
    project = make.project(owner=make.user())
    bare = {key: one for key, one in rollout(7).items() if key not in ("step_labels", "final_label")}
    take(project, file(tmp_path, bare))
    assert not AgreementMark.objects.exists()


def test_handing_in_returning_and_handing_in_again() -> None:
    people = [make.user(name) for name in ("ann", "ben")]
    project = make.project(*people, owner=make.user())
    trajectory = make.trajectory(project, steps=2)
    for seat, (user, second) in enumerate(zip(people, (1, -1), strict=True)):
        mine = make.lease(trajectory, user, seat=seat)
        for step, value in ((1, 1), (2, second)):
            say(mine, step, "label", value)
        say(mine, None, "final", 1)
        assert not waits(project)
        labels.submit(mine.pk, user, change=uuid.uuid4(), revision=revision(mine))
        assert waits(project)
        same_as_a_report(project)
    assert agreement_live.now(project).figures["main"]["all"]["percent"] == 0.5
    labels.reopen(mine.pk, people[1])
    assert waits(project)
    same_as_a_report(project)
    say(mine, 2, "label", 1)
    labels.submit(mine.pk, people[1], change=uuid.uuid4(), revision=revision(mine))
    same_as_a_report(project)
    assert agreement_live.now(project).figures["main"]["all"]["percent"] == 1


@pytest.mark.parametrize("text", [NO_NEUTRAL, RENAMED])
def test_a_scheme_change_takes_the_figures_along(text: str) -> None:
    owner: User = make.user("owner")
    project = make.project(owner=owner, scheme=projects.freeze(schemes.read(ONE)))
    scheme_texts.mark_used(scheme_texts.save(project, ONE, owner))
    rated(project, [1, 0, -1], [1, -1, -1])
    same_as_a_report(project)
    put(project, text, owner)
    project.refresh_from_db()
    assert waits(project)
    same_as_a_report(project)
    assert ProjectAgreement.objects.get(project=project).scheme_id == project.scheme_id
    with pytest.raises(scheme_changes.NotAccepted):
        put(project, text, owner)


def count_halfway(project: int, told: Path) -> None:
    """What a worker does until the labels are read, before anything is committed. There it stays."""
    whole = running.figures_of

    def halfway(*given: Any) -> Any:
        whole(*given)
        told.touch()
        signal.pause()

    running.figures_of = halfway
    counting.count(project)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_leaves_the_task_to_the_next(tmp_path: Path) -> None:
    project = make.project(owner=make.user())
    rated(project, [1, 1], [1, -1])
    same_as_a_report(project)
    before = ProjectAgreement.objects.get(project=project).sums
    trajectory = rated(project, [0, 1], [0, -1])

    told = tmp_path / "halfway"
    kill_when(told.exists, f"{__name__}.count_halfway", project.pk, told)

    assert ProjectAgreement.objects.get(project=project).sums == before
    assert waits(project)
    same_as_a_report(project)
    assert Annotation.objects.filter(trajectory=trajectory).count() == 2
    assert agreement_live.now(project).figures["counts"]["labels"] == 8
