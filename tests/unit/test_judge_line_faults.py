"""Faults of servers that are asked many things at once: who is to blame, who waits, what is paid, what is told."""

from __future__ import annotations

import gzip
import json
import queue
import time
from email.utils import formatdate
from typing import Any

import httpx2
import pytest

from annotations.judges.servers import Options
from annotations.judges.settings import Settings
from models_service.judges.asked import Answer, Question, Said, Unanswered
from models_service.judges.breaker import FAULTS, Breaker
from models_service.judges.line import Address, Line
from models_service.judges.line_client import LONGEST_REST, rest
from models_service.scorers.remote.server import ServerFault
from tests import judge_server
from tests.judge_server import Body, Fault, Handler, JudgeServer

KEY = "sk-this-must-not-be-seen"
RIGHT = '{"label": 1}'
SCHEMA = {"type": "object", "properties": {"label": {"enum": [-1, 0, 1]}}, "required": ["label"]}


def question(words: str = "Label step 3.", **fields: Any) -> Question:
    return Question(messages=({"role": "user", "content": words},), **{"schema": SCHEMA, **fields})


def line(server: JudgeServer, *, breaker: Breaker | None = None, key_env: str = "", **options: Any) -> Line:
    told = {"retries": 1, "timeout": 5.0, "longest": 10.0, **options}
    return Line(Address(server.url, key_env), "tiny", Options(**told), breaker=breaker or Breaker(20.0, 0.05))


def asked(server: JudgeServer, *questions: Question, **told: Any) -> list[Said]:
    """What came of each, in order."""
    with line(server, **told) as going:
        for ticket, one in enumerate(questions):
            going.put(ticket, one, f"key-{ticket}")
        came = dict(going.get(timeout=30.0) for _ in questions)
    return [came[ticket] for ticket in range(len(questions))]


def fault_of(server: JudgeServer, **told: Any) -> str:
    with line(server, **told) as going:
        going.put(0, question(), "key-0")
        with pytest.raises(ServerFault) as no:
            going.get(timeout=30.0)
    return str(no.value)


def played(*faults: Fault, **told: Any) -> tuple[Said, JudgeServer]:
    with JudgeServer() as server:
        server.faults += faults
        [said] = asked(server, question(), **told)
        return said, server


# --- who is to blame


@pytest.mark.parametrize("status", [408, 409, 425, 500])
def test_a_server_that_fails_at_one_question_again_and_again_has_no_answer_to_it(status: int):
    said, server = played(*[judge_server.status(status, "oh no")] * 2)
    assert isinstance(said, Unanswered)
    assert (said.lasting, said.attempts, server.paid) == (False, 2, {})
    assert f"answers with {status}: oh no" in said.reason


@pytest.mark.parametrize("status", [429, 502, 503, 504, 529])
def test_a_server_that_is_busy_does_not_use_up_a_questions_tries(status: int):
    said, server = played(*[judge_server.status(status)] * 4, retries=0)
    assert isinstance(said, Answer)
    assert (said.attempts, server.paid) == (5, {"key-0": 1})


def test_questions_that_a_server_always_fails_at_do_not_bring_down_the_run():
    """Even the last ones of it, when nobody else is answered any more."""

    def behave(body: Body) -> str:
        if "bad" in body["messages"][0]["content"]:
            raise ConnectionResetError
        return RIGHT

    with JudgeServer(behave) as server:
        questions = [question("good"), *[question("bad", number=number) for number in range(4)]]
        good, *bad = asked(server, *questions, retries=2)
    assert isinstance(good, Answer)
    assert [type(one) for one in bad] == [Unanswered] * 4


def test_an_answer_that_cannot_be_read_is_not_paid_for_again():
    said, server = played(judge_server.raw(b'{"choices": [{"mess'), retries=5)
    assert isinstance(said, Unanswered)
    assert (said.attempts, len(server.seen)) == (1, 1)


