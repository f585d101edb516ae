"""Which server a model of this machine gets, and what is said where it gets none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.stack import serving
from app.stack.processes import Child
from app.stack.serving import CannotServe, Plan
from tests import judge_server
from tests.judge_server import JudgeServer
from tests.live.stacks import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    return tmp_path / "model"


def with_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "llama-server"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


def test_a_gguf_file_is_served_by_llama_cpp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with_program(tmp_path, monkeypatch)
    (tmp_path / "qwen.gguf").touch()
    port = free_port()
    for path in (tmp_path, tmp_path / "qwen.gguf"):
        found = serving.plan(path, port)
        assert found.argv[1:5] == ["--model", str(tmp_path / "qwen.gguf"), "--alias", "qwen"]
        assert (found.model, found.form, found.url) == ("qwen", "json_schema", f"http://127.0.0.1:{port}/v1")


def test_a_gguf_file_needs_llama_cpp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "qwen.gguf").touch()
    with pytest.raises(CannotServe, match="llama-server, which is not on the PATH"):
        serving.plan(tmp_path / "qwen.gguf", free_port())


def test_of_several_files_one_has_to_be_named(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.gguf").touch()
    with pytest.raises(CannotServe, match=r"name one of them: a\.gguf, b\.gguf"):
        serving.plan(tmp_path, free_port())


def test_what_is_no_model_is_not_served(tmp_path: Path):
    (tmp_path / "notes.txt").touch()
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "not there"):
        with pytest.raises(CannotServe, match="holds no model: accepted are"):
            serving.plan(path, free_port())


def test_a_folder_is_served_by_transformers_where_that_can_serve(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving, "NEEDED", ("json",))
    found = serving.plan(folder, free_port())
    assert found.argv[0] == sys.executable
    assert (found.model, found.form) == (str(folder), "words")
    monkeypatch.setattr(serving, "NEEDED", ("json", "no_such_module"))
    with pytest.raises(CannotServe, match="needs no_such_module, not installed here: pip install"):
        serving.plan(folder, free_port())


def test_a_port_that_is_taken_is_not_taken_twice(folder: Path):
    with JudgeServer() as server, pytest.raises(CannotServe, match="answers at .* already; --port takes another"):
        serving.plan(folder, server.server_address[1])


def child(*argv: str, home: Path) -> Child:
    made = Child("server", [sys.executable, *argv], home)
    made.start()
    return made


def test_a_server_that_ends_is_not_waited_for(tmp_path: Path):
    plan = Plan([], "tiny", "words", free_port())
    with pytest.raises(CannotServe, match="has ended"):
        serving.wait_until_it_answers(child("-c", "", home=tmp_path), plan, 30.0)


def test_a_server_that_never_answers_is_not_waited_for_without_end(tmp_path: Path):
    plan = Plan([], "tiny", "words", free_port())
    waiting = child("-c", "import time; time.sleep(60)", home=tmp_path)
    with pytest.raises(CannotServe, match="did not answer within"):
        serving.wait_until_it_answers(waiting, plan, 0.3)
    assert waiting.process
    waiting.process.kill()
    waiting.process.wait()


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (lambda body: body["messages"][0]["content"], "gives the question back"),
        (lambda body: f"<|user|>{body['messages'][0]['content']}<|assistant|>a", "gives the question back"),
        (lambda body: "a", ""),
    ],
)
def test_a_server_that_gives_the_question_back_is_no_judge(behave: judge_server.Behave, words: str):
    with JudgeServer(behave) as server:
        plan = Plan([], "tiny", "words", server.server_address[1])
        if words:
            with pytest.raises(CannotServe, match=words):
                serving._try(plan, 10.0)
        else:
            serving._try(plan, 10.0)


def test_a_server_that_does_not_know_the_model_is_no_judge():
    with JudgeServer() as server, pytest.raises(CannotServe, match="does not answer a question: 404"):
        serving._try(Plan([], "another", "words", server.server_address[1]), 10.0)
