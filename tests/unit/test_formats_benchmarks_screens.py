"""Sessions on screens: the pictures beside the logs are in the records, and whatever lies there breaks nothing."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations import formats
from annotations.formats.base import FolderFormat, Item
from annotations.formats.opening.sources import Folder, Source
from annotations.formats.pictures import Pictures, kind_of
from annotations.records import TrajectoryRecord
from annotations.rendering.parts import parts
from annotations.services import drafts, sources
from annotations.services.grounds import Ground
from tests import pictures

SAMPLES = Path(__file__).parents[1] / "samples"
OURS = ("tau2-bench-folder", "inspect-eval", "screenagent", "webvoyager")


def items(path: Path) -> list[Item]:
    with sources.opened([(path, path.name)]) as units:
        return [item for unit in units for item in unit.items()]


def records(path: Path) -> list[TrajectoryRecord]:
    found = items(path)
    assert [item.problems for item in found] == [()] * len(found)
    return [item.record for item in found if isinstance(item.record, TrajectoryRecord)]


def seen(record: TrajectoryRecord) -> list[int]:
    """How many pictures each step shows."""
    return [sum(bool(image.media) for part in parts(step) for image in part.images) for step in record.steps]


def test_a_screen_is_shown_and_what_was_done_on_it_is_called() -> None:
    (record,) = records(SAMPLES / "screenagent")
    assert seen(record) == [1, 0, 0, 1, 0, 0]
    assert record.steps[3].message == "Act: open the page.\n[image_url]"
    (click,) = record.steps[4].tool_calls
    assert (click["name"], click["arguments"]["mouse_position"]) == ("MouseAction", {"width": 3, "height": 2})
    assert (record.task.external_id, record.task.instruction) == ("s-1", "Open the tea page")


def test_a_correction_and_a_negative_plan_are_siblings_of_what_was_said() -> None:
    (record,) = records(SAMPLES / "screenagent")
    kinds = [(step.extra["fields"].get("kind"), step.parent) for step in record.steps]
    assert kinds == [
        (None, None),
        ("model", 0),
        ("corrected", 0),
        (None, 2),
        ("accepted", 3),
        ("negative plan", 3),
    ]
    assert [step.message for step in record.steps[1:3]] == ["Open a browser, then the page.", "Open the page."]
    assert record.steps[5].message == "Open the page once more."
    assert Ground(record.steps).siblings == {1: [1, 2], 4: [4, 5]}


def test_a_step_that_cannot_be_read_is_named_beside_the_others(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "screenagent", tmp_path / "session")
    next((tmp_path / "session").glob("*_neg_plan.json")).write_text("{")
    (item,) = items(tmp_path / "session")
    assert isinstance(item.record, TrajectoryRecord) and len(item.record.steps) == 5
    assert [problem.file.endswith("_neg_plan.json") for problem in item.problems] == [True]


def test_a_screenshot_belongs_to_the_turn_with_its_number() -> None:
    (record,) = records(SAMPLES / "webvoyager")
    assert seen(record) == [0, 1, 0, 0, 0, 1, 0], "the second turn, after an action that failed, has none"
    assert record.task.instruction == "Find green tea."
    assert (record.outcome, record.extra["fields"]["site"]) == ({"answer": "Sencha."}, "https://tea.example/")


def test_pictures_that_a_log_names_by_their_paths_are_put_in_their_places(tmp_path: Path) -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "./shots/a.png", "detail": "low"}},
        {"type": "text", "text": "?"},
    ]
    whole = {"type": "image_url", "image_url": {"url": pictures.as_address()}}
    talk = [{"role": "user", "content": [*content, whole]}, {"role": "assistant", "content": "A page."}]
    (tmp_path / "run" / "shots").mkdir(parents=True)
    (tmp_path / "run" / "messages.json").write_text(json.dumps({"messages": talk, "seed": 3}))
    (tmp_path / "run" / "shots" / "a.png").write_bytes(pictures.png())
    (record,) = records(tmp_path / "run")
    assert seen(record) == [2, 0]
    assert (record.task.external_id, record.extra["fields"]) == ("run", {"seed": 3})


def test_what_is_no_picture_or_is_not_there_stays_an_address() -> None:
    held = Pictures(
        Folder("f", {"a.png": _source(b"<svg>"), "x/b.png": _source(pictures.png()), "y/b.png": _source(b"")})
    )
    for path in ("a.png", "gone.png", "b.png", "../../etc/passwd", "", "https://example.org/a.png?x"):
        assert held.address(path) == path
    assert held.address("x/b.png") == pictures.as_address()


def test_pictures_are_known_by_their_first_bytes() -> None:
    assert kind_of(b"\xff\xd8\xff\xe0") == "image/jpeg" and kind_of(b"GIF89a") == "image/gif"
    assert kind_of(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "image/webp" and kind_of(b"") == ""


@pytest.mark.parametrize(
    ("session", "steps", "screens"),
    [
        ("session47", 3, 3),
        ("5fe99045cd214b898c99fce84ff4906b", 6, 5),
        ("02ea503d419c440cbda9e42263706d6a", 6, 5),
    ],
)
def test_real_sessions_come_in_with_every_screen(session: str, steps: int, screens: int, shared_data: Path) -> None:
    (record,) = records(shared_data / "screenagent" / session)
    kinds = [step.extra["fields"]["kind"] for step in record.steps if step.source == "agent"]
    assert len(kinds) - kinds.count("model") == steps, "files, but for what was said before it was corrected"
    assert seen(record) == [int(step.source == "user") for step in record.steps]
    assert sum(seen(record)) == screens


def test_all_real_sessions_of_a_folder_are_found(shared_data: Path) -> None:
    assert len(records(shared_data / "screenagent")) == 3


def _source(content: bytes) -> Source:
    return Source("a file", lambda: BytesIO(content))


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_whatever_is_done_to_a_folder_gives_records_or_located_problems(name: str, data: st.DataObject) -> None:
    root, form = SAMPLES / name, formats.FORMATS[name]
    assert isinstance(form, FolderFormat)
    members = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }
    texts = [path for path in members if path.endswith(".json")]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(texts))
        content = bytearray(members[path])
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 80)))
        content[start:end] = data.draw(
            st.sampled_from([b"", b"null", b"[]", b"{}", b"7", b'"x"', b"[[", b"\\ud800", b"\x00"])
        )
        members[path] = bytes(content)
    for item in form.read_folder(Folder("f", {path: _source(content) for path, content in members.items()})):
        assert item.record or item.problems
        assert all(problem.line > 0 and problem.file for problem in item.problems)
        if isinstance(item.record, TrajectoryRecord):
            assert drafts.draft(item.record, "f", 1).steps


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_values_of_other_kinds_in_a_folder_are_refused_where_they_stand(name: str, data: st.DataObject) -> None:
    root, form = SAMPLES / name, formats.FORMATS[name]
    assert isinstance(form, FolderFormat)
    members = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }
    path = data.draw(st.sampled_from([path for path in members if path.endswith(".json")]))
    value = json.loads(members[path])
    places = list(_places(value))
    if places:
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(st.sampled_from([None, True, -1, 1.5, 2**70, "", "x", [], {}, [None], [[]], {"a": 1}]))
    members[path] = json.dumps(value).encode()
    for item in form.read_folder(Folder("f", {path: _source(content) for path, content in members.items()})):
        assert item.record or item.problems
        if isinstance(item.record, TrajectoryRecord):
            assert drafts.draft(item.record, "f", 1).steps


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in the value that something stands in."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [*((value, key) for key, _ in pairs), *(place for _, one in pairs for place in _places(one))]
