"""The way to a server of judges: every fault of it ends in the right state, and nothing is made up."""

from __future__ import annotations

import json
import queue
import time
from typing import Any

import pytest

from annotations.judges.servers import Options
from models_service.judges.asked import Answer, Question, Said, Unanswered
from models_service.judges.breaker import Breaker
from models_service.judges.line import Address, Line
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.remote.server import ServerFault
from tests import judge_server
from tests.judge_server import JudgeServer

SCHEMA = {
    "type": "object",
    "properties": {"label": {"enum": [-1, 0, 1]}},
    "required": ["label"],
    "additionalProperties": False,
}
RIGHT = '{"label": 1}'


def question(**fields: Any) -> Question:
    told = {"messages": ({"role": "user", "content": "Label step 3."},), "schema": SCHEMA}
    return Question(**{**told, **fields})


def line(server: JudgeServer, *, breaker: Breaker | None = None, **options: Any) -> Line:
    told = {"retries": 2, "timeout": 5.0, "longest": 20.0, **options}
    return Line(Address(server.url), "tiny", Options(**told), breaker=breaker or Breaker(30.0, 0.1))


def ask(server: JudgeServer, *questions: Question, **told: Any) -> list[Said]:
    asked = questions or (question(),)
    with line(server, **told) as going:
        for ticket, one in enumerate(asked):
            going.put(ticket, one, f"key-{ticket}")
        return [said for _, said in sorted((going.get(timeout=30.0) for _ in asked), key=lambda one: one[0])]


def one(*faults: judge_server.Fault, **told: Any) -> tuple[Said, JudgeServer]:
    with JudgeServer() as server:
        server.faults += faults
        [said] = ask(server, **told)
        return said, server


def test_an_answer_comes_with_what_it_took():
    said, server = one()
    assert isinstance(said, Answer)
    assert (said.text, said.rung, said.finish, said.model) == (RIGHT, "json_schema", "stop", "tiny-0711")
    assert (said.usage.prompt, said.usage.completion, said.usage.cached, said.attempts) == (3, 3, 0, 1)
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert server.seen[0][0]["idempotency-key"] == "key-0"


def test_many_questions_are_under_way_at_once_and_no_more_than_may_be():
    with JudgeServer(seconds=0.2) as server:
        began = time.monotonic()
        found = ask(server, *[question(number=number) for number in range(12)], at_once=12)
        assert time.monotonic() - began < 12 * 0.2
        assert [one.text for one in found] == [RIGHT] * 12


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_what_passes_is_asked_again_under_the_same_key(status: int):
    said, server = one(judge_server.status(status))
    assert isinstance(said, Answer)
    assert (said.attempts, [headers["idempotency-key"] for headers, _ in server.seen]) == (2, ["key-0"] * 2)
    assert server.paid == {"key-0": 1}


def test_the_server_says_how_long_to_wait():
    began = time.monotonic()
    said, _ = one(judge_server.status(429, Retry_After="1"))
    assert isinstance(said, Answer)
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("fault", [judge_server.gone, judge_server.cut_off], ids=["before", "in the middle"])
def test_a_broken_connection_is_tried_again(fault: judge_server.Fault):
    said, _ = one(fault)
    assert isinstance(said, Answer)
    assert said.text == RIGHT


def test_a_question_that_the_server_fails_at_while_it_answers_others_has_no_answer():
    def behave(body: Any) -> str:
        if "bad" in body["messages"][0]["content"]:
            raise ConnectionResetError
        return RIGHT

    with JudgeServer(behave) as server:
        bad = question(messages=({"role": "user", "content": "bad"},))
        said, *others = ask(server, bad, *[question(number=number) for number in range(3)], retries=0)
    assert isinstance(said, Unanswered)
    assert "cannot be reached" in said.reason
    assert not said.lasting
    assert all(isinstance(one, Answer) for one in others)


def test_time_runs_out_for_a_server_that_says_nothing():
    said, _ = one(*[judge_server.silent(3.0)] * 3, timeout=0.3)
    assert said == Unanswered(said.reason, latency_ms=said.latency_ms, attempts=3)
    assert "does not answer in time" in said.reason


def test_time_runs_out_for_a_server_that_never_ends():
    began = time.monotonic()
    said, _ = one(judge_server.dripping(10.0), longest=1.0)
    assert isinstance(said, Unanswered)
    assert said.reason == "no whole answer came in 1 s"
    assert time.monotonic() - began < 6