def test_a_page_instead_of_every_answer_ends_the_run_and_not_all_its_questions():
    page = judge_server.raw(b"<html>Please log in</html>")
    with JudgeServer() as server:
        server.faults += [page] * 200
        with line(server, breaker=Breaker(0.5, 0.05), at_once=4) as going:
            for ticket in range(100):
                going.put(ticket, question(number=ticket), f"key-{ticket}")
            ended = 0
            with pytest.raises(ServerFault, match="Please log in"):
                while True:
                    ticket, said = going.get(timeout=30.0)
                    assert isinstance(said, Unanswered)
                    ended += 1
    assert FAULTS <= ended < 50


@pytest.mark.parametrize(
    ("status", "words"), [(402, "no money"), (404, "has no model 'tiny'"), (405, "405"), (307, "307"), (403, "refuses")]
)
def test_what_concerns_everybody_is_said_at_once(status: int, words: str):
    with JudgeServer() as server:
        server.faults += [judge_server.status(status, "no money", Location="http://127.0.0.1:9/v1")]
        assert words in fault_of(server)
        assert len(server.seen) == 1


def test_a_quota_that_is_used_up_is_not_waited_for():
    def spent(handler: Handler, _: Body) -> None:
        handler.say(429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}})

    with JudgeServer() as server:
        server.faults += [spent]
        assert "You exceeded your quota" in fault_of(server)


def test_one_flagged_text_is_that_questions_matter():
    said, _ = played(judge_server.status(403, "Your input was flagged by moderation"))
    assert isinstance(said, Unanswered)
    assert (said.lasting, said.reason) == (True, "refused by the server: Your input was flagged by moderation")


# --- who waits


def test_nobody_asks_a_server_that_is_away_but_one_at_a_time():
    """All that were under way at first fail; from then on one question asks, until it is answered."""
    with JudgeServer() as server:
        server.faults += [judge_server.status(503)] * 12
        found = asked(server, *[question(number=number) for number in range(8)], at_once=8)
        assert [type(one) for one in found] == [Answer] * 8
        assert len(server.seen) == 12 + 8


def test_what_was_under_way_when_the_server_was_given_up_still_comes():
    """It is paid already."""

    def behave(body: Body) -> str:
        time.sleep(0.5)
        return RIGHT

    def refuse(handler: Handler, body: Body) -> None:
        time.sleep(0.1)
        handler.say(401, {"error": {"message": "no"}})

    with JudgeServer(behave) as server, line(server, at_once=2) as going:
        going.put(0, question("slow"), "key-0")
        time.sleep(0.1)
        server.faults += [refuse]
        going.put(1, question("refused"), "key-1")
        assert isinstance(going.get(timeout=10.0)[1], Answer)
        with pytest.raises(ServerFault):
            going.get(timeout=10.0)
        with pytest.raises(ServerFault):
            going.get(timeout=0.0)


def test_more_may_be_under_way_later():
    with JudgeServer(seconds=0.3) as server, line(server, at_once=1) as going:
        going.at_once = 6
        began = time.monotonic()
        for ticket in range(6):
            going.put(ticket, question(number=ticket), f"key-{ticket}")
        assert len({going.get(timeout=10.0)[0] for _ in range(6)}) == 6
        assert time.monotonic() - began < 6 * 0.3


def test_a_line_that_is_left_stops_asking():
    with JudgeServer(seconds=0.2) as server:
        with line(server, at_once=1) as going:
            for ticket in range(50):
                going.put(ticket, question(number=ticket), f"key-{ticket}")
            going.get(timeout=10.0)
        time.sleep(0.5)  # what was on its way has come
        before = len(server.seen)
        time.sleep(0.5)
        assert len(server.seen) == before < 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "7", "retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "86400"}, LONGEST_REST),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "nan"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 99 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_how_long_a_server_asks_to_be_left_alone(headers: dict[str, str], seconds: float):
    assert rest(httpx2.Headers(headers)) == seconds


