"""Inspect logs: attachments, pooled inputs, thoughts, epochs; a document, an archive, one that was broken off."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard

from annotations import formats
from annotations.formats.opening.sources import of_path
from annotations.records import TrajectoryRecord
from annotations.rendering.parts import parts
from annotations.services import sources

SAMPLES = Path(__file__).parents[1] / "samples"


def records(path: Path) -> list[TrajectoryRecord]:
    """What is imported of the file or folder, all of it without a problem."""
    with sources.opened([(path, path.name)]) as units:
        items = [item for unit in units for item in unit.items()]
    assert [item.problems for item in items] == [()] * len(items)
    return [item.record for item in items if isinstance(item.record, TrajectoryRecord)]


def test_attachments_stand_in_their_places_pictures_too() -> None:
    one = records(SAMPLES / "inspect.json")[0]
    assert [image.media for part in parts(one.steps[1]) for image in part.images] == ["image/png"]
    assert one.steps[2].observations[0]["content"] == "A brown liquid."


def test_a_call_is_named_and_a_thought_is_reasoning() -> None:
    step = records(SAMPLES / "inspect.json")[0].steps[2]
    assert (step.message, step.reasoning) == ("Looking.", "I should look.")
    assert [(call["name"], call["arguments"]) for call in step.tool_calls] == [("look", {"at": "cup"})]
    assert step.extra["fields"]["thoughts"][0]["signature"] == "s"
    assert step.observations[0]["name"] == "look"


def test_what_the_log_says_of_task_model_and_scores_is_kept() -> None:
    one, two = records(SAMPLES / "inspect.json")
    assert (one.task.external_id, one.task.source, one.policy_model) == ("kiosk:1", "teas", "maker/small")
    assert (one.task.reference, two.task.reference) == ("tea", ["tea", "coffee"])
    assert (one.external_id, two.external_id) == ("u-1", "E1:two:2")
    assert (one.rollout, two.meta["epoch"]) == (None, 2), "the log of another model has the same epochs"
    assert one.outcome == {
        "answer": "tea",
        "scores": {"match": {"value": "C", "answer": "tea", "explanation": "It is tea."}},
    }
    assert one.task.tools[0]["name"] == "look"


def test_messages_that_only_events_have_are_read_from_the_pool() -> None:
    two = records(SAMPLES / "inspect.json")[1]
    assert [(step.source, step.message) for step in two.steps] == [
        ("user", "And now?"),
        ("agent", ""),
        ("agent", "milk"),
    ]
    assert two.steps[1].observations[0]["error"]["type"] == "timeout"
    assert two.steps[1].tool_calls[0]["original"]["parse_error"] == "odd"


def test_an_archive_reads_like_a_folder_its_samples_by_their_numbers(tmp_path: Path) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "log"), "zip", SAMPLES / "inspect-eval")).rename(
        tmp_path / "log.eval"
    )
    found = records(packed)
    assert found == records(SAMPLES / "inspect-eval")
    assert [record.task.external_id for record in found] == ["kiosk:2", "kiosk:1", "kiosk:three"]


def test_a_sample_in_pieces_is_put_together() -> None:
    three = records(SAMPLES / "inspect-eval")[2]
    assert [(step.source, step.message) for step in three.steps] == [("user", "What is it?"), ("agent", "tea")]
    assert three.task.instruction == "What is it?"


def test_a_log_that_was_broken_off_has_what_was_done(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "inspect-eval", tmp_path / "log")
    for name in ("header.json", "summaries.json"):
        (tmp_path / "log" / name).unlink()
    assert [record.policy_model for record in records(tmp_path / "log")] == ["maker/small"] * 3


def test_archives_in_a_folder_are_logs_each(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.make_archive(str(tmp_path / name), "zip", SAMPLES / "inspect-eval")
    (tmp_path / "logs").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"{name}.zip").rename(tmp_path / "logs" / f"{name}.eval")
    assert len(records(tmp_path / "logs")) == 6


def test_one_broken_sample_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "inspect-eval", tmp_path / "log")
    (tmp_path / "log" / "samples" / "10_epoch_1.json").write_text("{")
    with sources.opened([(tmp_path / "log", "log")]) as (unit,):
        items = list(unit.items())
    assert [bool(item.record) for item in items] == [True, False, True]
    assert items[1].problems[0].file == "log/samples/10_epoch_1.json" and "not JSON" in items[1].problems[0].reason


def test_a_log_without_samples_says_so(tmp_path: Path) -> None:
    log = json.loads((SAMPLES / "inspect.json").read_text()) | {"samples": None}
    (tmp_path / "log.json").write_text(json.dumps(log))
    form = formats.detect(of_path(tmp_path / "log.json"))[0]
    (item,) = form.read(of_path(tmp_path / "log.json"))
    assert item.problems[0].field == "samples" and "accepted" in item.problems[0].reason


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("2025-05-12T20-27-36-04-00_browser.json.gz", 1),
        ("2025-05-12T20-28-26-04-00_security-guide.json", 3),
        ("2025-05-12T20-28-13-04-00_popularity.json", 3),
        ("log_images_tc.json", 1),
        ("2025-02-11T15-18-04-05-00_popularity_mj7khqpMM4GBCfVQozKgzB.eval", 10),
    ],
)
def test_real_logs_come_in(name: str, count: int, shared_data: Path) -> None:
    found = records(shared_data / "inspect" / name)
    assert len(found) == count
    assert all(record.policy_model and record.outcome["scores"] for record in found)
    assert not any("attachment://" in str(record) for record in found)


def test_a_real_archive_is_read_one_sample_at_a_time(shared_data: Path) -> None:
    path = next((shared_data / "inspect").glob("*.eval"))
    with zipfile.ZipFile(path) as archive, sources.opened([(path, path.name)]) as (unit,):
        for place, item in enumerate(unit.items(), 1):
            assert item.original == archive.read(f"samples/{place}_epoch_1.json").strip()


ZSTANDARD = 93  # among the methods of a ZIP


def packed_by_zstandard(members: dict[str, bytes], most: int = 2**31) -> bytes:
    """A ZIP by its specification (local header, data, central directory, end), which zipfile cannot write so. It says
    of no member that it has more than `most` bytes."""
    files, directory = b"", b""
    for name, data in members.items():
        packed, called, size = zstandard.ZstdCompressor().compress(data), name.encode(), min(len(data), most)
        said = struct.pack("<HHHHHIIIHH", 63, 0, ZSTANDARD, 0, 33, zlib.crc32(data), len(packed), size, len(called), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 63) + said + struct.pack("<HHHII", 0, 0, 0, 0, len(files)) + called
        )
        files += b"PK\x03\x04" + said + called + packed
    count = len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(files), 0)
    return files + directory + b"PK\x05\x06" + end


def test_a_log_whose_members_are_packed_by_zstandard_is_read_like_any_other(tmp_path: Path) -> None:
    inside = {str(one.relative_to(SAMPLES / "inspect-eval")): one.read_bytes() for one in members()}
    log = tmp_path / "log.eval"
    log.write_bytes(packed_by_zstandard(inside))
    with zipfile.ZipFile(log) as archive:
        assert {one.compress_type for one in archive.infolist()} == {ZSTANDARD}
        assert {one.filename: one.file_size for one in archive.infolist()} == {
            name: len(x) for name, x in inside.items()
        }
    assert records(log) == records(SAMPLES / "inspect-eval")


def test_a_damaged_member_that_zstandard_packed_is_told_and_the_others_come_in(tmp_path: Path) -> None:
    inside = {str(one.relative_to(SAMPLES / "inspect-eval")): one.read_bytes() for one in members()}
    whole = packed_by_zstandard(inside)
    at = whole.index(b"samples/2_epoch_2.json") + len(b"samples/2_epoch_2.json")
    (tmp_path / "log.eval").write_bytes(whole[:at] + b"\0\0\0\0" + whole[at + 4 :])
    with sources.opened([(tmp_path / "log.eval", "log.eval")]) as units:
        items = [item for unit in units for item in unit.items()]
    (problem,) = [one for item in items for one in item.problems]
    assert problem.file == "log.eval/samples/2_epoch_2.json" and "breaks off" in problem.reason
    assert sum(item.record is not None for item in items) == len(records(SAMPLES / "inspect-eval")) - 1


def test_a_member_that_unpacks_to_more_than_the_archive_says_is_not_unpacked_on(tmp_path: Path) -> None:
    inside = {"header.json": b"{}", "samples/1_epoch_1.json": b" " * 50_000_000}
    (tmp_path / "log.eval").write_bytes(packed_by_zstandard(inside, most=1_000))
    with sources.opened([(tmp_path / "log.eval", "log.eval")]) as units:
        problems = [one.reason for unit in units for item in unit.items() for one in item.problems]
    assert problems == ["the file cannot be read: the file in the archive unpacks to more than the archive says"]


def members() -> list[Path]:
    return sorted(one for one in (SAMPLES / "inspect-eval").rglob("*") if one.is_file())
