"""Rows that teach a judge: asked word for word as it is asked, answered by people, in nobody's words but theirs."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations import jobs, schemes
from annotations.formats.splits import split_of
from annotations.judges import prompts
from annotations.models import Judge, JudgeCall, Label, Project, Rater, Run, Trajectory
from annotations.records import TaskRecord
from annotations.services import export_preview, exports, imports, projects
from annotations.services import judges as services
from annotations.services.export_asked import ExportRefused
from models_service import judging
from models_service.judges import reading, replies
from tests import judge_server, judges, make
from tests.api.conftest import client_with_token
from tests.judge_server import JudgeServer

pytestmark = pytest.mark.django_db
PROMPT = prompts.shipped()["step-labels"].text


@pytest.fixture
def project() -> Project:
    """Three trajectories that ann has labelled: all right; one step wrong, with a reason at every step; one step wrong
    without a reason. Ann is the reference."""
    made = make.project(owner=make.user("lead"))
    ann = make.rater(made, "ann", Rater.Kind.HUMAN, make.user("ann"))
    for values in ([1, 1, 1], [1, -1, 1], [-1, 1, 1]):
        make.rating(ann, make.trajectory(made), values, 1)
    told = ann.annotations.order_by("pk")[1]
    for label in told.labels.all():
        label.explanation = f"{label.field}: I looked."
        label.save()
    made.reference = ann
    made.save()
    return made


def judged(project: Project, says: Any = 1, *, asked: bool = True, **settings: Any) -> Judge:
    """A judge that says the same of everything, and has been asked about all."""
    with JudgeServer(judge_server.says(says)) as server:
        made = judges.judge(project, judges.server(server.url), **{"name": "strict", "prompt": PROMPT, **settings})
        if asked:
            jobs.run_here(services.start(made, None))
    return made


def rows(folder: Path, split: str = "") -> list[dict[str, Any]]:
    (path,) = folder.glob(f"*{split}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def exported(project: Project, judge: Judge, folder: Path, **said: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows and the manifest."""
    options = {key: said.pop(key) for key in ("form", "which", "reasons", "sight") if key in said}
    exports.export(project, "judge-sft", folder, judge=str(judge), options=options, **said)
    return rows(folder), json.loads((folder / "manifest.json").read_text())


def labels(project: Project, judge: Judge, row: dict[str, Any]) -> dict[Any, Any]:
    """The answer of a row about a whole trajectory, as the judge's own reader reads it."""
    one = Trajectory.objects.get(external_id=row["trajectory"], project=project)
    ((_, case),) = judging.cases(judge, [(one.task_id, one.pk)])
    heard = reading.read(case.scheme, case.arounds, case.record.steps, replies.parsed(row["messages"][-1]["content"]))
    assert not heard.reading.problems
    return heard.reading.labels


@pytest.mark.parametrize("read", ["whole", "prefix"])
def test_a_row_asks_word_for_word_what_the_judge_was_asked(project, tmp_path, read):
    judge = judged(project, reading=read)
    found, _ = exported(project, judge, tmp_path)
    asked = [call.question["messages"] for call in JudgeCall.objects.all()]
    assert len(found) == len(asked) == (3 if read == "whole" else 12)
    for row in found:
        assert row["messages"][:2] in asked
        assert [one["role"] for one in row["messages"]] == ["system", "user", "assistant"]
    assert {row["step"] for row in found} == ({None} if read == "whole" else {1, 2, 3, None})


def test_the_judges_own_reader_takes_the_answer_for_the_persons_labels(project, tmp_path):
    judge = judged(project)
    found, _ = exported(project, judge, tmp_path)
    read = [labels(project, judge, row) for row in found]
    assert [[one[step, "label"] for step in (1, 2, 3)] for one in read] == [[1, 1, 1], [1, -1, 1], [-1, 1, 1]]
    assert [one[None, "final"] for one in read] == [1, 1, 1]


