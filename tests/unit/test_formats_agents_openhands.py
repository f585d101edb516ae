"""Logs of OpenHands: events of its old kind and of its SDK."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from annotations import formats
from annotations.formats.base import FolderFormat, Item, Reader
from annotations.formats.opening.sources import Folder, Source
from annotations.records import TrajectoryRecord
from tests.unit.test_formats_agents import agents, items_of, read

SAMPLES = Path("tests/samples")


def action(number: int, kind: str, source: str = "agent", **args: Any) -> dict[str, Any]:
    return {"id": number, "source": source, "action": kind, "args": args}


def seen(number: int, cause: int, content: str, kind: str = "run") -> dict[str, Any]:
    return {"id": number, "source": "agent", "cause": cause, "observation": kind, "content": content, "extras": {}}


def of_list(events: list[Any]) -> TrajectoryRecord:
    """What a file that is the list of events is read as."""
    one = formats.detect(source := Source("run.json", lambda: BytesIO(json.dumps(events).encode())))[0]
    assert isinstance(one, Reader)
    (item,) = one.read(source)
    assert isinstance(item.record, TrajectoryRecord)
    return item.record


def test_observations_go_to_the_actions_that_caused_them():
    record = of_list(
        [
            action(1, "message", "user", content="Go."),
            action(2, "run", command="ls", thought="One."),
            action(3, "run", command="pwd", thought="Two."),
            seen(4, 3, "/work"),
            seen(5, 2, "a.py"),
            seen(6, 2, "", "agent_state_changed"),
        ]
    )
    assert [[one["content"] for one in step.observations] for step in agents(record)] == [["a.py"], ["/work"]]
    assert [step.source_index for step in agents(record)] == [1, 2]
    assert agents(record)[0].tool_calls[0]["arguments"] == {"command": "ls"}


def test_actions_of_one_reply_are_one_step_with_the_arguments_the_model_wrote():
    new, old = read(SAMPLES / "openhands.jsonl")[1]
    both = agents(new)[0]
    assert [one["arguments"] for one in both.tool_calls] == ['{"command": "ls"}', {"command": "pwd"}]
    assert [one["content"] for one in both.observations] == ["sum.py", "/work"]
    assert (new.task.external_id, new.policy_model, new.outcome["resolved"]) == ("sums-1", "small-1", True)
    assert [one["content"] for one in agents(old)[0].observations] == ["hello"], "old rows hold pairs"
    assert agents(old)[0].source_index == 2


def test_what_a_person_ran_is_no_step():
    record = of_list(
        [action(1, "run", "user", command="ls"), seen(2, 1, "a.py"), action(3, "finish", final_thought="Ok.")]
    )
    assert [(step.source, len(step.observations)) for step in record.steps] == [("user", 1), ("agent", 0)]
    assert agents(record)[0].message == "Ok."


def test_a_screenshot_is_a_picture_of_the_observation():
    picture = "data:image/png;base64,iVBORw0KGgo="
    browse = seen(2, 1, "A page.", "browse") | {"extras": {"screenshot": picture, "url": "http://a"}}
    (one,) = agents(of_list([action(1, "browse", url="http://a"), browse]))[0].observations
    assert one["content"][1] == {"type": "image_url", "image_url": {"url": picture}}
    assert one["extras"] == {"url": "http://a"}


def test_a_row_without_an_action_says_so():
    ((problem,),) = [
        i.problems for i in items_of("openhands", {"history": [action(1, "message", "user", content="Go.")]})
    ]
    assert (problem.field, "no action of the agent" in problem.reason) == ("history", True)


def test_the_sdks_actions_of_one_reply_are_one_step():
    record, _ = read(SAMPLES / "openhands-sdk.jsonl")[1]
    both, last = agents(record)
    assert [one["id"] for one in both.tool_calls] == ["c1", "c2"]
    assert [one["content"] for one in both.observations] == ["sum.py", "The shell is gone."]
    assert (both.reasoning, both.source_index, last.message) == ("Two places.", 2, "The file is sum.py.")
    assert (record.policy_model, record.task.tools) == ("small-1", [{"name": "terminal"}])


def test_events_that_stand_one_a_line_are_the_conversation_that_they_are_in_a_list():
    (record,) = read(SAMPLES / "openhands-sdk-log.jsonl")[1]
    listed = read(SAMPLES / "openhands-sdk.jsonl")[1][0]
    assert (record.steps, record.task.tools) == (listed.steps, listed.task.tools)
    assert record.external_id == "openhands-sdk-log"


def test_a_broken_line_among_events_is_named_and_the_others_are_read():
    lines = (SAMPLES / "openhands-sdk-log.jsonl").read_bytes().splitlines()
    text = b"\n".join([*lines[:4], b"{", b"7", *lines[4:]])
    one = formats.FORMATS["openhands-sdk-log"]
    assert isinstance(one, Reader)
    items = list(one.read(Source("a/run.jsonl", lambda: BytesIO(text))))
    assert [item.line for item in items if item.problems] == [5, 6]
    (record,) = [item.record for item in items if item.record]
    assert record.steps == read(SAMPLES / "openhands-sdk-log.jsonl")[1][0].steps and record.external_id == "run"


def folder_of(events: dict[str, str]) -> list[Item]:
    members = {path: Source(path, lambda text=text: BytesIO(text.encode())) for path, text in events.items()}  # type: ignore[misc]
    folder = Folder("run.zip", members)
    one = formats.detect_folder(folder)
    assert isinstance(one, FolderFormat) and one.name == "openhands-sdk-folder"
    return list(one.read_folder(folder))


def test_a_broken_event_of_a_conversation_is_named_and_the_rest_is_read():
    said = {"kind": "MessageEvent", "id": "a", "source": "agent", "llm_message": {"role": "assistant", "content": []}}
    items = folder_of({"c/events/event-00000-a.json": json.dumps(said), "c/events/event-00001-b.json": "{"})
    assert [item.problems[0].file for item in items if item.problems] == ["c/events/event-00001-b.json"]
    assert [item.record.external_id for item in items if item.record] == ["c"]


def test_real_event_lists_are_read(shared_data: Path):
    counts = {}
    for path in sorted((shared_data / "openhands").iterdir()):
        name, (record,), broken = read(path)
        assert (name, broken) == ("openhands", [])
        answered = sum(len(step.observations) for step in record.steps)
        counts[path.stem] = len(json.loads(path.read_text())), len(agents(record)), answered
    assert counts == {
        "basic": (4, 2, 1),
        "basic_gui_mode": (18, 5, 4),
        "basic_interactions": (6, 3, 0),
        "wrong_initial_state": (8, 4, 3),
    }
