"""What people say otherwise than a judge becomes what its next version is shown."""

from __future__ import annotations

import pytest
from django.urls import reverse

from annotations import jobs
from annotations.judges import prompts
from annotations.models import Judge, Label, Rater
from annotations.services import judge_corrections
from annotations.services import judges as services
from tests import judges, make
from tests.judge_server import JudgeServer

pytestmark = pytest.mark.django_db


def test_corrections_are_listed_chosen_and_shown_to_the_next_version(client):
    project = make.project(owner=make.user("lead"))
    trajectory = make.trajectory(project, steps=3)
    person = make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    mine = make.rating(person, trajectory, [1, -1, -1], 1)
    Label.objects.filter(annotation=mine, step__index=2).update(explanation="It repeats itself.")
    with JudgeServer() as server:
        text = prompts.shipped()["step-labels"].text
        made = judges.judge(project, judges.server(server.url), name="strict", prompt=text)
        jobs.run_here(services.start(made, None))
    found = judge_corrections.of(made)
    assert sorted(one.label.step.index for one in found) == [2, 3]

    client.force_login(project.memberships.get().user)
    page = client.get(reverse("judge_corrections", args=[project.slug, made.pk])).content.decode()
    assert "It repeats itself." in page
    asked = judge_corrections.as_rows(made, found)
    assert asked == "format=judge-sft&judge=strict+v1&option-which=corrected&raters=human%3Aann"
    assert f"?{asked.replace('&', '&amp;')}" in page
    rows = client.get(f"{reverse('exports', args=[project.slug])}?{asked}").content.decode()
    assert "option which=corrected" in rows and "&quot;differences&quot;: 2" in rows
    chosen = next(one.label for one in found if one.label.step.index == 2)
    url = reverse("judge_new", args=[project.slug])
    asked = client.get(url, {"from": made.pk, "label": [chosen.pk, 999_999]})
    assert "It is shown 1 judgement of people" in asked.content.decode()
    told = {name: value for name, value in asked.context["form"].initial.items() if value not in (None, "", [], ())}
    told |= {"server": made.server_id, "guideline": ""}
    assert client.post(url, told).status_code == 302
    [example] = Judge.objects.get(name="strict", version=2).settings["examples"]
    assert (example["answer"], example["why"], example["label"]) == (-1, "It repeats itself.", chosen.pk)
    assert example["trajectory"] == trajectory.pk
    assert "I try 2." in example["text"]


def test_where_nobody_says_otherwise_there_is_nothing_to_choose(client):
    project = make.project(owner=make.user("lead"))
    made = judges.judge(project)
    client.force_login(project.memberships.get().user)
    assert "No correction" in client.get(reverse("judge_corrections", args=[project.slug, made.pk])).content.decode()
