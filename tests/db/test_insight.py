"""Insight into a project's rollouts: gathered from labels, computed by a run, shown and taken away."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotations import jobs
from annotations.models import Rater, Report
from annotations.services import imports, insight, insight_judged
from annotations.services.insight import InsightRefused
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    made = make.project(owner=make.user())
    rater = make.rater(made, "gold")
    task = make.task(made)
    weak = make.trajectory(made, of=task, steps=1, policy_model="weak", outcome={"success": False})
    strong = make.trajectory(made, of=task, steps=3, policy_model="strong", outcome={"success": True})
    make.rating(rater, weak, [1], -1)
    make.rating(rater, strong, [1, -1, 1], 1)
    make.trajectory(made, of=task, policy_model="unlabelled")
    made.reference = rater
    made.save()
    return made


def computed(project) -> Report:
    run = jobs.run_here(insight.start(project, None, "gold"))
    assert (run.state, run.error) == ("done", "")
    return Report.objects.get(pk=run.result["insight"])


def test_what_one_rater_says_is_gathered_with_tools_and_outcomes(project):
    rows = {one["model"]: one for one in insight.gathered(project, {"rater": "gold"})}
    assert set(rows) == {"weak", "strong"}
    strong = rows["strong"]
    assert (strong["grades"], strong["tools"], strong["success"]) == ((1, -1, 1), ("look",) * 3, True)
    assert rows["weak"]["success"] is False


def test_a_run_computes_it_and_the_page_and_the_csv_show_it(project, client):
    report = computed(project)
    assert report.result["outcomes"]["miracles"] == 1
    assert {one["name"]: one["full"]["value"] for one in report.result["models"]} == {"weak": 1 / 3, "strong": 2 / 3}
    client.force_login(project.memberships.get().user)
    page = client.get(reverse("insight_report", args=[project.slug, report.pk]))
    assert page.status_code == 200
    assert "They succeed although a step is wrong" in page.content.decode()
    lines = client.get(reverse("insight_csv", args=[project.slug, report.pk])).content.decode().splitlines()
    assert lines[0] == "table,row,figure,value,low,high,n"
    assert [line for line in lines if line.startswith("models,strong,Right,")][0].split(",")[3].startswith("0.66")


def test_the_command_does_the_same(project):
    out = StringIO()
    call_command("insight", project.slug, "--json", stdout=out)
    assert json.loads(out.getvalue())["counts"]["rollouts"] == 2
    with pytest.raises(CommandError, match="nobody"):
        call_command("insight", project.slug, "--rater", "nobody")


def test_where_the_scheme_calls_nothing_wrong_there_is_none_and_it_says_so(client):
    project = make.project(owner=make.user(), scheme=make.scheme("rollout-preference"))
    with pytest.raises(InsightRefused, match="calls steps right or wrong"):
        insight.start(project, None, "gold")
    client.force_login(project.memberships.get().user)
    assert "calls steps right or wrong" in client.get(reverse("insight", args=[project.slug])).content.decode()


def test_names_that_a_spreadsheet_would_run_are_made_inert(project, client):
    project.trajectories.filter(policy_model="strong").update(policy_model="=cmd()")
    report = computed(project)
    client.force_login(project.memberships.get().user)
    assert ",'=cmd()," in client.get(reverse("insight_csv", args=[project.slug, report.pk])).content.decode()


def test_the_published_benchmark_can_be_checked_for_early_stopping(shared_data: Path):
    """On AgentProcessBench's HotpotQA part: whoever stops earlier may look right, and loses that once it is counted."""
    folder = shared_data / "agentprocessbench" / "trajectories"
    project = make.project(owner=make.user())
    imports.import_trajectories(project, [next(folder.glob("hotpotqa_q00-29*"))])
    project.refresh_from_db()
    rater = project.reference
    run = jobs.run_here(insight.start(project, None, rater.name))
    result = Report.objects.get(pk=run.result["insight"]).result
    assert result["counts"]["steps"] > 300
    for one in result["models"]:
        assert one["full"]["value"] <= one["shares"]["1"]["value"]


def gathered(project) -> list[dict]:
    return sorted(insight.gathered(project, {"rater": "gold"}), key=lambda one: one["pk"])


