"""Files that nobody meant well with, or that broke on the way."""

from __future__ import annotations

import gzip
import json

import pytest

from annotations.models import Project
from tests import make
from tests.db.importing import APB, counts, file, rollout, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


HOSTILE = {
    "nul": '{"role": "user", "content": "a\\u0000b"}',
    "surrogate": '{"role": "user", "content": "\\ud800"}',
    "script": '{"role": "user", "content": "<script>alert(1)</script>"}',
    "bidi": '{"role": "user", "content": "\\u202egnol"}',
    "key": '{"role": "user", "content": "x", "\\u0000": "\\udfff"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_comes_in_and_goes_nowhere_else(project, tmp_path, name):
    line = json.dumps(rollout(0)).replace('"messages": [', f'"messages": [{HOSTILE[name]}, ')
    result = take(project, file(tmp_path, line.replace('"2": 1', '"3": 1').replace('"4": 0, "6": -1', '"5": 0')))
    assert counts(result) == (1, 0, 0, 0)
    assert (result["replaced"] > 0) == (name in {"nul", "surrogate", "key"})
    assert counts(take(project, tmp_path / "made.jsonl")) == (0, 0, 1, 0)


def test_a_line_of_ten_megabytes_comes_in(project, tmp_path):
    big = rollout(0)
    big["messages"][3]["content"] = "x" * 10_000_000
    assert counts(take(project, file(tmp_path, big, rollout(1)))) == (2, 0, 0, 0)
    assert len(project.trajectories.get(rollout=0).steps.get(index=2).observations[0]["content"]) == 10_000_000


def test_deep_json_is_refused_and_the_rest_goes_in(project, tmp_path):
    deep = json.dumps(rollout(0, tool_metrics="DEEP")).replace('"DEEP"', "[" * 3000 + "]" * 3000)
    result = take(project, file(tmp_path, deep, rollout(1)))
    assert counts(result) == (1, 0, 0, 1) and "deep" in result["rejected"][0]["reason"]


def test_arguments_that_are_no_json_are_kept_as_they_are(project):
    take(project, APB)
    call = project.trajectories.get(rollout=0).steps.get(index=3).tool_calls[0]
    assert (call["name"], call["arguments"]) == ("look", '{"at": "shaft"')


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x89PNG\r\n\x1a\n", b"name,age\nx,1\n", b"[1,2]\n"])
def test_a_file_that_is_no_such_file_is_reported(project, tmp_path, content):
    path = tmp_path / "odd.jsonl"
    path.write_bytes(content)
    result = take(project, path, APB)
    assert counts(result) == (2, 0, 0, 1)
    assert result["rejected"][0]["file"] == "odd.jsonl" and result["rejected"][0]["reason"]


def test_a_cut_gzip_gives_what_it_held(project, tmp_path):
    whole = gzip.compress(
        "".join(json.dumps(rollout(n, answer_text=str(n) * 500)) + "\n" for n in range(3000)).encode()
    )
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    result = take(project, path)
    assert 0 < result["created"] < 3000
    assert [one["reason"].split(" (")[0] for one in result["rejected"]] == ["the compressed file breaks off here"]


def test_what_one_record_does_to_the_database_does_not_cost_the_others(project, tmp_path):
    """A source longer than its column stops at the door; a rollout beyond it too."""
    result = take(project, file(tmp_path, rollout(0), rollout(2**31), rollout(1, data_source="x" * 201), rollout(2)))
    assert counts(result) == (2, 0, 0, 2)
