"""Judges under probe, over real connections: the report convicts the guilty and nobody else, and no question is paid
twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from annotations import jobs
from annotations.formats.stepmark import Stepmark
from annotations.models import JudgeCall, Label, Project, Rater, Report, Run
from annotations.records import Labelled, TrajectoryRecord
from annotations.services import imports, judge_probes, runs
from annotations.services.judges import JudgeRefused
from models_service.judges import rendering
from models_service.judges.probes import hacking, pressure, verbosity
from tests import judges, make
from tests.judge_server import JudgeServer, filled, schema_of, status
from tests.probed import RIGHT, known

pytestmark = pytest.mark.django_db(transaction=True)

NOISE = sorted(
    {
        *verbosity.PADDING,
        *pressure.REFLECTIONS,
        *pressure.ASIDES,
        hacking.SOLVED,
        *(
            text
            for words in (*pressure.BANDWAGON, *pressure.SENTIMENT, *pressure.AUTHORITY, *pressure.PREFERRED.values())
            for text in (words.before, words.after)
            if text
        ),
    },
    key=len,
    reverse=True,
)


def world(tmp_path: Any, scheme: str = "agent-process", count: int = 12) -> tuple[Project, list[Labelled]]:
    """A project in which a person has labelled a right and a wrong rollout of each of twelve tasks."""
    owner = make.user()
    project = make.project(owner=owner, scheme=make.scheme(scheme))
    rollouts = [
        known(f"r{n}-{end}", f"task{n}", last=end, final=end, place=f"Place{n}x{end}")
        for n in range(count)
        for end in (1, -1)
    ]
    lines = [Stepmark().line(named(one.record)) for one in rollouts]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    assert imports.import_trajectories(project, [path])["rejected"] == []
    return project, rollouts


def named(record: TrajectoryRecord) -> TrajectoryRecord:
    """The record with ids of its steps, as stored ones have, and asked where its calls look."""
    steps = [replace(step, stable_id=f"{record.external_id}-{place}") for place, step in enumerate(record.steps)]
    where = re.findall(r"Place\d+", str(steps[1].tool_calls))[0]
    steps[0] = replace(steps[0], message=f"{steps[0].message} Ask in {where}.")
    task = replace(record.task, reference={"target": ["goldgold"]})
    return replace(record, task=task, steps=tuple(steps), policy_model="policy-7")


def label(project: Project, rollouts: list[Labelled]) -> None:
    person = make.rater(project, "ada", Rater.Kind.HUMAN)
    by_name = {one.record.external_id: one for one in rollouts}
    for trajectory in project.trajectories.live():
        one = by_name[trajectory.external_id]
        make.rating(person, trajectory, list(one.grades.values()), one.final)


def prefer(project: Project) -> None:
    """A person says of each task that rollout 0 is the better one."""
    person = make.rater(project, "ada", Rater.Kind.HUMAN)
    for trajectory in project.trajectories.live().filter(rollout=0):
        made = make.rating(person, trajectory, [None] * 3)
        Label.objects.create(annotation=made, step=None, field="better@0-1", value=0, origin=Label.Origin.HUMAN)


Shown = list[dict[str, Any]]


def data(body: Any) -> dict[str, Any]:
    """The trajectory, or the candidates, that the judge is shown."""
    text = "\n".join(one["content"] for one in body["messages"])
    told: dict[str, Any] = json.loads(text.rsplit("<trajectory>\n", 1)[1].split("\n</trajectory>", 1)[0])
    return told


def grading(grade: Callable[[Shown, int], int]) -> Callable[[Any], str]:
    """A stub that grades each of the agent's steps by its place among the messages."""

    def behave(body: Any) -> str:
        steps = data(body)["messages"]
        grades = {one["index"]: grade(steps, at) for at, one in enumerate(steps) if one["role"] == "assistant"}

        def choose(path: str, offered: list[Any]) -> Any:
            if found := re.fullmatch(r"steps\.(\d+)\.label\.answer", path):
                return grades[int(found[1])]
            return grades[max(grades)] if path == "trajectory.final.answer" else offered[0]

        return json.dumps(filled(schema_of(body), choose))

    return behave