def test_an_answer_of_ten_megabytes_is_not_read_to_its_end():
    said, _ = one(judge_server.huge(10_000_000))
    assert said == Unanswered("the answer is longer than 2048 KiB", True, latency_ms=said.latency_ms)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>Bad gateway</html>", "no JSON: '<html>Bad gateway</html>'"),
        (b'{"choices": [{"mess', "no JSON"),
        (b"{}", "no message"),
        (b"[]", "no message"),
        (b"null", "no message"),
        (b'{"choices": []}', "no message"),
        (b'{"choices": [{"message": "yes"}]}', "no message"),
        (b'{"choices": {"0": 1}}', "no message"),
        (b"[" * 200_000, "no JSON"),
        (b"\xff\xfe", "no JSON"),
    ],
)
def test_what_is_no_chat_completion_is_no_answer(data: bytes, words: str):
    said, _ = one(judge_server.raw(data))
    assert isinstance(said, Unanswered)
    assert words in said.reason


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, ""), ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"), (7, ""), ([1, None], "")],
)
def test_contents_of_other_kinds_are_read_as_far_as_they_are_text(content: Any, text: str):
    data = json.dumps({"choices": [{"message": {"content": content}}], "usage": {"prompt_tokens": "many"}}).encode()
    said, _ = one(judge_server.raw(data))
    assert isinstance(said, Answer)
    assert (said.text, said.usage.prompt, said.usage.completion) == (text, None, None)


def test_a_refusal_and_a_cut_answer_say_so():
    refusal, _ = one(judge_server.text("", refusal="I will not."))
    cut, _ = one(judge_server.text("{", finish="length"))
    assert isinstance(refusal, Answer)
    assert isinstance(cut, Answer)
    assert (refusal.refusal, cut.finish) == ("I will not.", "length")


def test_a_server_that_takes_no_schema_is_asked_in_the_next_form_and_then_at_once_in_that():
    with JudgeServer(lambda _: RIGHT, without=("json_schema",)) as server:
        found = ask(server, question(), question(number=1), at_once=1)
    assert [one.rung for one in found if isinstance(one, Answer)] == ["json_object", "json_object"]
    assert len(server.seen) == 3


def test_a_question_that_is_refused_in_every_form_has_no_answer_that_asking_again_would_bring():
    too_long = judge_server.status(400, "maximum context length is 4096 tokens")
    said, server = one(*[too_long] * 3)
    assert isinstance(said, Unanswered)
    assert (said.lasting, said.reason) == (True, "refused by the server: maximum context length is 4096 tokens")
    assert server.paid == {}


def test_a_parameter_that_the_model_does_not_know_is_sent_by_its_other_name_or_not_at_all():
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    said, server = one(judge_server.status(400, words), judge_server.status(400, "'seed' is not supported"))
    assert isinstance(said, Answer)
    assert "max_completion_tokens" in server.bodies[-1]
    assert not {"max_tokens", "seed"} & server.bodies[-1].keys()


def test_what_is_asked_beside_goes_along_and_null_takes_away():
    with JudgeServer() as server:
        ask(server, question(extra={"reasoning_effort": "low", "temperature": None}))
    assert server.bodies[0]["reasoning_effort"] == "low"
    assert "temperature" not in server.bodies[0]


def test_samples_are_told_apart_by_their_seed():
    with JudgeServer() as server:
        ask(server, *[question(seed=5, number=number) for number in range(3)])
    assert sorted(body["seed"] for body in server.bodies) == [5, 6, 7]


def test_a_wrong_key_is_everybodys_matter_and_is_told_without_the_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JUDGE_KEY", "sk-mine-and-secret")
    with JudgeServer(key="sk-another") as server:
        going = Line(Address(server.url, "JUDGE_KEY"), "tiny", Options(retries=0))
        with going, pytest.raises(ServerFault, match="refuses the key in JUDGE_KEY: 401") as no:
            going.put(0, question(), "key")
            going.get(timeout=10.0)
    assert "sk-mine" not in str(no.value)


def test_a_key_that_is_not_there_and_an_address_with_a_password_are_refused_before_anything_is_asked():
    with pytest.raises(UnfitModel, match="NOT_THERE_KEY"):
        Line(Address("http://127.0.0.1:9/v1", "NOT_THERE_KEY"), "tiny", Options())
    with pytest.raises(UnfitModel, match="password"):
        Line(Address("http://me:secret@127.0.0.1:9/v1"), "tiny", Options())


def test_a_model_that_is_not_there_is_everybodys_matter():
    with JudgeServer() as server:
        going = Line(Address(server.url), "huge", Options(retries=0))
        with going, pytest.raises(ServerFault, match="has no model 'huge'"):
            going.put(0, question(), "key")
            going.get(timeout=10.0)


def test_a_server_that_is_away_for_a_while_fails_at_no_question():
    with JudgeServer() as server:
        server.faults += [judge_server.status(503)] * 9
        found = ask(server, *[question(number=number) for number in range(8)], retries=0, breaker=Breaker(30.0, 0.1))
    assert [type(one) for one in found] == [Answer] * 8


def test_a_server_that_is_gone_is_given_up_and_everybody_is_told():
    with JudgeServer() as server:
        pass
    with line(server, retries=0, breaker=Breaker(0.3, 0.05)) as going:
        for ticket in range(6):
            going.put(ticket, question(number=ticket), str(ticket))
        with pytest.raises(ServerFault, match=r"has not answered for 0 s: .* cannot be reached"):
            while True:
                going.get(timeout=20.0)
        with pytest.raises(ServerFault):
            going.get(timeout=0.1)


def test_nothing_has_come_yet():
    with JudgeServer() as server, line(server) as going, pytest.raises(queue.Empty):
        going.get(timeout=0.05)
