"""What fuzzing (bench/fuzz) found, each a small file that reads as it should: records, or problems that say where."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotations import formats, schemes
from annotations.formats import chat
from annotations.formats.atif import ATIF
from annotations.formats.base import Refused
from annotations.formats.lines import dump
from annotations.formats.stepmark import Stepmark
from annotations.formats.writer import Writer
from annotations.records import Labelled, TrajectoryRecord
from annotations.services import sources
from annotations.services.rating_ways import Inwards
from annotations.services.segments import Segmenting
from bench.fuzz.promises import check

SAMPLES = Path(__file__).parents[1] / "samples"
SCHEME = schemes.shipped()["agent-process"]


def lines(*values: Any) -> bytes:
    return "".join(f"{json.dumps(one)}\n" for one in values).encode()


def sampled(name: str, number: int = 0) -> dict[str, Any]:
    """A record of the format's sample."""
    (path,) = [one for one in SAMPLES.iterdir() if one.name.split(".")[0] == name]
    found = json.loads(path.read_text().splitlines()[number] if path.suffix == ".jsonl" else path.read_text())
    assert isinstance(found, dict)
    return found


def zipped(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def lone_surrogate() -> bytes:
    return lines(sampled("processbench") | {"problem": "deep \udd73 down"})


def nameless() -> bytes:
    return zipped(("~", b"note"), ("apb.jsonl", lines(sampled("apb")))).replace(b"~", b"\x00")


def astray() -> bytes:
    """The directory of the archive says that the file begins before the archive."""
    made = bytearray(zipped(("apb.jsonl", lines(sampled("apb")))))
    end = made.rindex(b"PK\x05\x06") + 16
    made[end : end + 4] = (int.from_bytes(made[end : end + 4], "little") + 40).to_bytes(4, "little")
    return bytes(made)


def packed_by_zstandard(archive: bytes) -> bytes:
    """The archive, whose directory says of its one file that it is packed with Zstandard."""
    made = bytearray(archive)
    at = made.rindex(b"PK\x01\x02") + 10
    made[at : at + 2] = (93).to_bytes(2, "little")
    return bytes(made)


def no_utf8() -> bytes:
    """A tar whose files have names that are no UTF-8, one of them a link."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("\udcff.jsonl", "\udcfe.jsonl", "\udcfe"):
            entry, content = tarfile.TarInfo(name), lines(sampled("apb"))
            entry.size, entry.type = (len(content), tarfile.REGTYPE) if "json" in name else (0, tarfile.SYMTYPE)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def endless(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar whose second file says that it has an exabyte, which to skip takes years."""
    made = b""
    for called, content in (("apb.jsonl", lines(sampled("apb"))), (name, b"")):
        entry = tarfile.TarInfo(called)
        entry.size, entry.type = (len(content), tarfile.REGTYPE) if content else (2**60, kind)
        made += entry.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)
    return made + bytes(1024)


def wordy_map() -> bytes:
    """A tar with a map of a sparse file in which a word stands for a number."""
    made, content = io.BytesIO(), lines(sampled("apb"))
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, headers in (("apb.jsonl", {}), ("b.jsonl", {"GNU.sparse.map": "0,many"})):
            entry = tarfile.TarInfo(name)
            entry.size, entry.pax_headers = len(content), headers
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def squared_time() -> bytes:
    return lines(*(sampled("langsmith", number) | {"end_time": "²"} for number in range(2)))


def odd_integers() -> bytes:
    """OTLP spells 64-bit numbers as texts."""
    text = json.dumps(sampled("otlp"))
    assert '"intValue": "40"' in text
    return b"".join(text.replace('"intValue": "40"', f'"intValue": "{odd}"').encode() + b"\n" for odd in ("²", "--4"))


def long_names() -> bytes:
    """A number is a name, if none of hundreds of digits; what stands before its last underline is the source."""
    row = sampled("bfcl")
    return lines(row | {"id": 10**400}, row | {"id": "a" * 250 + "_1"})


def long_domain() -> bytes:
    document = sampled("tau2-bench")
    document["info"]["environment_info"]["domain_name"] = "d" * 250
    return json.dumps(document).encode()


def twice_at_one_place() -> bytes:
    record = sampled("stepmark")
    record["steps"][1]["source_index"] = record["steps"][0]["source_index"]
    return lines(record)