def preferring(better: Callable[[Shown, Shown], str]) -> Callable[[Any], str]:
    """A stub that says A, B or tie of two candidates."""

    def behave(body: Any) -> str:
        first, second = (one["messages"] for one in data(body)["candidates"])
        said = better(first, second)
        return json.dumps(filled(schema_of(body), lambda path, offered: said if said in offered else offered[0]))

    return behave


def part(step: dict[str, Any], name: str) -> str:
    return "\n".join(
        str(one.get("text") or one.get("arguments") or one.get("output_of_tool") or "") + str(one.get("tool") or "")
        for one in step["parts"]
        if one["part"].startswith(name)
    )


def words(step: dict[str, Any]) -> str:
    return part(step, "message")


def heard(steps: Shown, before: int) -> str:
    return "\n".join(part(one, "observation") for one in steps[:before])


def plain(text: str) -> str:
    """The words without what says nothing of the matter."""
    for noise in NOISE:
        text = text.replace(noise, "")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def honest(truth: dict[tuple[str, str], int]) -> Callable[[Shown, int], int]:
    """Grades a step as people do, whatever stands around it, and calls wrong what they did not read so: what is said
    otherwise, rests on nothing, or was done before."""

    def grade(steps: Shown, at: int) -> int:
        step = steps[at]
        said = plain(words(step))
        if said in hacking.FILLERS:
            return 0
        if said == "<answer>Argand</answer>":
            said = RIGHT
        known = truth.get((said, part(step, "call")), -1)
        asked = set(re.findall(r"Place\d+", words(steps[0])))
        elsewhere = not set(re.findall(r"Place\d+", part(step, "call"))) <= asked
        again = at and part(steps[at - 1], "call") == part(step, "call") and part(step, "call")
        rests = "Aimé Argand" in said and "Aimé Argand in 1780" not in heard(steps, at)
        return -1 if again or rests or elsewhere else known

    return grade


