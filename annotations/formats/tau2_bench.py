"""tau2-bench results: one document with all simulations, or its folder with a file for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from annotations.formats import folders, naming
from annotations.formats.base import FolderFormat, Item, LabelRecord, Refused, ValueFormat, found, whole
from annotations.formats.opening.sources import Folder
from annotations.formats.tau2_turns import steps_of
from annotations.formats.turns import member, words
from annotations.records import Json, Problem, TaskRecord, TrajectoryRecord

MAPPED = frozenset(["id", "task_id", "trial", "messages", "ticks", "reward_info"])
RESULTS, SIMULATIONS = "results.json", "simulations/"
KEEPS = "The agent's turns with their calls and results, the simulated user's turns and calls, tasks, rewards, trials."


class Tau2Bench(ValueFormat):
    """The user simulator's own calls are context; only the agent's turns are steps."""

    name = "tau2-bench"
    title = "tau2-bench results (one document)"
    within = "simulations"
    keeps = KEEPS
    loses = "Where voice calls are told in ticks, the sound."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or not isinstance(simulations := value.get("simulations"), list):
            return False
        return isinstance(value.get("tasks"), list) and all(_is_simulation(one) for one in simulations[:3])

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        simulations = value.get("simulations") if isinstance(value, dict) else None
        if not isinstance(simulations, list) or not simulations:
            raise Refused("simulations", f"found {found(simulations)}; accepted is a list of simulations")
        return _each(value, simulations)


class Tau2Folder(FolderFormat):
    name = "tau2-bench-folder"
    title = "tau2-bench results (a folder)"
    keeps = KEEPS
    loses = Tau2Bench.loses

    def recognises_folder(self, folder: Folder) -> bool:
        return RESULTS in folder.members and any(_is_member(path) for path in folder.members)

    def read_folder(self, folder: Folder) -> Iterator[Item]:
        head = folders.value_of(folder.members[RESULTS])
        if head.reason:
            yield folders.nothing(folder.members[RESULTS].name, head, "", head.reason)
        results = head.value if isinstance(head.value, dict) else {}
        missing = _indexed(results)
        for path, source in folder.members.items():
            if _is_member(path):
                missing.discard(PurePosixPath(path).stem)
                line = folders.value_of(source)
                yield folders.item(source.name, line, lambda value: _record(value, results))
        for name in sorted(missing):
            reason = f"the index names the simulation {name[:80]!r}, which has no file in {SIMULATIONS}"
            yield Item(1, None, (Problem(folder.members[RESULTS].name, 1, "simulation_index", reason),))


def _is_simulation(value: Json) -> bool:
    return isinstance(value, dict) and "task_id" in value and ("messages" in value or "ticks" in value)


def _is_member(path: str) -> bool:
    return path.startswith(SIMULATIONS) and path.endswith(".json") and path.count("/") == 1


def _indexed(results: dict[str, Any]) -> set[str]:
    index = results.get("simulation_index")
    return {words(one, "id") for one in index if words(one, "id")} if isinstance(index, list) else set()


def _each(results: dict[str, Any], simulations: list[Json]) -> Iterator[TrajectoryRecord | Refused]:
    for place, one in enumerate(simulations):
        try:
            yield _record(one, results)
        except Refused as refused:
            yield Refused(f"simulations[{place}].{refused.field}".rstrip("."), refused.reason)


def _record(value: Json, results: dict[str, Any]) -> TrajectoryRecord:
    if not isinstance(value, dict):
        raise Refused("", f"found {found(value)}; accepted is a simulation, an object")
    info = member(results, "info")
    domain = words(member(info, "environment_info"), "domain_name")
    steps = steps_of(value)
    name = naming.name(value, "task_id")
    task = _task(results, name)
    trial = whole(value, "trial", required=False)
    model = words(member(info, "agent_info"), "llm")
    fields = {key: one for key, one in value.items() if key not in MAPPED}
    fields["info"] = {key: one for key, one in info.items() if key != "environment_info"}
    reward = value.get("reward_info")
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=":".join(filter(None, (domain, name)))[: naming.NAME] or naming.prompt_id(steps),
            source=f"tau2-bench {domain}".strip()[:200],
            instruction=_instruction(task) or naming.instruction(steps),
            reference=task.get("evaluation_criteria"),
            tools=member(info, "environment_info").get("tool_defs"),
        ),
        steps=steps,
        external_id=naming.name(value, "id"),
        policy_model=model[:200],
        outcome={
            "reward": member(value, "reward_info").get("reward"),
            "termination": value.get("termination_reason"),
        }
        | ({"reward_info": reward} if reward is not None else {}),
        meta={"task_id": value.get("task_id")} | ({} if trial is None else {"trial": trial}),
        extra={"fields": fields},
    )


def _task(results: dict[str, Any], name: str) -> dict[str, Any]:
    tasks = results.get("tasks")
    every = tasks if isinstance(tasks, list) else []
    return next((one for one in every if isinstance(one, dict) and str(one.get("id")) == name), {})


def _instruction(task: dict[str, Any]) -> str:
    """What the simulated user was told to want: a text, or an object of texts."""
    told = member(task, "user_scenario").get("instructions")
    if isinstance(told, str):
        return told
    parts = told.values() if isinstance(told, dict) else ()
    return "\n".join(part for part in parts if isinstance(part, str) and part)