def test_what_was_called_with_what_is_gathered_from_calls_of_any_shape(project):
    strong = project.trajectories.get(policy_model="strong")
    first, second, third = strong.steps.of_agent()
    first.tool_calls = [{"name": "search", "arguments": {"query": "x" * 30, "top": 3, "deep": True, "how": None}}]
    second.tool_calls = [{"name": "search", "arguments": "no JSON"}, {"name": 3, "arguments": "{}"}, "odd"]
    third.tool_calls = [{"name": "write", "arguments": {"text": "x" * 30_000}}]
    for one in (first, second, third):
        one.save()
    calls = gathered(project)[1]["calls"]
    assert calls[0] == (
        *(("search", "", ""), ("search", "query", ""), ("search", "top", ""), ("search", "top", "3")),
        *(("search", "deep", ""), ("search", "deep", "true"), ("search", "how", "")),
    )
    assert calls[1] == (("search", "", ""),)
    assert calls[2] == (), "too long to be looked at; its name still counts"
    assert gathered(project)[1]["tools"] == ("search", "search", "write")


def test_an_answer_is_the_last_step_before_the_user_speaks_again(project):
    strong = project.trajectories.get(policy_model="strong")
    strong.steps.filter(index=2).update(source="user")
    assert gathered(project)[1]["attempts"] == ((1, ""), (1, "")), "the steps before and after the user's turn"
    strong.steps.filter(index=3).update(parent=strong.steps.get(index=0))
    assert gathered(project)[1]["attempts"] == (), "a tree is no one way"


def test_what_it_took_is_as_the_file_says_of_the_whole_else_the_sum_over_steps(project):
    strong = project.trajectories.get(policy_model="strong")
    steps = list(strong.steps.of_agent())
    for number, one in enumerate(steps):
        values = {"cost": 0.5, "prompt_tokens": 10, "completion_tokens": 1}
        one.extra = {"values": values, "fields": {"timestamp": f"2026-01-01T00:0{number}:00Z"}}
        one.save()
    assert gathered(project)[1]["spent"] == {"cost": 1.5, "tokens": 33, "seconds": 120.0}
    strong.outcome = {"success": True, "metrics": {"total_cost_usd": 2.0}}
    strong.extra = {"fields": {"info": {"duration": 7}}}
    strong.save()
    assert gathered(project)[1]["spent"] == {"cost": 2.0, "tokens": 33, "seconds": 7.0}
    assert gathered(project)[0]["spent"] == {}


def test_judges_choose_among_rollouts_too_and_only_by_what_they_graded_whole(project):
    judge = make.rater(project, "judge")
    weak, strong = project.trajectories.order_by("pk")[:2]
    make.rating(judge, weak, [-1])
    make.rating(judge, strong, [1, 0, 1])
    project.trajectories.filter(policy_model="unlabelled").delete()
    assert [one.name for one in insight_judged.judges(project)] == ["judge"], "gold is whom they are held against"
    assert insight_judged.scores(project, judge) == {weak.pk: [0.0], strong.pk: [1.0, 0.5, 1.0]}
    [found] = computed(project).result["choosing"]
    rows = {(row["name"], row["by"]): row["value"] for row in found["rows"]}
    assert (found["kind"], found["name"], found["tasks"]) == ("judge", "judge", 1)
    assert (rows["best of N", "last"], rows["pass@1", ""], rows["oracle", ""]) == (1.0, 0.5, 1.0)
    assert found["verdicts"] is None
    harsh = make.rater(project, "harsh", Rater.Kind.JUDGE)
    for trajectory in (weak, strong):
        make.rating(harsh, trajectory, [None] * trajectory.steps.of_agent().count(), -1)
    told = {one["name"]: one["verdicts"] for one in computed(project).result["choosing"]}
    assert told["harsh"] == {"right": 1, "called_wrong": 1, "wrong": 1, "called_right": 0}
    partly = make.rater(project, "partly", Rater.Kind.JUDGE)
    make.rating(partly, strong, [1, None, 1])
    assert insight_judged.scores(project, partly) == {}


def test_reports_of_before_are_still_shown(project, client):
    report = computed(project)
    for name in ("arguments", "spent", "attempts", "choosing"):
        del report.result[name]
    report.save()
    client.force_login(project.memberships.get().user)
    for name in ("insight_report", "insight_csv"):
        assert client.get(reverse(name, args=[project.slug, report.pk])).status_code == 200
