"""Logs of agents that mend programs: SWE-agent and mini-SWE-agent."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.formats import instances
from annotations.formats.opening.sources import Source
from tests.unit.test_formats_agents import agents, items_of, read, records_of

STEP = {"action": "ls", "observation": "a.py", "thought": "Look.", "response": "Look."}


def run(**more: Any) -> dict[str, Any]:
    return {"trajectory": [STEP], "history": [{"role": "user", "content": "Mend it."}], "info": {}} | more


def test_a_step_is_a_thought_an_action_and_an_observation():
    (record,) = records_of("swe-agent", run())
    (step,) = agents(record)
    assert (step.message, step.tool_calls[0]["arguments"], step.observations[0]["content"]) == ("Look.", "ls", "a.py")
    assert step.extra == {}, "a response that is the thought is not kept twice"


def test_what_a_demonstration_says_is_no_step():
    demo = [{"role": "assistant", "content": "Like this.", "is_demo": True}, {"role": "user", "content": "Mend it."}]
    (record,) = records_of("swe-agent", run(history=demo))
    assert [(step.source, step.source_index) for step in record.steps] == [("user", 0), ("user", 1), ("agent", 2)]
    assert record.task.instruction == "Mend it."


@pytest.mark.parametrize("spelt", [json.dumps, lambda config: config])
def test_the_configuration_may_be_an_object_or_its_text(spelt):
    config = {
        "agent": {"agent_configs": [{"model": {"name": "m"}}]},
        "problem_statement": {"id": "p-1", "text": "Mend."},
    }
    (record,) = records_of("swe-agent", run(replay_config=spelt(config)))
    assert (record.policy_model, record.task.external_id, record.task.instruction) == ("m", "p-1", "Mend.")


def test_attempts_are_trajectories_and_a_broken_one_is_named():
    items = items_of("swe-agent", {"attempts": [run(), run(trajectory=[7]), run(info={"submission": "diff"})]})
    assert [item.record and item.record.meta.get("attempt") for item in items] == [0, None, 2]
    assert items[1].problems[0].field == "attempts[1].trajectory[0]"
    assert items[2].record.outcome == {"answer": "diff"}


def test_a_file_that_is_called_after_an_instance_names_the_task():
    one = formats.FORMATS["swe-agent"]
    text = json.dumps(run()).encode()
    (item,) = one.read(Source("runs.zip/a/django__django-11099.traj", lambda: BytesIO(text)))
    assert item.record.task.external_id == "django__django-11099"
    assert (instances.of_file("a/run-1.traj"), instances.of_file("o__p-1.traj.json.gz")) == ("", "o__p-1")


def test_what_a_shell_printed_is_an_observation_in_every_version():
    new, old = read(Path("tests/samples/mini-swe-agent.jsonl"))[1]
    assert [len(step.observations) for step in agents(new)] == [1, 1]
    assert [one["name"] for step in agents(new) for one in step.tool_calls] == ["bash", "bash"]
    assert agents(new)[0].extra["values"] == {"cost": 0.01}
    assert [len(step.observations) for step in agents(old)] == [1, 0]
    assert (new.outcome["exit_status"], new.policy_model, new.task.external_id) == ("Submitted", "small-1", "sums-1")


def test_what_a_person_says_in_between_is_no_observation():
    said = [
        {"role": role, "content": text} for role, text in [("assistant", "Hi."), ("user", "No."), ("assistant", "Ho.")]
    ]
    (record,) = records_of("mini-swe-agent", {"trajectory_format": "mini-swe-agent-1.1", "messages": said})
    assert [step.source for step in record.steps] == ["agent", "user", "agent"]


def test_real_runs_have_the_steps_that_are_told_of_them(shared_data: Path):
    counts = {}
    for path in sorted((shared_data / "swe_agent").iterdir()):
        name, (record,), broken = read(path)
        assert (name, broken) == ("swe-agent", [])
        counts[path.stem] = len(agents(record))
    assert counts == {
        "ctf_i_got_id_demo": 21,
        "ctf_katy": 18,
        "ctf_rock": 12,
        "pydicom__pydicom-1458": 12,
        "swe-agent__test-repo-i1": 5,
    }