def test_a_judges_words_stay_where_it_said_just_what_the_person_says_and_nowhere_else(project, tmp_path):
    judge = judged(project)
    found, told = exported(project, judge, tmp_path)
    assert [row["reasons"] for row in found] == ["judge", "person", "none"]
    assert [row["differences"] for row in found] == [0, 1, 1]
    whys = [json.loads(row["messages"][-1]["content"])["steps"]["1"]["label"]["why"] for row in found]
    assert whys == ["Because it does.", "label: I looked.", "-"]
    assert told["judge"]["rows"] == {
        "corrected": 2,
        "reasons: judge": 1,
        "reasons: none": 1,
        "reasons: person": 1,
        "rows": 3,
    }


def test_step_by_step_a_judges_words_stay_at_the_steps_where_it_is_right(project, tmp_path):
    found, _ = exported(project, judged(project, reading="prefix"), tmp_path)
    third = [row["reasons"] for row in found[8:]]
    assert third == ["none", "judge", "judge", "judge"]


def test_rows_without_a_reason_can_stay_out(project, tmp_path):
    found, told = exported(project, judged(project), tmp_path, reasons="dropped")
    assert [row["reasons"] for row in found] == ["judge", "person"]
    assert told["judge"]["rows"]["not written: a verdict without a reason"] == 1


def test_only_what_was_corrected(project, tmp_path):
    found, told = exported(project, judged(project), tmp_path, which="corrected")
    assert [row["differences"] for row in found] == [1, 1]
    assert told["judge"]["rows"]["not written: the judge says the same"] == 1


def test_a_pair_has_the_persons_answer_and_the_one_of_the_judge_that_was_wrong(project, tmp_path):
    judge = judged(project)
    found, told = exported(project, judge, tmp_path, form="pairs")
    assert len(found) == 2 and told["judge"]["rows"]["not written: no wrong answer of the judge"] == 1
    for row in found:
        assert [one["role"] for one in row["prompt"]] == ["system", "user"]
        right, wrong = (json.loads(row[side][0]["content"]) for side in ("chosen", "rejected"))
        assert {one["label"]["answer"] for one in wrong["steps"].values()} == {1}
        assert [one["label"]["answer"] for one in right["steps"].values()] != [1, 1, 1]
        assert wrong["steps"]["1"]["label"]["why"] == "Because it does."


def test_a_judge_that_was_never_asked_is_taught_all_the_same_but_has_nothing_to_be_corrected(project, tmp_path):
    judge = judged(project, asked=False)
    found, _ = exported(project, judge, tmp_path / "all")
    assert [row["differences"] for row in found] == [None] * 3
    found, told = exported(project, judge, tmp_path / "corrected", which="corrected")
    assert found == [] and told["left_out"] == {"trajectories that the judge has not labelled": 3}


def test_a_pass_that_lacks_an_answer_is_left_out_and_named(project, tmp_path):
    ann = Rater.objects.get(name="ann")
    trajectory = make.trajectory(project)
    make.rating(ann, trajectory, [1, None, 1], 1)
    found, told = exported(project, judged(project), tmp_path)
    assert len(found) == 3 and told["left_out"] == {"a pass that is not complete": 1}
    (named,) = told["refused"]
    assert named["trajectory"] == trajectory.external_id and named["field"] == "the pass of human:ann"
    assert "steps.2.label is missing" in named["reason"]
    assert "a pass that is not complete: 1" in (tmp_path / "README.md").read_text()


def test_a_pass_under_an_older_version_of_the_scheme_is_left_out(project, tmp_path):
    old = make.scheme("binary")
    one = Rater.objects.get(name="ann").annotations.order_by("pk")[0]
    one.scheme = old
    one.save()
    found, told = exported(project, judged(project), tmp_path)
    assert len(found) == 2 and told["left_out"] == {"passes under another version of the scheme": 1}


def test_what_the_judge_is_shown_as_an_example_teaches_it_nothing(project, tmp_path):
    first = project.trajectories.order_by("pk")[0]
    sibling = make.trajectory(project, of=first.task)
    make.rating(Rater.objects.get(name="ann"), sibling, [1, 1, 1], 1)
    shown = [{"text": "I try 1.", "answer": 1, "why": "So.", "label": 1, "trajectory": first.pk}]
    found, told = exported(project, judged(project, examples=shown), tmp_path)
    assert len(found) == 2 and told["left_out"] == {"tasks that the judge is shown as examples": 2}
    assert told["judge"]["settings"]["examples"] == 1


