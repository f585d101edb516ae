"""Calibrating a scorer: what it is fitted to, what is kept of it, and who then reads which probability."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotations import jobs
from annotations.models import Annotation, Calibration, Label, Project, Rater, Role, Run, Score, Trajectory, User
from annotations.services import calibrated, calibration, desk, runs, scores, suggestions
from annotations.services.calibration import CalibrationRefused
from annotations.services.dossier import Dossier
from annotations.services.export_asked import Asked
from annotations.services.export_labelled import Labelling
from annotations.services.filters import Filters
from annotations.services.search import Search
from models_service import calibration as work
from models_service.statistics.calibrating import Map
from tests import make
from tests.db.test_scores import labelled as learnable

pytestmark = pytest.mark.django_db

# What the scorer says of the four steps of a trajectory, and what people say of two kinds of trajectory.
SAID = (0.9, 0.8, 0.6, 0.3)
KINDS = ((1, 1, 1, -1), (1, 0, -1, -1))


def project(tasks: int = 6, *, labelled: int | None = None, bare: bool = False) -> Project:
    """Tasks of two rollouts of four steps, scored; people labelled the first `labelled` tasks."""
    made = make.project()
    ann = make.rater(made, "ann", Rater.Kind.HUMAN, make.user())
    run = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "embedded"}, state=Run.State.DONE)
    for number in range(tasks):
        task = make.task(made)
        for kind in KINDS:
            one = make.trajectory(made, of=task, steps=4)
            for place, step in enumerate(one.steps.of_agent()):
                said = round(SAID[place] - 0.01 * number, 3)
                Score.objects.create(
                    run=run,
                    trajectory=one,
                    step=step,
                    value=10 * said - 5 if bare else said,
                    probability=None if bare else said,
                )
            if labelled is None or number < labelled:
                make.rating(ann, one, list(kind))
    return made


def calibrate(made: Project, method: str = "", scorer: str = "embedded") -> Run:
    return jobs.run_here(calibration.start(made, None, scorer, method))


def sure(run: Run) -> dict[int, float | None]:
    """P(not wrong) by step, as it is shown."""
    found = Score.objects.filter(run=run).annotate(
        sure=calibrated.probability(calibrated.in_force(run.project_id, [run.pk]))
    )
    return dict(found.values_list("step", "sure"))


def scored(made: Project) -> Run:
    return Run.objects.filter(project=made, kind=Run.Kind.SCORE).latest("pk")


def test_a_scorer_is_calibrated_on_what_people_labelled() -> None:
    made = project()
    run = calibrate(made, "platt")
    assert (run.state, run.error) == (Run.State.DONE, "")
    one = Calibration.objects.get()
    assert (one.scored, one.run, one.scorer, one.method) == (scored(made), run, "embedded", "platt")
    assert (one.report["steps"], one.report["wrong"], one.report["tasks"]) == (48, 18, 6)
    assert run.result["calibration"] == one.pk


def test_scores_stay_as_the_scorer_said_them() -> None:
    made = project()
    before = list(Score.objects.order_by("pk").values("pk", "value", "probability"))
    calibrate(made, "isotonic")
    assert list(Score.objects.order_by("pk").values("pk", "value", "probability")) == before


@pytest.mark.parametrize("method", ["unchanged", "temperature", "platt", "isotonic"])
@pytest.mark.parametrize("bare", [False, True])
def test_the_database_computes_what_was_fitted(method: str, bare: bool) -> None:
    made = project(bare=bare)
    run = calibrate(made, method)
    if bare and method in ("unchanged", "temperature"):
        assert run.state == Run.State.FAILED
        assert "the scorer gives no probabilities" in run.error
        return
    best = Map(Calibration.objects.get().parameters)
    column = "value" if bare else "probability"
    said = np.array(Score.objects.order_by("step_id").values_list(column, flat=True), dtype=float)
    found = [chance for _, chance in sorted(sure(scored(made)).items())]
    assert found == pytest.approx(best.probabilities(said).tolist(), abs=1e-12)


MAPS = st.one_of(
    st.builds(
        lambda scale, bias, of: {"method": "platt", "of": of, "scale": scale, "bias": bias},
        st.floats(1e-6, 1e6),
        st.floats(-1e3, 1e3),
        st.sampled_from(["value", "probability"]),
    ),
    st.builds(lambda t: {"method": "temperature", "of": "probability", "temperature": t}, st.floats(1e-3, 1e3)),
    st.builds(
        lambda at, says, of: {"method": "isotonic", "of": of, "at": sorted(at), "says": sorted(says)[: len(at)]},
        st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8, unique=True),
        st.lists(st.floats(0.001, 0.999), min_size=8, max_size=8),
        st.sampled_from(["value", "probability"]),
    ),
)


class TestAnyMap(TestCase):
    @given(MAPS, st.floats(-1e6, 1e6), st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 1.0])))
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def test_the_database_and_the_statistics_say_the_same_of_any_number(
        self, parameters: dict[str, Any], value: float, probability: float | None
    ) -> None:
        made = make.project()
        run = Run.objects.create(project=made, kind=Run.Kind.SCORE, state=Run.State.DONE)
        one = make.trajectory(made, steps=1)
        Score.objects.create(run=run, trajectory=one, step=one.steps.get(index=1), value=value, probability=probability)
        Calibration.objects.create(
            project=made, scored=run, scorer="any", method=parameters["method"], parameters=parameters, report={}
        )
        [found] = sure(run).values()
        number = value if parameters["of"] == "value" else probability
        if number is None:
            assert found is None
        else:
            assert found == pytest.approx(Map(parameters).probabilities(np.array([number])).item(), abs=1e-9)


def test_a_run_without_a_calibration_is_read_as_the_scorer_said() -> None:
    made = project()
    calibrate(made, "platt")
    other = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "embedded"}, state=Run.State.DONE)
    step = make.trajectory(made, steps=1).steps.get(index=1)
    Score.objects.create(run=other, trajectory=step.trajectory, step=step, value=0.42, probability=0.42)
    assert sure(other) == {step.pk: 0.42}


def test_the_newest_calibration_of_a_run_holds_and_the_older_ones_stay() -> None:
    made = project()
    calibrate(made, "platt")
    calibrate(made, "isotonic")
    held = calibrated.in_force(made.pk)[scored(made).pk]
    assert held.method == "isotonic"
    assert Calibration.objects.filter(project=made).count() == 2


def test_the_same_again_is_kept_once() -> None:
    made = project()
    first, second = calibrate(made), calibrate(made)
    assert first.result["calibration"] == second.result["calibration"]
    assert Calibration.objects.count() == 1


def test_other_labels_give_another_calibration_and_another_digest() -> None:
    made = project(labelled=5)
    calibrate(made, "platt")
    first = Calibration.objects.get()
    assert first.labels_sha256 == calibration.digest(scores.taught(made))
    ann = Rater.objects.get(name="ann")
    for one in Trajectory.objects.filter(project=made, annotations=None):
        make.rating(ann, one, [1, 1, -1, -1])
    assert first.labels_sha256 != calibration.digest(scores.taught(made))
    calibrate(made, "platt")
    assert Calibration.objects.count() == 2


def test_propagated_labels_and_suggestions_that_were_accepted_teach_it_nothing() -> None:
    made = project()
    first, *others = Annotation.objects.filter(trajectory__project=made).order_by("pk")
    cause, *implied = first.labels.filter(field="label").order_by("step__index")
    Label.objects.filter(pk__in=[one.pk for one in implied]).update(origin=Label.Origin.PROPAGATED, cause=cause)
    others[0].labels.update(origin=Label.Origin.ACCEPTED)
    calibrate(made, "platt")
    assert Calibration.objects.get().report["steps"] == 48 - 3 - 4


def test_a_project_with_too_few_labelled_tasks_is_told_how_many_it_needs() -> None:
    run = calibrate(project(labelled=4))
    assert run.state == Run.State.FAILED
    assert "embedded is not calibrated: labels in 4 of the tasks that it has scored, 5 needed" in run.error
    assert not Calibration.objects.exists()


def test_there_has_to_be_a_run_that_is_done() -> None:
    made = make.project()
    with pytest.raises(CalibrationRefused, match="has no run here that is done: score the project first"):
        calibration.start(made, None, "embedded")
    with pytest.raises(CalibrationRefused, match="There is no method 'magic'. Accepted: unchanged, temperature"):
        calibration.start(made, None, "embedded", "magic")


def test_a_worker_that_lost_its_hold_keeps_nothing() -> None:
    made = project()
    run = calibration.start(made, None, "embedded", "platt")
    with runs.working_on(run.pk) as claim:
        Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED, claim=None)
        with pytest.raises(runs.Cancelled):
            work.perform(claim)
    assert not Calibration.objects.exists()
    assert jobs.run_here(run).state == Run.State.DONE
    assert Calibration.objects.get().run == run


def test_a_scorer_that_learnt_these_labels_is_calibrated_on_what_it_says_of_tasks_it_had_not_seen() -> None:
    made = make.project()
    learnable(made, Rater.Kind.HUMAN)
    run = jobs.run_here(Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "embedded"}))
    assert run.result["model"]["kind"] == "project"
    assert calibrate(made, "unchanged").error == ""
    report = Calibration.objects.get().report
    assert report["out_of_fold"]
    trained = run.result["model"]["report"]["embedded"]
    assert report["before"]["auroc"]["value"] == pytest.approx(trained["auroc"], abs=0.01)
    assert report["before"]["brier"]["value"] == pytest.approx(trained["brier"], abs=0.03)
    seen = [(said - (label != -1)) ** 2 for said, label in said_and_labelled(run)]
    assert np.mean(seen) < report["before"]["brier"]["value"]


def said_and_labelled(run: Run) -> list[tuple[float, int]]:
    """What the run itself says of the steps that people labelled."""
    labels = {
        step: one
        for task in scores.taught(run.project).values()
        for said in task.values()
        for step, one in said.items()
    }
    rows = Score.objects.filter(run=run, step__in=labels).values_list("step_id", "probability")
    return [(float(said), labels[step]) for step, said in rows]


# Who reads P(not wrong).


@pytest.fixture
def read() -> tuple[Project, Trajectory, float]:
    """An assisted project calibrated by a map that says .97 of all that its bare scorer says 4 of, and little of -2."""
    person = make.user("reader")
    made = project(bare=True)
    Project.objects.filter(pk=made.pk).update(
        mode="assisted", prefill="scorer:embedded", prefill_confidence=0.9, blind_share=0
    )
    made.refresh_from_db()
    make.member(made, person, Role.OWNER)
    parameters = {"method": "platt", "of": "value", "scale": 1.0, "bias": 0.0}
    Calibration.objects.create(
        project=made, scored=scored(made), scorer="embedded", method="platt", parameters=parameters, report={}
    )
    return made, Trajectory.objects.filter(project=made).earliest("pk"), float(1 / (1 + np.exp(-4.0)))


def test_a_trajectory_shows_the_calibrated_number_and_says_that_it_is(read: Any) -> None:
    made, one, sure_of_first = read
    membership = made.memberships.get(user__username="reader")
    found = Dossier(membership, one).scores(1, 2)[1][0]
    assert (found.value, found.probability, found.calibrated) == (4.0, pytest.approx(sure_of_first), "platt")
    [curve] = Dossier(membership, one).curves
    assert curve.lowest == (4, pytest.approx(1 / (1 + np.exp(2.0))))
    assert curve.calibrated == "platt"


def test_a_scorer_without_probabilities_can_suggest_once_it_is_calibrated(read: Any) -> None:
    made, one, sure_of_first = read
    mine = make.lease(one, User.objects.get(username="reader"))
    found = suggestions.of(mine)
    assert found[1].confidence == pytest.approx(sure_of_first)
    assert {step: offer.value for step, offer in found.items()} == {1: 1, 2: 1}
    Calibration.objects.all().delete()
    assert suggestions.of(mine) == {}


def test_the_workbench_and_its_desk_show_it(read: Any, client: Client) -> None:
    _, one, sure_of_first = read
    person = User.objects.get(username="reader")
    mine = make.lease(one, person)
    assert desk.desk(mine)["scores"][0] == [1, pytest.approx(sure_of_first), "embedded"]
    client.force_login(person)
    page = client.get(reverse("annotate", args=[one.project.slug, mine.pk])).content.decode()
    assert "embedded 0.98" in page
    assert "calibrated on labels of this project" in page


def test_lists_filter_and_sort_by_it(read: Any, client: Client) -> None:
    made, _, _ = read
    membership = made.memberships.get(user__username="reader")
    assert not list(Search(membership, Filters(score=0.05)).sorted())
    assert len(list(Search(membership, Filters(score=0.12)).sorted())) == 12
    lows = [key for _, key in Search(membership, Filters(sort="doubt")).sorted()]
    assert min(lows) == pytest.approx(1 / (1 + np.exp(2.5)))


def test_the_api_tells_it_apart_from_what_the_scorer_said(read: Any, client: Client) -> None:
    made, one, sure_of_first = read
    client.force_login(User.objects.get(username="reader"))
    rows = client.get(f"/api/v1/projects/{made.slug}/scores/?trajectory={one.pk}&step=1").json()["results"]
    assert rows[0]["value"] == 4.0
    assert rows[0]["probability"] is None
    assert rows[0]["calibrated"] == pytest.approx(sure_of_first)


def test_an_export_filters_by_it(read: Any) -> None:
    made, _, _ = read
    made.reference = made.raters.get(name="ann")
    made.save()
    labelling = Labelling(made, Asked("sft", score_to=0.1), [made.reference])
    assert [sorted(round(said, 3) for said in row.values())[0] for _, row in labelling._scored()][0] == 0.119


def test_it_is_done_by_command_and_told_as_json() -> None:
    made = project()
    out = io.StringIO()
    call_command("calibrate", made.slug, "--scorer", "embedded", "--method", "platt", "--wait", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["state"] == "done"
    assert said["calibration"]["method"] == "platt"
    assert said["calibration"]["report"]["steps"] == 48


def test_the_command_says_figures_before_and_after() -> None:
    made = project()
    out = io.StringIO()
    call_command("calibrate", made.slug, "--scorer", "embedded", "--wait", stdout=out)
    assert "48 labelled steps of 12 trajectories, 6 tasks" in out.getvalue()
    assert "Brier" in out.getvalue()


def test_the_command_refuses_what_cannot_be() -> None:
    with pytest.raises(CommandError, match="has no run here that is done"):
        call_command("calibrate", make.project().slug, "--scorer", "embedded")
