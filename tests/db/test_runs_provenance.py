"""What a scoring run's page says: where the scores come from, what they took, and what has none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from annotations import jobs
from annotations.models import Role, Run
from annotations.services import run_provenance
from tests import make

pytestmark = pytest.mark.django_db

TOLD = {
    "device": "CPU",
    "family": "qwen-math-prm",
    "rendering": "2",
    "models": [{"name": "prm", "sha256": "abc"}],
    "language": {"server": "http://gpu:8000", "extra": {}},
    "sampling": {"seed": 7, "temperature": 0.0},
    "options": {"strict": True},
    "range": [0, 1],
}


@pytest.fixture
def lead(client) -> Any:
    user = make.user()
    client.force_login(user)
    return user


def test_provenance_is_told_in_rows_the_model_before_the_rest() -> None:
    run = Run(config={"scorer": "mine"}, result={"provenance": TOLD})
    assert run_provenance.rows(run) == [
        ("Scorer", "mine"),
        ("Family", "qwen-math-prm"),
        ("Models, name", "prm"),
        ("Models, SHA-256", "abc"),
        ("Rendering", "2"),
        ("Device", "CPU"),
        ("Language, server", "http://gpu:8000"),
        ("Sampling, seed", "7"),
        ("Sampling, temperature", "0.0"),
        ("Options, strict", "yes"),
        ("Range", "0, 1"),
    ]
    assert run_provenance.rows(Run(config={"scorer": "mine"})) == []


def test_a_runs_page_says_where_scores_come_from_and_which_there_are_none_of(client, lead, settings) -> None:
    settings.SCORERS = {
        "choosy": {"title": "Choosy", "class": "tests.slow.ChoosyScorer", "options": {}},
    }
    project = make.project()
    make.member(project, lead, Role.MANAGER)
    make.trajectory(project, steps=1)
    refused = make.trajectory(project, steps=3)
    run = jobs.run_here(jobs.start(Run.Kind.SCORE, project, None, scorer="choosy"))
    price = {"prompt": 2_000_000, "completion": 0, "currency": "EUR", "version": "May"}
    spent = run.result["spent"] | {"usage": {"calls": 3, "prompt_tokens": 1_000_000, "completion_tokens": 40}}
    run.result |= {"provenance": TOLD, "price": price, "spent": spent}
    run.save()
    page = client.get(reverse("run", args=[project.slug, run.pk])).content.decode()
    assert "Where these scores come from" in page and "Models, SHA-256" in page
    assert "1 trajectory could not be scored" in page
    assert reverse("trajectory", args=[project.slug, refused.pk]) in page and "too long" in page
    assert "asked 3 times" in page and "2.0000 EUR by the prices of May" in page
    file = client.get(reverse("run_skipped", args=[project.slug, run.pk]))
    said = [json.loads(line) for line in file.content.decode().splitlines()]
    assert said == [{"trajectory": refused.pk, "external_id": refused.external_id, "reason": "too long"}]
    annotator = make.user()
    make.member(project, annotator)
    client.force_login(annotator)
    assert client.get(reverse("run_skipped", args=[project.slug, run.pk])).status_code == 403