def test_a_server_may_name_the_time_from_which_it_may_be_asked():
    told = rest(httpx2.Headers({"Retry-After": formatdate(time.time() + 30, usegmt=True)}))
    assert 25 < told <= 30


def test_all_wait_where_the_server_asks_for_rest():
    with JudgeServer() as server:
        server.faults += [judge_server.status(429, Retry_After="1")]
        with line(server, at_once=2) as going:
            going.put(0, question(), "key-0")
            time.sleep(0.3)
            began = time.monotonic()
            going.put(1, question(number=1), "key-1")
            going.get(timeout=10.0)
            assert time.monotonic() - began > 0.4


# --- how much is read


def packed(handler: Handler, body: Body) -> None:
    data = gzip.compress(json.dumps(judge_server.completion(body, " " * 50_000_000)).encode())
    handler.say(200, data, Content_Encoding="gzip")


def test_an_answer_that_is_packed_is_not_unpacked():
    said, server = played(packed, packed)
    assert isinstance(said, Unanswered)
    assert "packed" in said.reason
    assert server.seen[0][0]["accept-encoding"] == "identity"


def test_a_refusal_of_fifty_megabytes_is_read_as_far_as_its_words_are_kept():
    said, _ = played(*[judge_server.status(500, "x" * 50_000_000)] * 2)
    assert isinstance(said, Unanswered)
    assert len(said.reason) < 1_000


def endless(handler: Handler, _: Body) -> None:
    handler.send_response(500)
    handler.send_header("Content-Length", str(10**9))
    handler.end_headers()
    handler.wfile.write(b"x" * 1_000)
    handler.wfile.flush()
    time.sleep(3.0)
    handler.cut()


def test_a_refusal_that_never_ends_is_a_time_out():
    said, _ = played(endless, retries=0, timeout=0.3)
    assert isinstance(said, Unanswered)
    assert "in time" in said.reason


# --- what is paid and what is told


def right(handler: Handler, body: Body) -> None:
    handler.complete(body, RIGHT)


def done_and_gone(handler: Handler, _: Body) -> None:
    """Has done its work, and breaks off before it can say so."""
    handler.server.pay(handler.headers["Idempotency-Key"])
    handler.cut()


def test_one_payment_a_key_through_a_storm_of_faults():
    storm = [judge_server.gone, judge_server.cut_off, judge_server.status(429), judge_server.status(503)]
    with JudgeServer() as server:
        server.faults += [one for fault in storm for one in (fault, right)] * 10
        found = asked(server, *[question(number=number) for number in range(60)], at_once=8, retries=20)
    assert [type(one) for one in found] == [Answer] * 60
    assert server.paid == {f"key-{ticket}": 1 for ticket in range(60)}
    assert len(server.seen) == sum(one.attempts for one in found) == 100


def test_work_that_was_done_is_asked_for_again_under_the_key_that_it_was_paid_under():
    said, server = played(done_and_gone)
    assert isinstance(said, Answer)
    assert (set(server.paid), said.attempts) == ({"key-0"}, 2)


def test_another_form_is_another_question_to_a_server_that_heeds_keys():
    with JudgeServer(lambda _: RIGHT, without=("json_schema",)) as server:
        [said] = asked(server, question())
    assert isinstance(said, Answer)
    assert (said.attempts, server.paid) == (2, {"key-0-json_object": 1})
    assert [headers["idempotency-key"] for headers, _ in server.seen] == ["key-0", "key-0-json_object"]


