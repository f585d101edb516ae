"""A file opened with no project: read by byte offset, listed with what could not be read, shown like a stored one."""

from __future__ import annotations

import base64
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotations import formats
from annotations.records import AnswerRecord, PassRecord, StepRecord, TaskRecord, TrajectoryRecord
from annotations.services import sources as units
from annotations.viewer import gathered
from annotations.viewer import source as sources
from annotations.viewer.gathered import Gathered
from annotations.viewer.leaf import Leaf
from annotations.viewer.pages import PER_PAGE, Viewer
from annotations.viewer.server import configured
from annotations.viewer.source import Entry, Source

HOSTILE = "<script>alert(1)</script>\u202e"


def conversation(number: int, steps: int = 1, **more: Any) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"Question {number}? {HOSTILE}"}]
    for place in range(steps):
        function = {"name": "look", "arguments": json.dumps({"at": place // 2})}
        call = {"id": f"c{place}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": f"I look at {place}. {HOSTILE}", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{place}", "content": f"Saw {place}."})
    return {"messages": messages, "id": f"record-{number}", **more}


def labelled(values: list[int | None], final: int = -1) -> dict[str, Any]:
    """An AgentProcessBench record with these labels."""
    labels = {str(1 + 2 * at): value for at, value in enumerate(values)}
    return conversation(0, len(values)) | {
        "query_index": 0, "sample_index": 0, "data_source": "made", "question": "Why?", "answer_text": "41",
        "ground_truth": {"target": "42"}, "step_labels": labels, "final_label": final, "model": "small",
    }  # fmt: skip


@pytest.fixture
def written(tmp_path: Path):
    def write(*lines: Any, name: str = "made.jsonl") -> Path:
        path = tmp_path / name
        text = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text)
        return path

    return write


@pytest.fixture
def opened(request: pytest.FixtureRequest):
    """opened(path): the source of that file, closed with the test."""

    def open_it(path: Path, *how: str) -> Source:
        source = Source(path, *how)
        request.addfinalizer(source.close)
        return source

    return open_it


def told(entry: Entry) -> str:
    return entry.record.external_id if entry.record else entry.reason


def walk(source: Source, many: int = 3, **asked: Any) -> list[list[str]]:
    pages, at = [], 0
    while at is not None:
        listing = source.page(at, many, told, **asked)
        pages.append(listing.rows)
        at = listing.after
    return pages


@pytest.mark.parametrize("name", ["plain.jsonl", "packed.jsonl.gz"])
def test_a_file_is_paged_by_offset_and_each_record_found_again(name, written, opened) -> None:
    source = opened(written(*[conversation(number) for number in range(8)], name=name))
    assert walk(source) == [[f"record-{number}" for number in group] for group in ((0, 1, 2), (3, 4, 5), (6, 7))]
    offsets = source.page(0, 99, lambda entry: entry.offset).rows
    assert [told(source.entry(offset)) for offset in offsets] == [f"record-{number}" for number in range(8)]
    assert source.entry(offsets[3] + 1) is None, "no line begins there"
    assert source.entry(source.size) is None
    assert source.before(offsets[5], 3) == offsets[2]
    assert source.before(offsets[2], 3) == 0


def test_a_file_without_a_last_newline_and_with_blank_lines_loses_nothing(tmp_path, opened) -> None:
    path = tmp_path / "made.jsonl"
    path.write_text(f"\n{json.dumps(conversation(1))}\n\n   \n{json.dumps(conversation(2))}")
    assert walk(opened(path)) == [["record-1", "record-2"]]


def test_what_cannot_be_read_is_listed_in_its_place_with_the_reason(written, opened) -> None:
    source = opened(written(conversation(1), "not json", [1, 2], {"messages": [{"role": "clown"}]}, conversation(2)))
    (rows,) = walk(source, 9)
    assert [rows[0], rows[4]] == ["record-1", "record-2"]
    assert rows[1].startswith("not JSON")
    assert rows[2] == "found a list of 2; accepted is one JSON object a line"
    assert "found the text 'clown'; accepted are system" in rows[3]
    assert walk(source, 9, rejected=True) == [rows[1:4]]


def test_a_record_is_found_by_what_it_says_however_the_file_spells_it(written, opened) -> None:
    escaped = json.dumps(conversation(1, note="Zürich"))
    plain = json.dumps(conversation(2, note="ZÜRICH".lower()), ensure_ascii=False)
    source = opened(written(escaped, plain, conversation(3)))
    assert walk(source, 9, text="zürich") == [["record-1", "record-2"]]
    assert walk(source, 9, text="RECORD-3") == [["record-3"]]
    assert walk(source, 9, text="nowhere") == [[]]


def test_a_search_that_takes_long_says_how_far_it_came(written, opened, monkeypatch) -> None:
    monkeypatch.setattr(sources, "PATIENCE", -1.0)
    source = opened(written(*[conversation(number) for number in range(4)]))
    listing = source.page(0, 9, told, text="record-3")
    assert (listing.rows, listing.paused) == ([], True)
    assert 0 < source.share(listing.after or 0) < 100
    pages = walk(source, 9, text="record-3")
    assert [row for page in pages for row in page] == ["record-3"]


def test_a_line_beyond_all_limits_is_passed_over(written, opened, monkeypatch) -> None:
    path = written(conversation(1), "x" * 4_000, conversation(2))
    source = opened(path)
    monkeypatch.setattr(sources.lines, "LONGEST", 2_000)
    (rows,) = walk(source, 9)
    assert [rows[0], rows[2]] == ["record-1", "record-2"]
    assert "longer than" in rows[1]


def test_a_compressed_file_that_breaks_off_is_read_as_far_as_it_goes(tmp_path, opened) -> None:
    whole = gzip.compress("".join(json.dumps(conversation(n, 3)) + "\n" for n in range(400)).encode())
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    source = opened(path)
    assert "breaks off" in source.broken
    assert walk(source, 5)[0] == [f"record-{n}" for n in range(5)]


def test_a_file_that_no_format_knows_is_refused_with_what_is_accepted(written, opened) -> None:
    with pytest.raises(formats.UnknownFormat, match="found an object with the keys a; accepted are stepmark, apb"):
        opened(written({"a": 1}))
    with pytest.raises(formats.UnknownFormat, match="no format 'xml'"):
        opened(written(conversation(1)), "xml")


@pytest.fixture
def browse(written, opened, settings):
    """browse(records): a client over the viewer of such a file, and where it begins."""

    def enter(*lines: Any, **how: Any) -> tuple[Client, str]:
        viewer = Viewer(opened(written(*lines, **how)))
        for name, value in configured(viewer).items():
            setattr(settings, name, value)
        return Client(headers={"host": "127.0.0.1"}), viewer.home

    return enter


def test_the_list_leads_to_a_page_each_and_says_what_was_not_read(browse) -> None:
    client, home = browse(labelled([1, -1, None]), "broken", labelled([1]) | {"sample_index": 1})
    page = client.get(home).content.decode()
    assert f"{HOSTILE[:8]}" not in page
    assert "not JSON" in page
    assert page.count('href="t/') == 2
    assert "in the file: +1 −1 ·" in page
    assert "Everything" in client.get(home, {"rejected": "1", "q": "nowhere"}).content.decode()


def test_a_page_shows_what_a_stored_one_shows(browse) -> None:
    client, home = browse(labelled([1, 1, -1, -1]))
    page = client.get(f"{home}t/0/").content.decode()
    for said in ("What went wrong", "step 3", "42", "41", "small", "in the file: +1 +1 −1 −1", 'id="step-4"', "2 × "):
        assert said in page
    for dangerous in ("<script>alert", "\u202e"):
        assert dangerous not in page
    for absent in ("Compare with others", "Print", "Take away", "History", "/accounts/"):
        assert absent not in page


def test_a_long_one_comes_in_windows_and_its_texts_by_themselves(browse) -> None:
    long = "word " * 10_000 + "the end"
    record = conversation(1, 300)
    record["messages"][1]["content"] = long
    client, home = browse(record)
    page = client.get(f"{home}t/0/").content.decode()
    assert ('id="step-39"' in page, 'id="step-40"' in page, "the end" in page) == (True, False, False)
    assert 'id="step-120"' in client.get(f"{home}t/0/", {"at": "125"}).content.decode()
    assert 'id="step-79"' in client.get(f"{home}t/0/steps/", {"from": 40}).content.decode()
    assert 'id="step-0"' in client.get(f"{home}t/0/steps/", {"to": 40}).content.decode()
    said = client.get(f"{home}t/0/said/").content.decode()
    assert ("2 × <code" in said, "I look at 299." in said) == (True, True)
    assert 'value="101"' in client.get(f"{home}t/0/outline/", {"at": 101}).content.decode()
    assert client.get(f"{home}t/0/steps/1/message/", {"raw": ""}).content.decode() == long
    for nowhere in (
        "t/0/steps/1/nothing/",
        "t/0/steps/999/message/",
        "t/1/",
        "t/99999999999/",
        "t/0/steps/1/message/image/1/",
    ):
        assert client.get(home + nowhere).status_code == 404, nowhere


def test_a_picture_is_shown_from_the_file(browse) -> None:
    data = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x02\x00\x00\x00\x03\x08\x00\x00\x00\x00"
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    record = conversation(1)
    record["messages"][0]["content"] = [{"type": "image_url", "image_url": {"url": url}}]
    client, home = browse(record)
    address = f"{home}t/0/steps/0/message/image/1/"
    assert f'src="{address}"' in client.get(f"{home}t/0/").content.decode()
    answer = client.get(address)
    assert (answer.content, answer.headers["Content-Type"]) == (data, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_nobody_enters_without_the_token_or_by_another_name(browse) -> None:
    client, home = browse(conversation(1))
    for address in ("/", "/guess/", f"/{'x' * 22}/", f"/{'ü' * 22}/t/0/"):
        assert client.get(address).status_code == 404
    answer = client.get(home, headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "record" not in answer.content.decode()
    assert client.post(home).status_code == 405
    policy = client.get(home).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_pages_of_the_list_follow_each_other_and_lead_back(browse) -> None:
    client, home = browse(*[conversation(number) for number in range(PER_PAGE + 5)])
    first = client.get(home)
    second = client.get(home + first.context["next"])
    assert [row.name for row in second.context["rows"]] == [f"record-{n}" for n in range(PER_PAGE, PER_PAGE + 5)]
    back = client.get(home + second.context["previous"])
    assert [row.name for row in back.context["rows"]] == [row.name for row in first.context["rows"]]
    for odd in ("-1", "x", "9" * 40, "7"):
        assert client.get(home, {"from": odd}).status_code == 200


def test_real_records_open(browse, shared_data) -> None:
    packed = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    lines = gzip.decompress(packed.read_bytes()).decode().splitlines()[:30]
    client, home = browse(*lines, name="real.jsonl.gz")
    rows = client.get(home).context["rows"]
    assert len(rows) == PER_PAGE
    assert not any(row.reason for row in rows)
    for row in rows:
        assert client.get(f"{home}t/{row.offset}/").status_code == 200


SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def shown(request: pytest.FixtureRequest, settings):
    """shown(path): a client over the viewer of whatever is there, where it begins, and what it reads it with."""

    def show(path: Path, *how: str) -> tuple[Client, str, Source | Gathered]:
        source = gathered.opened(path, *how)
        request.addfinalizer(source.close)
        viewer = Viewer(source)
        for name, value in configured(viewer).items():
            setattr(settings, name, value)
        return Client(headers={"host": "127.0.0.1"}), viewer.home, source

    return show


READABLE = [
    path
    for path in sorted(SAMPLES.iterdir())
    if (form := formats.FORMATS.get(path.name.partition(".")[0])) and form.reads and form.holds == "trajectories"
]


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_whatever_a_format_opens_is_listed_and_shown(path: Path, shown) -> None:
    client, home, source = shown(path)
    rows = client.get(home).context["rows"]
    with units.opened([(path, path.name)]) as found:
        items = [item for unit in found for item in unit.items()]
    assert len([row for row in rows if not row.reason]) == min(PER_PAGE, sum(item.record is not None for item in items))
    for row in rows:
        page = client.get(f"{home}t/{row.offset}/")
        assert page.status_code == (404 if row.reason else 200)
    assert source.entry(10**9) is None and client.get(f"{home}t/{10**12}/").status_code == 404


def pack(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_an_archive_is_one_list_with_what_could_not_be_read_in_its_place(tmp_path, shown) -> None:
    several = json.dumps([conversation(number) for number in range(30)], indent=1).encode()
    apb = (SAMPLES / "apb.jsonl").read_bytes()
    path = pack(tmp_path / "runs.zip", ("a.json", several), ("b.jsonl", b"{broken\n" + apb), ("c.txt", b"notes"))
    client, home, source = shown(path)
    assert walk(source, 15)[0] == [f"record-{number}" for number in range(15)]
    first = client.get(home)
    second = client.get(home + first.context["next"])
    assert [row.name for row in second.context["rows"]][:10] == [f"record-{number}" for number in range(20, 30)]
    assert "runs.zip/b.jsonl, line 1" in second.content.decode()
    assert first.context["previous"] is None and second.context["previous"] == "?from=0"
    assert "OpenAI" in first.content.decode() and "AgentProcessBench" in first.content.decode()
    (rows,) = walk(source, 9, rejected=True)
    assert len(rows) == 2 and rows[0].startswith("not JSON")
    assert walk(source, 9, text="RECORD-17") == [["record-17"]]


def test_a_list_that_takes_long_to_search_says_how_many_records_it_saw(tmp_path, shown, monkeypatch) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([conversation(number) for number in range(4)], indent=1))
    client, home, source = shown(path)
    monkeypatch.setattr(sources, "PATIENCE", -1.0)
    assert "Looked through 1 records so far" in client.get(home, {"q": "record-3"}).content.decode()
    assert [row for page in walk(source, 9, text="record-3") for row in page] == ["record-3"]


def test_labels_are_in_the_words_of_the_scheme_that_they_are_said_in(shown) -> None:
    client, home, source = shown(SAMPLES / "prm800k.jsonl")
    leaf = Leaf(source.entry(0).record, "")
    assert leaf.scheme.name == "prm800k"
    page = client.get(f"{home}t/0/").content.decode()
    assert "in the file: " in page and leaf.scheme.field("finish").title in page and "Reached an answer" in page


def test_what_every_rater_says_in_the_native_format_is_told_by_name(shown) -> None:
    client, home, source = shown(SAMPLES / "stepmark.jsonl")
    entries = [entry for entry in source.page(0, 99, lambda entry: entry).rows if entry.record.passes]
    assert entries
    for entry in entries:
        leaf = Leaf(entry.record, "")
        said = [one.rater for one in entry.record.passes if one.answers]
        assert [one.name for one in leaf.said if one.name != "in the file"] == said
        page = client.get(f"{home}t/{entry.offset}/").content.decode()
        assert all(f"{name}: " in page for name in said)


def test_an_answer_of_a_step_that_is_not_there_does_not_stop_the_page(shown) -> None:
    answers = (AnswerRecord(7, "label", -1), AnswerRecord(-1, "label", -1), AnswerRecord(1, "label", 1))
    record = TrajectoryRecord(
        TaskRecord("t"),
        (StepRecord("user", 0, "?"), StepRecord("agent", 1, "a")),
        passes=(PassRecord("ada", "human", "unknown", answers=answers),),
    )
    leaf = Leaf(record, "")
    assert [mark.tone for mark in leaf.said[0].main.values()] == ["right"]
    assert leaf.passes[0].first_error is None and not leaf.findings().first_errors
