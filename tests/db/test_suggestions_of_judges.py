"""Judges that are made and asked here, whose labels an assisted pass suggests: chosen by name and version, offered
where the reference has proved them right, taken, and told in exports."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from pyarrow import parquet

from annotations import jobs
from annotations.models import Annotation, Judge, JudgeServer, Project, Run, User
from annotations.services import desk, exports, labels, suggestions
from annotations.services import judges as services
from annotations.services.outcomes import Item, Suggestion
from tests import judge_server, judges, make

pytestmark = pytest.mark.django_db

KNOWN = 20  # trajectories that the reference has labelled, as many as a judge's word needs to count


@pytest.fixture
def person() -> User:
    return make.user()


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with judge_server.JudgeServer() as found:
        yield judges.server(found.url, retries=0)


@pytest.fixture
def project(person: User) -> Project:
    """An assisted project whose reference says that every step is right."""
    made = make.project(owner=person, mode="assisted", blind_share=0, prefill_confidence=0.9)
    made.reference = make.rater(made, "gold", "import")
    made.save()
    for _ in range(KNOWN):
        make.rating(made.reference, make.trajectory(made, steps=1), [1])
    return made


def judge(project: Project, server: JudgeServer, **fields: Any) -> Judge:
    return judges.judge(project, server, **{"name": "strict", "prompt": "Label the steps.\n\n{{fields}}", **fields})


def ran(made: Judge, **asked: Any) -> Run:
    run = jobs.run_here(services.start(made, None, **asked))
    assert run.state == "done", run.error
    return run


def suggest(project: Project, made: Judge) -> None:
    project.prefill = f"judge:{made.rater.name}"
    project.save()


def test_each_version_of_a_judge_is_a_choice_of_the_settings_and_the_api(client, person, project, server):
    first, second = judge(project, server), judge(project, server, reading="prefix")
    assert [one.rater.name for one in (first, second)] == ["strict v1", "strict v2"]
    named = dict(suggestions.sources(project))
    assert named["judge:strict v1"] == "strict v1 (judge)"
    assert named["judge:strict v2"] == "strict v2 (judge)"
    client.force_login(person)
    page = client.get(reverse("settings", args=[project.slug])).content.decode()
    assert '<option value="judge:strict v2">strict v2 (judge)</option>' in page
    url = f"/api/v1/projects/{project.slug}/"
    answer = client.patch(url, {"prefill": "judge:strict v2"}, content_type="application/json")
    assert (answer.status_code, answer.json()["prefill"]) == (200, "judge:strict v2")


def test_what_our_judge_says_is_offered_as_sure_as_the_reference_has_proved_it(person, project, server):
    made = judge(project, server)
    trajectory = make.trajectory(project, steps=2)
    ran(made)
    suggest(project, made)
    mine = make.lease(trajectory, person)
    sure = (KNOWN + 1) / (KNOWN + 2)  # right each time, one hit and one miss more
    expected = Suggestion(1, pytest.approx(sure), "judge:strict v1")
    assert suggestions.of(mine) == {1: expected, 2: expected}
    [first, second] = desk.desk(mine)["suggestions"]
    assert (first[0], second[0]) == (1, 2)


def test_another_version_is_offered_for_what_it_said_itself(person, project, server):
    first = judge(project, server)
    trajectory = make.trajectory(project, steps=1)
    ran(first)
    second = judge(project, server, reading="prefix")
    suggest(project, second)
    mine = make.lease(trajectory, person)
    assert suggestions.of(mine) == {}  # it was not asked
    ran(second, among=[trajectory.pk])
    assert suggestions.of(mine) == {}  # what it said of nothing that is known is not sure
    Project.objects.update(prefill_confidence=0)
    mine.rater.project.refresh_from_db()
    assert suggestions.of(mine) == {1: Suggestion(1, None, "judge:strict v2")}


def test_what_it_failed_at_or_said_before_it_was_asked_again_is_not_offered(person, project, server):
    made = judge(project, server)
    trajectory = make.trajectory(project, steps=1)
    ran(made)
    suggest(project, made)
    mine = make.lease(trajectory, person)
    assert list(suggestions.of(mine)) == [1]
    Annotation.objects.filter(rater=made.rater, trajectory=trajectory).update(state=Annotation.State.FAILED)
    assert suggestions.of(mine) == {}
    ran(made, again=True, among=[trajectory.pk])
    assert list(suggestions.of(mine)) == [1]
    live = Annotation.objects.live().filter(rater=made.rater, trajectory=trajectory)
    live.get().labels.filter(field="label").update(value=-1)
    assert suggestions.of(mine) == {}  # nobody has proved it right about that value


def test_a_judge_that_is_retired_is_still_offered_for_what_it_said(person, project, server):
    made = judge(project, server)
    trajectory = make.trajectory(project, steps=1)
    ran(made)
    suggest(project, made)
    services.retire(made, person)
    assert list(suggestions.of(make.lease(trajectory, person))) == [1]
    assert ("judge:strict v1", "strict v1 (judge)") in suggestions.sources(project)


def test_what_was_taken_of_our_judge_is_told_in_an_export(person, project, server, tmp_path: Path):
    made = judge(project, server)
    trajectory = make.trajectory(project, steps=1)
    ran(made)
    suggest(project, made)
    mine = make.lease(trajectory, person)
    taken = Item(step=1, field="label", value=1, accepted={"source": "judge:strict v1", "looked_ms": 800})
    labels.change(mine.pk, person, [taken], change=uuid.uuid4(), revision=0)
    Annotation.objects.filter(pk=mine.pk).update(state="submitted", lease_until=None)
    result = exports.export(project, "parquet", tmp_path)
    rows = parquet.read_table(tmp_path / result["files"][0]).to_pylist()
    [row] = [one for one in rows if one["origin"] == "accepted"]
    told = json.loads(row["suggestion"])
    assert (told["source"], told["value"], told["looked_ms"]) == ("judge:strict v1", 1, 800)
    assert told["confidence"] == pytest.approx((KNOWN + 1) / (KNOWN + 2))


def test_what_a_person_who_is_the_reference_has_not_handed_in_proves_nothing(person, project, server):
    made = judge(project, server)
    trajectory = make.trajectory(project, steps=1)
    ran(made)
    suggest(project, made)
    drafts = Annotation.objects.filter(rater=project.reference)
    drafts.filter(pk=drafts.first().pk).update(state=Annotation.State.DRAFT)
    assert suggestions.of(make.lease(trajectory, person)) == {}  # 19 steps are known


def test_several_of_our_judges_are_offered_together(person, project, server):
    both = [judge(project, server), judge(project, server, reading="prefix")]
    trajectory = make.trajectory(project, steps=1)
    for one in both:
        ran(one, among=[trajectory.pk])
    project.prefill = suggestions.together(one.rater_id for one in both)
    project.save()
    assert suggestions.of(make.lease(trajectory, person)) == {1: Suggestion(1, 1.0, project.prefill)}


def test_a_blind_pass_is_offered_nothing_of_what_it_said(person, project, server):
    made = judge(project, server)
    trajectory = make.trajectory(project, steps=1)
    ran(made)
    suggest(project, made)
    assert suggestions.of(make.lease(trajectory, person, mode="blind")) == {}
