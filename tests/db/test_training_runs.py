"""Teaching the embedded scorer as a run: what it keeps, what it starts, when it begins by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Event, Label, Project, Rater, Role, Run, ScorerArtefact
from annotations.services import history, labels, runs, scores, teaching
from models_service import learning
from models_service.scorers import minilm
from models_service.scorers.checkpoints import UnfitModel
from tests import make
from tests.db.test_labels import begun, do, say
from tests.db.test_scores import labelled, score

pytestmark = pytest.mark.django_db


@pytest.fixture
def taught() -> Project:
    made = make.project()
    labelled(made, Rater.Kind.HUMAN)
    return made


def train(project: Project) -> Run:
    return jobs.run_here(teaching.start(project, None))


def handed_in(project: Project, count: int) -> None:
    """So many passes, as the history has them."""
    for _ in range(count):
        Event.objects.create(project=project, verb=history.SUBMIT)


def test_it_learns_what_people_said_and_keeps_how_good_it_is(taught: Project) -> None:
    run = train(taught)
    assert (run.state, run.done, run.total, run.error) == (Run.State.DONE, 1, 1, "")
    model = run.result["model"]
    artefact = ScorerArtefact.objects.get(project=taught)
    assert (model["kind"], model["artefact"], model["report"]) == ("project", artefact.pk, artefact.report)
    assert artefact.activated
    assert "scoring" not in run.result  # nothing was scored before


def test_with_few_labels_it_says_so_and_keeps_nothing() -> None:
    run = train(make.project())
    assert run.state == Run.State.DONE
    assert run.result["model"] == {"kind": "prior", "reason": "not enough labels: 0 labelled trajectories, 40 needed"}
    assert not ScorerArtefact.objects.exists()


def test_what_was_scored_with_another_model_is_scored_again(taught: Project) -> None:
    prior = {"model": {"kind": "prior", "reason": "as it was"}}
    Run.objects.create(
        project=taught, kind=Run.Kind.SCORE, config={"scorer": "embedded"}, state=Run.State.DONE, result=prior
    )
    run = train(taught)
    again = jobs.run_here(Run.objects.get(pk=run.result["scoring"]))
    assert again.result["model"]["artefact"] == run.result["model"]["artefact"]
    assert "scoring" not in train(taught).result  # the same labels, the same model


def test_nothing_is_scored_again_while_a_scoring_run_waits(taught: Project) -> None:
    for state in (Run.State.DONE, Run.State.QUEUED):
        Run.objects.create(project=taught, kind=Run.Kind.SCORE, config={"scorer": "embedded"}, state=state)
    assert "scoring" not in train(taught).result


def test_a_worker_that_dies_after_learning_leaves_one_artefact(
    taught: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = teaching.start(taught, None)
    with pytest.raises(KeyboardInterrupt), runs.working_on(run.pk) as claim:
        monkeypatch.setattr(claim, "keep", interrupted)
        learning.perform(claim)
    assert ScorerArtefact.objects.count() == 1
    run = jobs.run_here(run)
    assert (run.state, ScorerArtefact.objects.count()) == (Run.State.DONE, 1)


def interrupted(**_: Any) -> None:
    raise KeyboardInterrupt


def test_a_run_that_was_stopped_keeps_nothing_of_the_model(taught: Project) -> None:
    run = teaching.start(taught, None)
    with runs.working_on(run.pk) as claim:
        runs.cancel(run, None)
        with pytest.raises(runs.Cancelled):
            learning.perform(claim)
    run.refresh_from_db()
    assert (run.state, run.result) == (Run.State.CANCELLED, {})


def test_one_learns_at_a_time(taught: Project) -> None:
    first = teaching.start(taught, None)
    assert teaching.start(taught, None) == first
    with pytest.raises(jobs.Busy, match="learning already"):
        jobs.start(Run.Kind.TRAIN, taught, None)
    jobs.run_here(first)
    assert teaching.start(taught, None) != first


def test_another_project_may_learn_meanwhile(taught: Project) -> None:
    assert teaching.start(taught, None) != teaching.start(make.project(), None)


def test_it_begins_by_itself_once_enough_passes_were_handed_in(taught: Project, settings: Any) -> None:
    settings.EMBEDDED_RETRAIN_EVERY = 3
    score(taught, "embedded")
    handed_in(taught, 2)
    assert teaching.noticed(taught) is None
    handed_in(taught, 1)
    begun = teaching.noticed(taught)
    assert begun and begun.config["because"] == "3 passes were handed in"
    handed_in(taught, 3)
    assert teaching.noticed(taught) is None  # it is at it
    jobs.run_here(begun)
    assert teaching.noticed(taught) not in (None, begun)


@pytest.mark.parametrize(("every", "scored"), [(0, True), (3, False)])
def test_it_does_not_begin_by_itself_where_it_is_told_not_to_or_not_used(
    taught: Project, settings: Any, every: int, scored: bool
) -> None:
    settings.EMBEDDED_RETRAIN_EVERY = every
    if scored:
        score(taught, "embedded")
    handed_in(taught, 9)
    assert teaching.noticed(taught) is None


def test_handing_in_a_pass_is_noticed(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.EMBEDDED_RETRAIN_EVERY = 1
    mine = begun(steps=2)
    project = mine.rater.project
    score(project, "embedded")
    say(mine, *((step.index, "label", 1) for step in mine.trajectory.steps.of_agent()), (None, "final", 1))
    with django_capture_on_commit_callbacks(execute=True):
        do(labels.submit, mine)
    assert Run.objects.filter(project=project, kind=Run.Kind.TRAIN).count() == 1


def test_labels_accepted_unseen_are_not_learned_from(taught: Project) -> None:
    Label.objects.filter(field="label").update(origin=Label.Origin.ACCEPTED)
    assert scores.taught(taught) == {}
    assert train(taught).result["model"]["kind"] == "prior"


def test_the_command_tells_a_program_and_a_person(taught: Project, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("train_scorer", taught.slug, wait=True, json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["model"]["kind"], told["scoring"]) == ("done", "project", None)
    call_command("train_scorer", taught.slug, wait=True)
    said = capsys.readouterr().out
    assert "what it learned is used" in said
    assert "always right: AUROC 0.500" in said


def test_managers_have_it_learn_from_the_page(taught: Project, client: Client) -> None:
    manager = make.member(taught, make.user(), Role.MANAGER).user
    client.force_login(manager)
    answer = client.post(reverse("train_scorer", args=[taught.slug]))
    run = Run.objects.get(kind=Run.Kind.TRAIN)
    assert answer.url == reverse("run", args=[taught.slug, run.pk])
    assert (run.project, run.created_by) == (taught, manager)


def test_the_page_says_what_was_learnt_when_and_how_the_project_drifts(taught: Project, client: Client) -> None:
    client.force_login(make.member(taught, make.user(), Role.MANAGER).user)
    train(taught)
    page = client.get(reverse("scores", args=[taught.slug])).content.decode()
    assert "How good it was each time" in page and "Drift: none" in page and "Learn again" in page
    for _ in range(40):
        make.trajectory(taught, of=make.task(taught), steps=9)
    gold = Label.objects.current().filter(field="label", value=-1).first()
    assert gold
    gold.annotation.labels.filter(field="label").update(value=1)
    run = train(taught)
    assert run.result["drift"]["moved"] > 0
    assert "features moved" in client.get(reverse("scores", args=[taught.slug])).content.decode()


def test_annotators_may_not_have_it_learn(taught: Project, client: Client) -> None:
    client.force_login(make.member(taught, make.user(), Role.ANNOTATOR).user)
    assert client.post(reverse("train_scorer", args=[taught.slug])).status_code == 403
    assert not Run.objects.filter(kind=Run.Kind.TRAIN).exists()


def test_an_encoder_with_other_weights_is_left_out_and_the_page_says_so(
    taught: Project, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise UnfitModel("the weights have another SHA-256")

    monkeypatch.setattr(minilm, "installed", refused)
    run = train(taught)
    assert (run.state, run.result["model"]["kind"]) == (Run.State.DONE, "project")
    client.force_login(make.member(taught, make.user(), Role.MANAGER).user)
    assert "another SHA-256" in client.get(reverse("scores", args=[taught.slug])).content.decode()


def test_repeating_a_run_while_another_learns_is_refused_and_harms_nothing(taught: Project, client: Client) -> None:
    client.force_login(make.member(taught, make.user(), Role.MANAGER).user)
    done = train(taught)
    teaching.start(taught, None)
    answer = client.post(reverse("run_retry", args=[taught.slug, done.pk]))
    assert answer.status_code < 500
    assert Run.objects.filter(project=taught, kind=Run.Kind.TRAIN).count() == 2
