"""Every page for every shipped scheme: whatever is asked, what was said is there in words, and nothing falls over."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import access, schemes
from annotations.models import Role, Run
from annotations.services import answers, asked, spread
from tests import make
from tests.presets import Sampled, sampled

pytestmark = pytest.mark.django_db
ALL = sorted(schemes.shipped())
LEADS = access.SEE_OTHERS_LABELS
PAGES: dict[str, set[Role]] = {
    "project": access.SEE,
    "trajectories": access.SEE,
    "trajectory": access.SEE,
    "trajectory_steps": access.SEE,
    "trajectory_said": access.SEE,
    "trajectory_outline": access.SEE,
    "trajectory_history": access.SEE,
    "trajectory_print": access.SEE,
    "compare": access.SEE,
    "pace": access.SEE,
    "pace_rows": access.SEE,
    "questions": LEADS,
    "scores": LEADS,
    "runs": LEADS,
    "api-labels-list": access.SEE,
    "api-trajectories-list": access.SEE,
    "api-annotations-list": access.SEE,
}
REPRS = re.compile(r"[\[{(](?:&#x27;|')|\bNone\b|&lt;object|Mark\(")


@pytest.fixture
def project(request, tmp_path) -> Sampled:
    return sampled(request.param, tmp_path)


def enter(world: Sampled, role: str) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(world.people[role])
    return client


def address(world: Sampled, name: str) -> str:
    slug, query = world.project.slug, ""
    if name == "compare":
        query = f"?ids={','.join(str(one.pk) for one in world.trajectory.task.trajectories.order_by('rollout'))}"
    if name == "pace_rows":
        query = "?of=changes"
    of_one = name.startswith("trajectory")
    return reverse(name, args=[slug, world.trajectory.pk] if of_one else [slug]) + query


def words_of(scheme: Any) -> set[str]:
    """Words that a scheme itself brings."""
    titles = [one.title for spec in scheme.fields for one in spec.options] + [spec.title for spec in scheme.fields]
    return {word for title in titles for word in title.split()}


@pytest.mark.parametrize("project", ALL, indirect=True)
def test_every_page_opens_for_everybody_who_may_and_shows_no_python(project: Sampled):
    make.thread(project.passes[0], "Is it?", step=project.trajectory.steps.of_agent()[0].index)
    assert project.scheme.sample
    own = REPRS.findall(json.dumps(project.scheme.sample.model_dump()))  # a sample may hold Python of its own
    allowed = {*({"None"} & words_of(project.scheme)), *own, *map(escape, own)}
    others = [role for role in project.people if role != Role.OWNER]
    roles = (Role.OWNER, others[ALL.index(project.scheme.name) % len(others)])  # each of them meets many schemes
    for role, name in ((role, name) for role in roles for name in PAGES if role in PAGES[name]):
        answer = enter(project, role).get(address(project, name))
        assert answer.status_code == 200, (role, name)
        if name.startswith("api-"):
            continue
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[arg-type]
        html = re.sub(r"<(script|style)\b.*?</\1>", "", body.decode(), flags=re.DOTALL)
        found = [one for one in REPRS.findall(html) if one not in allowed]
        assert not found, (role, name, found)


@pytest.mark.parametrize("project", ALL, indirect=True)
def test_all_that_was_said_stands_on_the_trajectory_page_in_words(project: Sampled):
    assert project.scheme.sample
    for role in (Role.OWNER, Role.ANNOTATOR):
        html = unescape(enter(project, role).get(address(project, "trajectory")).content.decode())
        for one in project.scheme.sample.answers:
            spec = project.scheme.field(one.field)
            assert spec
            assert spec.title in html, (role, one.field)
        assert ("What was said" in html) == (role == Role.OWNER)


@pytest.mark.parametrize("project", ALL, indirect=True)
def test_a_viewer_and_a_colleague_see_nothing_of_it(project: Sampled):
    stranger = make.user()
    make.member(project.project, stranger)
    project.people["colleague"] = stranger
    names = [one.rater.name for one in project.passes]
    for role in ("colleague",):
        html = enter(project, role).get(address(project, "trajectory")).content.decode()
        assert not [name for name in names if f">{name}<" in html], role
        assert 'class="word' not in html


@pytest.mark.parametrize("project", ALL, indirect=True)
def test_the_list_finds_it_by_every_answer_that_can_be_asked_for(project: Sampled):
    assert project.scheme.sample
    client, page = enter(project, Role.OWNER), address(project, "trajectories")
    said = {one.field.partition("@")[0] for one in project.scheme.sample.answers}
    for name in said:
        rows = client.get(page, {"answer": name}).context["page"].rows
        assert [row.id for row in rows] == [project.trajectory.pk], name
        door = address(project, "api-trajectories-list")
        assert [one["id"] for one in client.get(door, {"answer": name}).json()["results"]] == [project.trajectory.pk]
        assert enter(project, Role.VIEWER).get(door, {"answer": name}).json()["results"] == []
    for spec in project.scheme.fields:
        if spec.name not in said:
            assert client.get(page, {"answer": spec.name}).context["page"].rows == []
    for _, listed in asked.options(project.scheme):
        for spelled, _ in listed:
            answer = client.get(page, {"answer": spelled})
            assert (answer.status_code, answer.context["complaints"]) == (200, [])
            found = client.get(address(project, "api-labels-list"), {"answer": spelled})
            assert found.status_code == 200
            assert bool(found.json()["results"]) == bool(answer.context["page"].rows), spelled
    for one in asked.ranges(project.scheme):
        answer = client.get(page, {f"from.{one.name}": one.low, f"to.{one.name}": one.high})
        assert answer.context["complaints"] == []
        assert [row.id for row in answer.context["page"].rows] == [project.trajectory.pk]
    for sort in ("first_error", "-differ", "doubt", "steps"):
        assert client.get(page, {"sort": sort, "differ": "1"}).status_code == 200
        assert client.get(page, {"sort": sort, "first_error": "1"}).status_code == 200


@pytest.mark.parametrize("project", ALL, indirect=True)
def test_what_the_others_said_comes_with_how_often_whatever_it_is(project: Sampled):
    mine = project.passes[0]
    user = mine.rater.user
    assert user
    found = spread.look(mine.pk, user)
    main = project.scheme.main_field
    mains = mine.labels.current().filter(answers.of_field(main))
    for label in mains:
        place = label.step.index if label.step else ""
        rest = [] if label.field == main.name else [label.field]
        assert [label.value, 1, *rest] in found[place], "a pair that is asked the other way round is the same pair"
    door = reverse("label_spread", args=[project.project.slug, mine.pk])
    assert enter(project, Role.ANNOTATOR).post(door, {}, content_type="application/json").status_code == 200


@pytest.mark.parametrize("project", ALL, indirect=True)
def test_scores_lie_beside_the_references_labels_of_any_kind(project: Sampled):
    project.project.reference = project.passes[0].rater
    project.project.save()
    run = Run.objects.create(
        project=project.project, kind="score", state="done", config={"scorer": "embedded"}, result={"model": {}}
    )
    for step in project.trajectory.steps.of_agent():
        run.scores.create(step=step, trajectory=project.trajectory, value=0.4, probability=0.4, detail={})
    for name in ("scores", "trajectory", "trajectories", "project"):
        assert enter(project, Role.OWNER).get(address(project, name)).status_code == 200
