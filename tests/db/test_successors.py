"""Where a pass went whose trajectory was imported anew, and which of its steps is which there."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Look, Project, User
from annotations.services import labels
from tests import make
from tests.db.importing import APB, file, rows, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(ann: User, owner: User) -> Project:
    made = make.project(ann, owner=owner)
    take(made, APB)
    return made


@pytest.fixture
def mine(project: Project, ann: User) -> Annotation:
    """Over a rollout whose steps 2, 3 and 4 are the agent's; the first of them is labelled."""
    mine = make.lease(project.trajectories.get(rollout=0), ann)
    say(mine, 2, 1)
    return mine


def say(mine: Annotation, step: int, value: int) -> None:
    item = {"step": step, "field": "label", "value": value}
    labels.change(mine.pk, mine.rater.user, [item], change=uuid.uuid4(), revision=mine.revision, force=True)


def import_again(project: Project, folder: Path) -> None:
    """The same rollout with another second step of the agent, and one more at its beginning."""
    changed = rows()[0]
    messages = changed["messages"]
    messages[4]["content"] = "Something else."
    messages.insert(2, {"role": "assistant", "content": "Let me think."})
    take(project, file(folder, changed, rows()[1]))


def ask(user: User, annotation: Annotation, *steps: int, project: Project | None = None) -> Any:
    client = Client()
    client.force_login(user)
    slug = (project or annotation.rater.project).slug
    url = reverse("label_successor", args=[slug, annotation.pk])
    return client.post(url, json.dumps({"steps": steps}), content_type="application/json")


def live(user: User) -> Annotation:
    return Annotation.objects.live().get(rater__user=user)


def test_a_pass_that_is_still_there_went_nowhere(mine, ann):
    assert ask(ann, mine, 2).json() == {"annotation": None}


def test_it_says_where_each_step_stands_now_by_what_it_holds(mine, ann, project, tmp_path):
    agent = list(mine.trajectory.steps.of_agent().values_list("index", flat=True))
    import_again(project, tmp_path)
    new = live(ann)
    answer = ask(ann, mine, *agent).json()
    assert (answer["annotation"], answer["url"]) == (new.pk, reverse("annotate", args=[project.slug, new.pk]))
    hashes = dict(new.trajectory.steps.values_list("content_hash", "index"))
    expected = [
        [step.index, number, hashes.get(step.content_hash)]
        for number, step in enumerate(mine.trajectory.steps.of_agent(), start=1)
    ]
    assert sorted(answer["steps"]) == expected
    assert [to for _, _, to in expected].count(None) == 1, "one step changed"


def test_it_says_what_the_new_pass_says_there_now(mine, ann, project, tmp_path):
    import_again(project, tmp_path)
    (_, _, to) = ask(ann, mine, 2).json()["steps"][0]
    assert ask(ann, mine, 2).json()["labels"] == [{"step": to, "field": "label", "value": 1, "origin": "human"}]


def test_after_several_imports_it_leads_to_the_newest(mine, ann, project, tmp_path):
    import_again(project, tmp_path)
    middle = live(ann)
    changed = rows()[0]
    changed["messages"][-1]["content"] = "Yet another end."
    take(project, file(tmp_path, changed, rows()[1]))
    assert ask(ann, mine, 2).json()["annotation"] == ask(ann, middle, 2).json()["annotation"] == live(ann).pk


def test_a_first_progressive_pass_learns_of_no_step_that_it_does_not_show(mine, ann, project, tmp_path):
    Annotation.objects.filter(pk=mine.pk).update(mode="progressive", frontier=3)
    import_again(project, tmp_path)
    assert live(ann).frontier is not None
    steps = {old: to for old, _, to in ask(ann, mine, 2, 3, 4).json()["steps"]}
    assert 4 not in steps
    assert all(to is None or to <= live(ann).frontier for to in steps.values())


def test_nobody_learns_of_anothers_pass(mine, project, owner, tmp_path):
    import_again(project, tmp_path)
    assert ask(owner, mine, 2).json() == {"annotation": None}
    assert ask(make.user(), mine, 2).status_code == 404


def test_a_pass_of_another_project_is_not_reached_through_ones_own(mine, ann, project, tmp_path):
    import_again(project, tmp_path)
    assert ask(ann, mine, 2, project=make.project(ann)).json() == {"annotation": None}


def test_the_old_page_leads_to_the_new_one(mine, ann, project, tmp_path):
    import_again(project, tmp_path)
    client = Client()
    client.force_login(ann)
    answer = client.get(reverse("annotate", args=[project.slug, mine.pk]))
    assert (answer.status_code, answer.url) == (302, reverse("annotate", args=[project.slug, live(ann).pk]))


def test_how_long_steps_were_looked_at_goes_along(mine, ann, project, tmp_path):
    for step in mine.trajectory.steps.of_agent():
        Look.objects.create(annotation=mine, step=step, page=uuid.uuid4(), visible_ms=1000 * step.index, visits=1)
    import_again(project, tmp_path)
    kept = Look.objects.filter(annotation=live(ann))
    assert set(kept.values_list("visible_ms", flat=True)) < {2000, 3000, 4000}
    assert all(one.step.trajectory_id == live(ann).trajectory_id for one in kept.select_related("step"))
    assert kept.count() == mine.trajectory.steps.of_agent().count() - 1
