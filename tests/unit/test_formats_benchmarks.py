"""Logs of benchmarks with users and tools: tau-bench, tau2-bench, BFCL, InterCode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotations import formats
from annotations.formats.base import Item, ValueFormat
from annotations.formats.opening.sources import of_path
from annotations.records import TrajectoryRecord

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