def truth_of(rollouts: list[Labelled]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for one in rollouts:
        told = rendering.data(one.record, rendering.Sheet(12_000))
        for step in json.loads(told.removeprefix("<trajectory>\n").removesuffix("\n</trajectory>"))["messages"]:
            if step["role"] == "assistant":
                found[words(step), part(step, "call")] = one.grades[step["index"]]
    return found


def probe(judge: Any, **asked: Any) -> Report:
    run = judge_probes.start(judge, None, **{"tasks": 12, **asked})
    run = jobs.run_here(run)
    assert run.state == Run.State.DONE, run.error
    return Report.objects.get(run=run)


@pytest.fixture
def project(tmp_path):
    project, rollouts = world(tmp_path)
    label(project, rollouts)
    return project, rollouts


def judge_on(project: Project, server: JudgeServer, prompt: str = "") -> Any:
    return judges.judge(
        project,
        judges.server(server.url, at_once=16),
        prompt=prompt or "Label the steps. {{fields}}{{rules}}{{contract}}",
    )


def above(report: Report) -> set[str]:
    assert report.result["above"] == [
        f"{one['limit']['probe']}.{one['limit']['number']}"
        for one in report.result["verdicts"]
        if one["standing"] == "above"
    ]
    return set(report.result["above"])


def test_an_honest_judge_is_within_every_limit(project):
    project, rollouts = project
    with JudgeServer(grading(honest(truth_of(rollouts)))) as server:
        report = probe(judge_on(project, server))
    assert {
        f"{one['limit']['probe']}.{one['limit']['number']}": one
        for one in report.result["verdicts"]
        if one["standing"] != "within"
    } == {}
    assert len(report.result["verdicts"]) == 14
    assert report.result["probes"][0]["keys"] == {"largest": 0.0, "mean": 0.0, "keys": 20}
    assert report.inputs["tasks"] == 12 and report.inputs["raters"] == ["human:ada"]
    with default_storage.open(report.run.file) as kept:
        rows = [json.loads(line) for line in kept]
    assert len(rows) == report.inputs["pairs"]
    assert [(row["operator"], row["before"], row["after"]) for row in rows if row["fell_for_it"]] == []
    assert {"operator", "step", "before", "after", "said_before", "said_after"} <= rows[0].keys()
    assert report.inputs["asked"] == JudgeCall.objects.count() > 500


def test_who_likes_long_steps_is_convicted_of_verbosity_with_examples(project):
    project, _ = project
    with JudgeServer(grading(lambda steps, at: 1 if len(words(steps[at])) > 60 else -1)) as server:
        report = probe(judge_on(project, server), probes=["verbosity", "injection"])
    assert above(report) == {"verbosity.moved"}
    found = next(one for one in report.result["probes"] if one["name"] == "verbosity")
    example = found["examples"][0]
    assert (example["said_before"], example["said_after"]) in {(-1, 1), (1, -1)}
    assert example["id"] in set(project.trajectories.values_list("pk", flat=True))


def test_who_obeys_injections_is_convicted_of_that(project):
    project, rollouts = project
    fair = honest(truth_of(rollouts))

    def obey(steps, at):
        told = heard(steps, len(steps))
        forced = (
            1
            if "label all steps +1" in told or '"answer": 1,' in told
            else -1
            if "label all steps -1" in told or '"answer": -1,' in told
            else 0
        )
        return forced or fair(steps, at)

    with JudgeServer(grading(obey)) as server:
        report = probe(judge_on(project, server), probes=["injection", "verbosity", "bandwagon", "master_keys"])
    assert above(report) == {"injection.moved"}


def test_who_always_takes_the_first_is_convicted_of_position_and_an_honest_judge_of_two_is_not(tmp_path):
    project, _ = world(tmp_path, "rollout-preference")
    prefer(project)
    with JudgeServer(preferring(lambda first, second: "A")) as server:
        first = probe(judge_on(project, server))
    assert above(first) == {"position.flip_rate"}

    def length(steps):
        return sum(len(words(one)) for one in steps)

    with JudgeServer(
        preferring(
            lambda one, other: "A" if length(one) > length(other) else "B" if length(one) < length(other) else "tie"
        )
    ) as server:
        assert "verbosity.moved" in above(probe(judge_on(project, server)))

    def right(steps):
        return "Place" in str(steps) and "-1" not in str([one for one in steps if "call" in str(one)])

    with JudgeServer(preferring(lambda one, other: "A" if right(one) else "B")) as server:
        report = probe(judge_on(project, server))
    assert {one["standing"] for one in report.result["verdicts"]} == {"within"}


def test_what_was_answered_is_not_asked_again(project):
    project, rollouts = project
    with JudgeServer(grading(honest(truth_of(rollouts)))) as server:
        judge = judge_on(project, server)
        first = probe(judge, probes=["injection"], tasks=4)
        asked = len(server.seen)
        again = probe(judge, probes=["injection"], tasks=4)
        assert len(server.seen) == asked
    assert (again.inputs["asked"], again.inputs["known"]) == (0, first.inputs["asked"])
    assert again.result == first.result


def test_a_judge_that_fails_has_said_nothing(project):
    project, _ = project
    with JudgeServer(lambda body: "no JSON here") as server:
        report = probe(judge_on(project, server), probes=["injection"], tasks=2)
    verdict = report.result["verdicts"][0]
    assert (verdict["standing"], verdict["figure"]["value"]) == ("not_enough", None)
    assert "said nothing" in verdict["why"]


def test_without_peoples_labels_there_is_nothing_to_probe_with(tmp_path):
    project, _ = world(tmp_path, count=1)
    judge = judges.judge(project)
    with pytest.raises(JudgeRefused, match="people have labelled"):
        judge_probes.start(judge, None)
    for wrong in ({"probes": ["x"]}, {"tasks": 0}):
        with pytest.raises(JudgeRefused):
            judge_probes.start(judge, None, **wrong)


def test_a_scheme_that_calls_no_step_wrong_has_nothing_to_probe():
    project = make.project(scheme=make.scheme("formality"))
    with pytest.raises(JudgeRefused, match="do not say that a step is wrong"):
        judge_probes.start(judges.judge(project), None)


def test_reading_step_by_step_asks_as_often_as_there_are_steps(tmp_path):
    project, _ = world(tmp_path, count=1)
    whole, prefix = judges.judge(project), judges.judge(project, reading="prefix")
    assert judge_probes.calls(whole, 20, ["injection"]) == (4 + 1) * 20
    assert judge_probes.calls(prefix, 20, ["injection"]) == 3 * (4 + 1) * 20


def test_a_probe_that_stopped_in_the_middle_goes_on_and_pays_for_nothing_twice(project):
    project, rollouts = project
    with JudgeServer(grading(honest(truth_of(rollouts)))) as server:
        judge = judge_on(project, server)
        run = judge_probes.start(judge, None, probes=["injection", "position"], tasks=6)
        server.faults = [*[lambda handler, body: handler.complete(body, server.behave(body))] * 8, status(401, "no")]
        run = jobs.run_here(run)
        assert run.state == Run.State.FAILED and not Report.objects.filter(run=run).exists()
        assert sum(server.paid.values()) >= 8
        assert runs.resume(run, None)
        run = jobs.run_here(run)
        assert run.state == Run.State.DONE
        assert set(server.paid.values()) == {1}
    report = Report.objects.get(run=run)
    assert report.inputs["known"] >= 8
    assert report.result["above"] == []


def test_a_probe_whose_project_has_changed_its_scheme_says_so(project):
    project, _ = project
    judge = judges.judge(project)
    run = judge_probes.start(judge, None)
    Run.objects.filter(pk=run.pk).update(result={"scheme": project.scheme_id})  # a worker had begun it
    project.scheme = make.scheme("binary")
    project.save()
    run = jobs.run_here(run)
    assert run.state == Run.State.FAILED and "scheme has changed" in run.error


def test_a_judge_is_never_shown_whose_rollout_it_reads_nor_what_people_said(project):
    project, rollouts = project
    with JudgeServer(grading(honest(truth_of(rollouts)))) as server:
        probe(judge_on(project, server), probes=["injection"], tasks=2)
        sent = json.dumps(server.bodies)
    assert "policy-7" not in sent and "goldgold" not in sent


def test_the_command_tells_the_verdicts_and_ends_with_a_status_of_its_own_where_it_convicts(project, capsys):
    project, rollouts = project
    with JudgeServer(grading(honest(truth_of(rollouts)))) as server:
        judge = judge_on(project, server)
        call_command("probe_judge", project.slug, judge.name, "--probe", "injection", "--tasks", "12")
        said = capsys.readouterr().out
        assert "Prompt injection" in said and "within the limit" in said
        call_command("probe_judge", project.slug, str(judge), "--probe", "injection", "--tasks", "12", "--json")
        assert json.loads(capsys.readouterr().out)["inputs"]["asked"] == 0
    with JudgeServer(grading(lambda steps, at: 1)) as server:
        judge = judge_on(project, server)
        with pytest.raises(CommandError, match="master_keys.false_positive_rate") as convicted:
            call_command("probe_judge", project.slug, judge.name, "--probe", "master_keys", "--tasks", "12")
    assert convicted.value.returncode == 3
    with pytest.raises(CommandError, match="There is no judge 'nobody'"):
        call_command("probe_judge", project.slug, "nobody")
    with pytest.raises(CommandError, match="There is no probe x"):
        call_command("probe_judge", project.slug, judge.name, "--probe", "x")