@pytest.mark.parametrize(
    "fault",
    [
        judge_server.status(500, f"wrong: Bearer {KEY}"),
        judge_server.status(400, f"wrong: Bearer {KEY}"),
        judge_server.status(401, f"wrong: Bearer {KEY}"),
        judge_server.raw(f"<html>{KEY}</html>".encode()),
        judge_server.raw(json.dumps({"error": {"message": KEY}}).encode()),
        judge_server.text(f"My key is {KEY}."),
    ],
    ids=["500", "400", "401", "page", "error", "answer"],
)
def test_the_key_is_told_to_nobody(fault: Fault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setenv("JUDGE_KEY", KEY)
    caplog.set_level("DEBUG")
    told: Any
    with JudgeServer(key=KEY) as server:
        server.faults += [fault] * 3
        with line(server, key_env="JUDGE_KEY", retries=0) as going:
            going.put(0, question(), "key-0")
            try:
                told = going.get(timeout=10.0)
            except ServerFault as no:
                told = str(no)
    assert server.seen
    assert KEY not in repr(told)
    assert KEY not in caplog.text


def test_nothing_is_made_up_where_a_server_breaks_off_without_end():
    with JudgeServer() as server:
        server.faults += [judge_server.cut_off] * 100
        with line(server, retries=2) as going:
            going.put(0, question(), "key-0")
            _, said = going.get(timeout=30.0)
            with pytest.raises(queue.Empty):
                going.get(timeout=0.1)
    assert isinstance(said, Unanswered)
    assert (said.attempts, server.paid) == (3, {})


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_what_goes_along_does_not_say_otherwise_what_is_asked(name: str):
    with pytest.raises(ValueError, match=f"extra: {name} is not to be set there"):
        Settings(extra={name: 3})


def test_a_hundred_and_fifty_questions_may_be_under_way_at_once():
    with JudgeServer(seconds=0.5) as server:
        began = time.monotonic()
        found = asked(server, *[question(number=number) for number in range(150)], at_once=150)
        assert time.monotonic() - began < 150 * 0.5 / 8
    assert [type(one) for one in found] == [Answer] * 150


@pytest.mark.parametrize("name", ["temperature", "top_p"])
def test_how_a_judge_is_set_is_not_changed_behind_its_back(name: str):
    with JudgeServer() as server:
        server.faults += [
            judge_server.status(400, f"Unsupported value: '{name}' does not support 0.0 with this model.")
        ]
        said = fault_of(server)
    assert f"Unsupported value: '{name}'" in said
    assert f'extra says {{"{name}": null}}' in said


def test_words_of_a_trajectory_that_a_server_repeats_do_not_end_the_run():
    with JudgeServer() as server, line(server) as going:
        going.put(0, question(), "key-0")
        assert isinstance(going.get(timeout=10.0)[1], Answer)
        server.faults += [judge_server.status(400, "invalid input: 'temperature' is not supported, says the text")] * 3
        going.put(1, question(number=1), "key-1")
        said = going.get(timeout=10.0)[1]
    assert isinstance(said, Unanswered)
    assert said.lasting


def test_what_many_questions_are_refused_for_at_once_is_learnt_once_and_costs_none_its_form():
    words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."

    def wants_another_name(handler: Handler, body: Body) -> None:
        time.sleep(0.2)  # until all of them are there
        handler.say(400, {"error": {"message": words}}) if "max_tokens" in body else handler.complete(body, RIGHT)

    with JudgeServer() as server:
        server.faults += [wants_another_name] * 16
        found = asked(server, *[question(number=number) for number in range(8)], at_once=8)
    assert [(type(one), one.attempts) for one in found] == [(Answer, 2)] * 8
    assert {one.rung for one in found if isinstance(one, Answer)} == {"json_schema"}


def test_a_schema_that_is_refused_leaves_the_form_of_the_others():
    def only_some(handler: Handler, body: Body) -> None:
        odd = "odd" in body["messages"][0]["content"] and body["response_format"]["type"] == "json_schema"
        handler.say(400, {"error": {"message": "Invalid schema"}}) if odd else handler.complete(body, RIGHT)

    with JudgeServer() as server:
        server.faults += [only_some] * 10
        found = asked(server, question("even"), question("odd"), question("even", number=1), at_once=1)
    assert [one.rung for one in found if isinstance(one, Answer)] == ["json_schema", "json_object", "json_schema"]
