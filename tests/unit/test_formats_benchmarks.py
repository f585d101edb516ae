"""Logs of benchmarks with users and tools: tau-bench, tau2-bench, BFCL, InterCode."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.formats.base import Item, ValueFormat
from annotations.formats.opening import archives
from annotations.formats.opening.sources import of_path
from annotations.records import Problem, TrajectoryRecord

SAMPLES = Path(__file__).parents[1] / "samples"


def read(path: Path) -> list[Item]:
    return list(formats.detect(of_path(path))[0].read(of_path(path)))


def records(path: Path) -> list[TrajectoryRecord]:
    items = read(path)
    assert [item.problems for item in items] == [()] * len(items)
    return [item.record for item in items if isinstance(item.record, TrajectoryRecord)]


def made(name: str, value: Any) -> TrajectoryRecord:
    """The one record that the format makes of a value."""
    form = formats.FORMATS[name]
    assert isinstance(form, ValueFormat)
    (record,) = form.records(value)
    assert isinstance(record, TrajectoryRecord)
    return record


def of_folder(path: Path) -> tuple[list[TrajectoryRecord], list[Problem]]:
    """What a folder, or an archive, holds, and what of it could not be read."""
    with archives.opened(path) as (folder, problems):
        form = formats.detect_folder(folder)
        assert form
        items = list(form.read_folder(folder))
    found = [item.record for item in items if isinstance(item.record, TrajectoryRecord)]
    return found, [*problems, *(problem for item in items for problem in item.problems)]


def agents(record: TrajectoryRecord) -> list[Any]:
    return [step for step in record.steps if step.source == "agent"]


def test_runs_of_one_task_with_one_user_are_rollouts_of_it_and_name_their_trial() -> None:
    one, other = records(SAMPLES / "tau-bench.jsonl")
    assert one.task == other.task and one.task.external_id == "0:ada_berg_11"
    assert [record.meta["trial"] for record in (one, other)] == [0, 1]
    assert one.rollout is None, "another model's file has the same trials"
    assert one.task.reference == {"actions": [{"name": "cancel_parcel", "kwargs": {"parcel": "P1"}}], "outputs": []}
    assert (one.outcome["reward"], other.outcome["reward"]) == (0.0, 1.0)


def test_real_runs_of_tau_bench_come_in(shared_data: Path) -> None:
    found = records(shared_data / "tau_bench" / "gpt-4o-airline_task00-24.json.gz")
    tasks = {record.task.external_id for record in found}
    assert (len(found), len(tasks)) == (100, 25)
    assert {sum(record.task.external_id == task for record in found) for task in tasks} == {4}


def test_real_dialogues_of_tau_bench_come_in(shared_data: Path) -> None:
    found = records(shared_data / "tau_bench" / "MockAirlineDomainEnv-few_shot.jsonl.gz")
    assert len(found) == 19
    assert all(step.observations for step in agents(found[0]) if not step.message)


def test_a_line_without_a_role_belongs_to_the_turn_above() -> None:
    first = records(SAMPLES / "tau-dialogues.jsonl")[0]
    assert first.task.instruction == "Is parcel P7 here?\nIt is blue."
    assert [step.message for step in agents(first)] == ["", "Yes, it is here."]
    assert agents(first)[0].observations[0]["content"] == '{"state": "here"}'


def test_only_the_agents_turns_are_steps_where_the_simulated_user_calls_tools_too() -> None:
    one, other = records(SAMPLES / "tau2-bench.json")
    assert [step.source_index for step in agents(one)] == [0, 2, 4], "places of the file's messages"
    assert [call["name"] for call in agents(one)[1].tool_calls] == ["find_order", "find_cup"]
    assert [seen["tool_call_id"] for seen in agents(one)[1].observations] == ["t1", "t2"], "results that came together"
    assert agents(one)[1].observations[1]["error"] is True
    users = [step.message for step in one.steps if step.source == "user"]
    assert users == ["Where is my tea?", 'look_at_counter({"side":"left"})', "a cup", "There is a cup. ###STOP###"]
    assert (one.task.external_id, one.policy_model, one.meta["trial"]) == ("kiosk:0", "small-agent", 0)
    assert one.task == other.task and one.task.instruction == "You want your tea.\nYou are Ada."
    assert (one.outcome["reward"], other.outcome["reward"]) == (0.0, 1.0)


def test_simulations_in_files_of_their_own_read_as_those_of_one_document() -> None:
    (record, voice), problems = of_folder(SAMPLES / "tau2-bench-folder")
    assert not problems
    assert [step.message for step in record.steps] == [
        step.message for step in records(SAMPLES / "tau2-bench.json")[1].steps
    ]
    assert [(step.source, step.message) for step in voice.steps] == [
        ("user", "Where is my tea?"),
        ("agent", ""),
        ("agent", "It is brewing."),
    ]
    assert [step.source_index for step in voice.steps] == [1, 6, 9], "three times the tick, one more for the user"
    assert voice.steps[1].observations[0]["content"] == "brewing"


def test_a_simulation_that_the_index_names_and_no_file_holds_is_said(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "tau2-bench-folder", tmp_path / "run")
    (tmp_path / "run" / "simulations" / "sim-2.json").unlink()
    found, problems = of_folder(tmp_path / "run")
    assert len(found) == 1
    assert [problem.field for problem in problems] == ["simulation_index"] and "sim-2" in problems[0].reason


def test_one_simulation_that_is_none_does_not_take_the_others_along() -> None:
    document = json.loads((SAMPLES / "tau2-bench.json").read_text())
    document["simulations"][0]["messages"][1]["role"] = "narrator"
    refused, record = formats.FORMATS["tau2-bench"].records(document)  # type: ignore[attr-defined]
    assert refused.field == "simulations[0].messages[1].role" and "narrator" in refused.reason
    assert record.external_id == "sim-1"


def test_turns_of_a_log_have_their_calls_what_these_gave_and_what_they_cost() -> None:
    first = records(SAMPLES / "bfcl.jsonl")[0]
    both = agents(first)[1]
    assert [call["name"] for call in both.tool_calls] == ["ls", "pwd"]
    assert [one["content"] for one in both.observations] == ["a b", "/letters"]
    assert both.reasoning == "Both at once."
    assert both.extra["values"] == {"latency": 0.8, "input_tokens": 820, "output_tokens": 22}
    assert [step.message for step in first.steps if step.source == "user"] == ["What is in letters?", "Thanks."]
    assert agents(first)[3].extra["values"]["latency"] == 0.5
    assert len(first.extra["fields"]["states"]) == 2


def test_calls_that_a_handler_read_from_a_text_are_calls() -> None:
    (step,) = agents(records(SAMPLES / "bfcl.jsonl")[1])
    assert step.message == "[cd(folder='a')]"
    assert [(call["name"], call["arguments"]) for call in step.tool_calls] == [("cd", "folder='a'")]
    assert step.observations[0]["content"] == "ok"


def test_answers_without_a_log_are_steps_too() -> None:
    _, _, call, words, turns = records(SAMPLES / "bfcl.jsonl")
    assert agents(call)[0].tool_calls[0]["arguments"] == '{"base": 3, "height": 4}'
    assert agents(call)[0].extra["values"]["latency"] == 0.4
    assert agents(words)[0].message == "I cannot do that."
    assert [step.message for step in agents(turns)] == ["", "done"]


def test_the_model_is_the_one_whose_folder_the_results_lie_in() -> None:
    form, path = formats.FORMATS["bfcl"], SAMPLES / "bfcl.jsonl"
    names = {
        "result/maker_small-FC/multi_turn/BFCL_v4_multi_turn_base_result.json": "maker_small-FC",
        "run.zip/result/small/BFCL_v3_simple_result.json": "small",
        "BFCL_v3_simple_result.json": "",
        "other/simple.json": "",
    }
    for name, model in names.items():
        first = next(iter(form.read(of_path(path, name)))).record  # type: ignore[attr-defined]
        assert first.policy_model == model
        assert first.external_id == (f"{model}:multi_turn_base_0" if model else "")


def test_parallel_lists_are_turns_with_their_rewards() -> None:
    one, other = records(SAMPLES / "intercode.json")
    assert [step.extra["values"] for step in agents(one)] == [{"reward": 0.5}, {"reward": 1.0}]
    assert agents(one)[1].tool_calls[0]["arguments"] == {"command": "ls | wc -l"}
    assert agents(other)[0].message == "First I look."
    assert (agents(other)[1].observations, agents(other)[1].extra) == ((), {"fields": {"valid_action": False}})
    assert (one.task.external_id, one.task.instruction) == ("ic_bash:letters_fs_1:0", "Count the letters.")
    assert one.outcome["reward"] == 1.0


@pytest.mark.parametrize(
    ("name", "episodes"),
    [
        ("ic_bash_multiturn_gpt-4_10_turns_fs_1.json.gz", 60),
        ("ic_bash_multiturn_gpt-4_10_turns_fs_2.json.gz", 53),
        ("ic_bash_multiturn_gpt-4_10_turns_fs_4.json", 27),
        ("ic_bash_react_10_turns_fs_1.json", 60),
        ("ic_bash_multiturn_vicuna_10_turns_fs_1.json.gz", 60),
        ("ic_bash_multiturn_starchat_10_turns_fs_1.json.gz", 58),
    ],
)
def test_real_results_of_intercode_come_in(name: str, episodes: int, shared_data: Path) -> None:
    found = records(shared_data / "intercode" / name)
    assert len(found) == len({record.task.external_id for record in found}) == episodes
    assert all("reward" in step.extra["values"] for record in found for step in agents(record))
    more = {len(agents(record)) - record.outcome["summary"]["turns_taken"] for record in found}
    assert more <= {0, 1}, "one that ran out of turns is submitted for the agent"