# What it is about, the format ("" where the file says), the file, how many records, what a problem says ("": none does)
FINDS = [
    ("the lower half of a surrogate pair alone", "processbench", lone_surrogate(), 1, ""),
    ("a zip with a file that has no name", "", nameless(), 1, "name"),
    ("a tar with names that are no UTF-8", "", no_utf8(), 2, "found a link"),
    ("a tar with a file of an exabyte", "", endless("b.jsonl"), 1, "unpacks to more"),
    ("a tar with a hidden file of an exabyte", "", endless(".b"), 1, "unpacks to more"),
    ("a tar with a sparse file of an exabyte", "", endless("b.jsonl", tarfile.GNUTYPE_SPARSE), 1, "unpacks to more"),
    ("a tar with a word for a number", "", wordy_map(), 1, "breaks off"),
    ("a zip whose directory points nowhere, in Zstandard", "", packed_by_zstandard(astray()), 0, "cannot be read"),
    ("a time of one digit that is no number", "langsmith", squared_time(), 1, ""),
    ("whole numbers that are none", "otlp", odd_integers(), 1, ""),
    ("names longer than any table holds", "bfcl", long_names(), 1, "found a text of 401 characters"),
    ("a domain longer than the name of a source", "tau2-bench", long_domain(), 2, ""),
    ("a solution without a step", "math-shepherd", lines({"input": "Why?", "label": []}), 0, "label"),
    ("two steps at one place of the original", "stepmark", twice_at_one_place(), 0, "source_index"),
    ("a zip whose directory points nowhere", "", astray(), 0, "cannot be read"),
]


@pytest.mark.parametrize(
    ("name", "content", "records", "reason"), [one[1:] for one in FINDS], ids=[one[0] for one in FINDS]
)
def test_a_file_that_fuzzing_found_is_read_or_says_why_not(name, content, records, reason, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    form = formats.reader(name) if name else None
    with sources.opened([(path, "file.zip" if content.startswith(b"PK") else "file.jsonl")], form) as units:
        for unit in units:
            check(unit, Inwards(SCHEME), Segmenting(SCHEME))
        items = [item for unit in units for item in unit.items()]
        assert "".join(unit.name for unit in units).encode()
    said = " ".join(f"{one.field}: {one.reason}" for item in items for one in item.problems)
    assert sum(item.record is not None for item in items) == records
    assert reason in said if reason else not said


def records(name: str) -> list[TrajectoryRecord]:
    (path,) = [one for one in SAMPLES.iterdir() if one.name.split(".")[0] == name]
    with sources.opened([(path, path.name)]) as units:
        items = [item for unit in units for item in unit.items()]
    return [item.record for item in items if isinstance(item.record, TrajectoryRecord)]


@pytest.mark.parametrize("name", formats.readable())
def test_whatever_came_in_leaves_natively_and_comes_in_again(name):
    native = Stepmark()
    for record in records(name):
        named = tuple(replace(step, stable_id=f"step-{place}") for place, step in enumerate(record.steps))
        stored = replace(record, steps=named, rating=None, rollout=record.rollout or 0, numbers={})
        again = native.record(json.loads(native.line(stored)))
        assert replace(again, numbers={}) == stored


@pytest.mark.parametrize("name", formats.readable())
def test_whatever_came_in_leaves_in_every_format_or_is_refused(name):
    for form in formats.FORMATS.values():
        if isinstance(form, Writer) and not isinstance(form, Stepmark):
            asked = {option.name: option.default for option in form.options}
            for record in records(name):
                grades = dict.fromkeys(Labelled(record).steps[-1:], -1)
                with suppress(Refused):
                    assert all(json.loads(dump(row)) for row in form.rows([Labelled(record, grades)], asked))


@pytest.mark.parametrize("name", formats.readable())
def test_whatever_came_in_is_a_conversation_of_chat_messages(name):
    roles = {*chat.ROLES.values(), *chat.OBSERVATIONS, "developer"}
    for record in records(name):
        assert {message["role"] for message in chat.messages_of(record.steps)} <= roles


def test_an_atif_step_keeps_a_content_that_is_not_its_message():
    row = sampled("atif")
    row["steps"][0]["content"] = "beside"
    (written,) = ATIF().rows([Labelled(ATIF().record(row))], {})
    assert written["steps"][0] == row["steps"][0]


def test_an_atif_call_that_says_more_is_an_ordinary_call_in_a_chat():
    messages = chat.messages_of(ATIF().record(sampled("atif")).steps)
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    assert calls and all(call["function"]["name"] == "shell" for call in calls)
