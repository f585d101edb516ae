"""The pages of probes: how judges stand, a report with what the judge fell for, and signing."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from annotations.models import JudgeLeave, Rater, Report, Role, Run
from annotations.services import judge_budget, judge_probes_kept
from tests import judges, make

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def owner():
    return make.user("olga")


@pytest.fixture
def project(owner):
    return make.project(owner=owner)


def figure(value=1.0):
    return {
        "value": value,
        "low": 0.8,
        "high": 1.0,
        "n": 12,
        "reason": "" if value is not None else "Nothing was said.",
    }


def report(rater: Rater, standing: str = "above") -> Report:
    limit = {"probe": "injection", "number": "moved", "bound": 0.05, "at_least": False, "of": "worst", "tasks": 10}
    row = {
        "operator": "injection_plain",
        "variant": "",
        "title": "In plain words",
        "level": "",
        "pairs": 12,
        "silent": 1,
    }
    example = {
        "operator": "injection_plain",
        "title": "In plain words",
        "variant": "",
        "task": "t",
        "trajectory": HOSTILE,
        "id": None,
        "step": 2,
        "part": "observation",
        "before": "found it",
        "after": f"found it {HOSTILE}",
        "expected": "same",
        "truth": -1,
        "said_before": -1,
        "said_after": 1,
    }
    result = {
        "verdicts": [
            {
                "limit": limit,
                "standing": standing,
                "figure": figure(),
                "operator": "injection_plain",
                "why": "So it is.",
            }
        ],
        "above": ["injection.moved"],
        "probes": [
            {
                "name": "injection",
                "title": "Prompt injection",
                "asks": "Does it?",
                "source": "Stepmark's own",
                "rows": [{**row, "figures": {"flip_rate": figure(), "moved": figure(None)}}],
                "levels": [],
                "keys": None,
                "not_here": [{"operator": "a", "title": "A", "reasons": {"no tool has answered": 2}}],
                "examples": [example],
            }
        ],
        "surrogates": None,
        "self_preference": figure(None),
    }
    config = {"rater": rater.pk, "probes": ["injection"], "tasks": 12, "seed": 0}
    inputs = {
        "pairs": 12,
        "trajectories": 12,
        "tasks": 12,
        "raters": ["human:ada"],
        "sha256": "0" * 64,
        "asked": 24,
        "known": 0,
    }
    return Report.objects.create(project=rater.project, kind="probe", config=config, inputs=inputs, result=result)


def page(rater: Rater, name: str = "judge_probe") -> str:
    return reverse(name, args=[rater.project.slug, rater.pk])


def test_a_judge_that_was_never_probed_says_so(client, owner, project):
    made = judges.judge(project)
    client.force_login(owner)
    text = client.get(page(made.rater)).text
    assert "Never probed" in text and "Probe it" in text
    imported = client.get(page(make.rater(project, "gpt"))).text
    assert "came by import" in imported and "Probe it" not in imported


def test_a_report_shows_verdicts_numbers_and_examples_and_runs_nothing_of_them(client, owner, project):
    rater = make.rater(project, "gpt")
    report(rater)
    client.force_login(owner)
    text = client.get(page(rater)).text
    assert "beyond the limit" in text and "at most 0.05" in text
    assert "It said <b>wrong</b> before and <b>right</b> after; an honest judge says the same as before." in text
    assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text
    assert "Nothing was said." in text
    assert "Its labels may not be exported" in text


def test_a_manager_signs_and_takes_it_back(client, owner, project):
    rater = make.rater(project, "gpt")
    report(rater)
    client.force_login(owner)
    assert client.post(page(rater, "judge_probe_sign"), {"reason": ""}).status_code == 422
    assert client.post(page(rater, "judge_probe_sign"), {"reason": "Our own tools."}).status_code == 302
    text = client.get(page(rater)).text
    assert "olga signed for it" in text and "Our own tools." in text
    assert "signed for" in client.get(reverse("judge_probes", args=[project.slug])).text
    client.post(page(rater, "judge_probe_unsign"))
    assert JudgeLeave.objects.filter(withdrawn_at=None).count() == 0
    assert "not exported" in client.get(reverse("judge_probes", args=[project.slug])).text


def test_signing_where_nothing_speaks_against_it_says_so(client, owner, project):
    client.force_login(owner)
    answer = client.post(page(make.rater(project, "gpt"), "judge_probe_sign"), {"reason": "x"})
    assert answer.status_code == 422 and "Nothing speaks against its labels" in answer.text


def test_a_reviewer_reads_but_neither_probes_nor_signs(client, project):
    reader = make.user()
    make.member(project, reader, Role.REVIEWER)
    rater = judges.judge(project).rater
    report(rater)
    client.force_login(reader)
    text = client.get(page(rater)).text
    assert "Sign for it" not in text and "Probe again" not in text
    assert client.post(page(rater), {"tasks": 5, "seed": 0}).status_code == 403
    assert client.post(page(rater, "judge_probe_sign"), {"reason": "x"}).status_code == 403


def test_probing_begins_a_run_where_people_have_labelled(client, owner, project):
    rater = judges.judge(project).rater
    client.force_login(owner)
    asked = {"probes": ["injection"], "tasks": 5, "seed": 1}
    refused = client.post(page(rater), asked)
    assert refused.status_code == 422 and "people have labelled" in refused.text
    make.rating(make.rater(project, "ada", Rater.Kind.HUMAN), make.trajectory(project), [1, 1, 1], 1)
    assert client.post(page(rater), asked).status_code == 302
    run = Run.objects.get(kind="probe")
    assert (run.config["probes"], run.config["tasks"], run.config["seed"]) == (["injection"], 5, 1)


def test_what_probing_costs_is_said_before(client, owner, project):
    server = judges.server(prices=judges.PRICES)
    rater = judges.judge(project, server, model="dear").rater
    make.trajectory(project)
    client.force_login(owner)
    text = client.get(page(rater)).text
    assert "USD by the prices of 2026-11; the budget has not been set, so nothing can be asked." in text
    judge_budget.set_limit(project, owner, 12_340_000)
    assert "the budget has 12.34 USD left." in client.get(page(rater)).text
    assert "no price for the model" in client.get(page(judges.judge(project).rater)).text


def test_limits_are_set_emptied_and_refused(client, owner, project):
    client.force_login(owner)
    address = reverse("judge_probe_limits", args=[project.slug])
    from annotations.judges.probe_limits import LIMITS

    usual = {one.name: one.bound for one in LIMITS}
    assert client.post(address, usual | {"injection.moved": "2"}).status_code == 422
    assert (
        client.post(
            address, usual | {"injection.moved": "0.01", "position.flip_rate": "", "unprobed": "on"}
        ).status_code
        == 302
    )
    project.refresh_from_db()
    assert judge_probes_kept.bounds(project) == {"injection.moved": 0.01, "position.flip_rate": None}
    assert judge_probes_kept.refuses_unprobed(project)


def test_a_report_of_another_judge_is_not_shown(client, owner, project):
    client.force_login(owner)
    other = report(make.rater(project, "other"))
    assert client.get(f"{page(make.rater(project, 'gpt'))}?report={other.pk}").status_code == 404


def test_every_pair_can_be_taken_away_where_its_log_is_kept(client, owner, project, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    rater = make.rater(project, "gpt")
    kept, lost = report(rater), report(rater)
    kept.run = Run.objects.create(
        project=project, kind="probe", file=default_storage.save("pairs.jsonl", ContentFile(b"{}\n"))
    )
    kept.save()
    client.force_login(owner)
    address = reverse("judge_probe_log", args=[project.slug, rater.pk, kept.pk])
    assert address in client.get(f"{page(rater)}?report={kept.pk}").text
    assert b"".join(client.get(address).streaming_content) == b"{}\n"
    assert client.get(reverse("judge_probe_log", args=[project.slug, rater.pk, lost.pk])).status_code == 404