def test_with_the_reference_where_that_is_asked_for_and_the_manifest_says_so(project, tmp_path):
    task = project.tasks.order_by("pk")[0]
    task.reference = "the secret answer"
    task.save()
    judge = judged(project)
    blind, told = exported(project, judge, tmp_path / "blind")
    assert not any("the secret answer" in row["messages"][1]["content"] for row in blind)
    assert told["judge"]["otherwise"] == []
    seeing, told = exported(project, judge, tmp_path / "seeing", sight="reference")
    assert "the secret answer" in seeing[0]["messages"][1]["content"]
    assert seeing[0]["reasons"] == "none"  # the judge was never asked that
    assert told["judge"]["otherwise"] == [
        "The judge is asked without the reference; these rows are with the reference."
    ]


def test_the_manifest_and_the_card_say_which_judge_with_which_prompt(project, tmp_path):
    judge = judged(project, method="majority", samples=3, temperature=0.7)
    _, told = exported(project, judge, tmp_path)
    assert told["judge"]["name"] == "strict v1" and told["judge"]["prompt"]["text"] == PROMPT
    assert told["judge"]["otherwise"] == [
        "The judge's deliberation (majority) is left out: the question that it begins with is asked once."
    ]
    card = (tmp_path / "README.md").read_text()
    assert "## The judge" in card and "strict v1, made for the model tiny" in card and "deliberation (majority)" in card


def test_every_named_persons_pass_is_a_row_of_its_own(project, tmp_path):
    ben = make.rater(project, "ben", Rater.Kind.HUMAN, make.user("ben"))
    make.rating(ben, project.trajectories.order_by("pk")[0], [1, 1, -1], 1)
    found, _ = exported(project, judged(project), tmp_path, raters=["ann", "ben"])
    assert [row["by"] for row in found] == ["human:ann", "human:ben", "human:ann", "human:ann"]


def test_labels_that_a_rule_carried_on_can_be_left_and_then_the_pass_is_not_whole(project, tmp_path):
    one = Rater.objects.get(name="ann").annotations.order_by("pk")[2]
    one.labels.filter(step__index__gt=1).update(origin="propagated", cause=one.labels.get(step__index=1))
    judge = judged(project)
    assert len(exported(project, judge, tmp_path / "kept")[0]) == 3
    found, told = exported(project, judge, tmp_path / "removed", propagated="removed")
    assert len(found) == 2 and told["left_out"] == {"a pass that is not complete": 1}


def test_the_file_is_called_like_the_project_and_the_judge(project, tmp_path):
    exported(project, judged(project, asked=False), tmp_path)
    assert (tmp_path / f"{project.slug}__strict-v1.jsonl").exists()


def test_tasks_are_on_one_side_of_the_split(project, tmp_path):
    judge = judged(project, reading="prefix")
    exports.export(project, "judge-sft", tmp_path, judge=str(judge), test_share=0.5)
    for side in ("train", "test"):
        for row in rows(tmp_path, f".{side}") if list(tmp_path.glob(f"*.{side}.jsonl")) else []:
            task = project.tasks.get(external_id=row["task"])
            assert split_of(TaskRecord(task.external_id, task.source, task.instruction), 0.5) == side


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"judge": ""}, "judge-sft is made of what a judge is asked; name one of strict v1"),
        ({"judge": "lenient v3"}, "there is no judge 'lenient v3'; there are strict v1"),
        ({"raters": ["judge:strict v1"]}, "judge:strict v1 is no person; .* with the passes of human:ann"),
        ({"rule": "majority", "raters": ["ann"]}, "judge-sft holds whole passes as they were given; no rule makes one"),
        ({"as_scheme": "binary"}, "judge-sft is in the scheme that the judge is asked under"),
        ({"options": {"which": "some"}}, "which is 'some'; accepted are every, corrected"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(project, tmp_path, said, told):
    judged(project, asked=False)
    with pytest.raises(ExportRefused, match=told):
        exports.export(project, "judge-sft", tmp_path, **{"judge": "strict v1", **said})


def test_a_project_without_a_judge_says_where_one_is_made(project, tmp_path):
    with pytest.raises(ExportRefused, match="none yet: a judge is made on the page Judges"):
        exports.export(project, "judge-sft", tmp_path)


def test_other_formats_take_no_judge(project, tmp_path):
    with pytest.raises(ExportRefused, match="kto is not made of what a judge is asked"):
        exports.export(project, "kto", tmp_path, judge="strict v1")


def test_a_scheme_that_compares_rollouts_has_other_formats(tmp_path):
    project = make.project(scheme=projects.freeze(schemes.shipped()["rollout-preference"]))
    judge = judged(project, asked=False)
    with pytest.raises(ExportRefused, match="compares candidates, .*; preference-pairs can"):
        exports.export(project, "judge-sft", tmp_path, judge=str(judge))


@pytest.mark.django_db(transaction=True)
def test_the_command_the_page_and_the_api_ask_for_it(project, tmp_path):
    judge = judged(project)
    words = ["export", project.slug, "--format", "judge-sft", "--judge", "strict v1", "--option", "which=corrected"]
    out = StringIO()
    call_command(*words, "--out", str(tmp_path), "--json", stdout=out)
    assert json.loads(out.getvalue())["rows"] == 2
    with pytest.raises(CommandError, match="name one of strict v1"):
        call_command(*words[:4], "--out", str(tmp_path))

    lead = project.memberships.get().user
    client = Client()
    client.force_login(lead)
    url = reverse("exports", args=[project.slug])
    page = client.get(url, {"format": "judge-sft", "judge": "strict v1", "option-which": "corrected"}).content.decode()
    assert "--judge &#x27;strict v1&#x27;" in page and "Choose one" in page
    assert "name one of strict v1" in client.get(url, {"format": "judge-sft"}).content.decode()
    asked = {"format": "judge-sft", "judge": "strict v1", "option-form": "pairs"}
    assert client.post(url, asked).status_code == 302
    answer = client_with_token(lead, project=project).post(
        f"/api/v1/projects/{project.slug}/runs/export/", {"format": "judge-sft", "judge": "strict v1"}, format="json"
    )
    assert answer.json()["config"]["judge"] == str(judge)
    for run in Run.objects.filter(kind=Run.Kind.EXPORT):
        done = jobs.run_here(run)
        assert done.state == Run.State.DONE and done.result["rows"] in (2, 3)


def test_the_preview_shows_the_first_rows_and_the_same_labels_give_the_same_bytes(project, tmp_path):
    judge = judged(project)
    shown = export_preview.first_rows(project, "judge-sft", judge=str(judge))
    assert [json.loads(one)["reasons"] for one in shown] == ["judge", "person", "none"]
    said = {"judge": str(judge), "options": {"form": "pairs"}}
    first = exports.export(project, "judge-sft", tmp_path / "a", **said)
    assert exports.export(project, "judge-sft", tmp_path / "b", **said)["sha256"] == first["sha256"]


@pytest.mark.data
@pytest.mark.parametrize("read", ["whole", "prefix"])
def test_every_pass_of_the_benchmarks_own_labels_is_a_lesson_that_is_read_back(shared_data, tmp_path, read):
    project = make.project()
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    assert imports.import_trajectories(project, [path])["created"] == 150
    judge = judged(project, asked=False, reading=read)
    reference = project.raters.get(kind=Rater.Kind.IMPORT)
    found, told = exported(project, judge, tmp_path, raters=[f"{reference.kind}:{reference.name}"])
    assert told["left_out"] == {} and told["counts"]["without_a_row"] == 0
    steps = Label.objects.current().filter(step__isnull=False).count()
    assert len(found) == (150 if read == "whole" else steps + 150)
    for row in found if read == "whole" else ():
        of = Label.objects.current().filter(annotation__trajectory__external_id=row["trajectory"])
        said = {(step, name): value for step, name, value in of.values_list("step__index", "field", "value")}
        assert labels(project, judge, row) == said
