"""Many questions at once for a run: rows first, answers kept as they come, nothing asked twice."""

from __future__ import annotations

from typing import Any

import pytest

from annotations.judges.servers import Options
from annotations.models import JudgeBudget, JudgeCall, Run
from annotations.services import judge_budget, judge_calls, runs
from annotations.services.judge_budget import OverBudget
from models_service.judges.asked import Answer, Asking, Question, Said, Unanswered, together
from models_service.judges.breaker import Breaker
from models_service.judges.line import Address, Line
from models_service.judging_asking import Asker, job
from models_service.scorers.remote.server import ServerFault
from tests import judge_server, judges, make
from tests.judge_server import JudgeServer

pytestmark = pytest.mark.django_db


def question(words: str, **fields: Any) -> Question:
    return Question(({"role": "user", "content": words},), **{"max_tokens": 100, **fields})


def ask(*words: str) -> Asking[list[str]]:
    """Asks these together, then one question more that holds what was said."""
    said = yield [question(one) for one in words]
    more = yield [question(f"{text(said[0])} again", purpose="critique")]
    return [text(one) for one in (*said, *more)]


def text(said: Said) -> str:
    return said.text if isinstance(said, Answer) else f"no: {said.reason}"


def echo(body: Any) -> str:
    return f"<{body['messages'][0]['content']}>"


@pytest.fixture
def server():
    with JudgeServer(echo) as found:
        yield found


def made(server: JudgeServer, **options: Any) -> Any:
    """A judge that asks that server, and costs something."""
    project = make.project(owner=make.user())
    options = {"retries": 0, **options}
    return judges.judge(project, judges.server(server.url, prices=judges.PRICES, **options), model="dear")


def drive(judge: Any, *jobs: Any, claim: Any = None, breaker: Any = None) -> tuple[dict[Any, Any], Any]:
    """What each returned, by its name, and how many were asked and known."""
    claim = claim or judges.claim(judge)
    options = Options.model_validate(judge.server.options)
    asking = judge_calls.Asking(claim.run, judge.server, judge.model, judge)
    with Line(Address(judge.server.url), judge.model, options, breaker=breaker) as line:
        asker: Asker[Any, Any] = Asker(claim, asking, line)
        return {one.name: one for one in asker.drive(jobs)}, asker.counts


def limit(judge: Any, micro: int = 10**9) -> None:
    judge_budget.set_limit(judge.project, make.user(), micro)


def test_each_job_is_told_what_it_asked_and_names_its_questions(server):
    judge = made(server)
    limit(judge)
    found, counts = drive(judge, *[job(name, ask(f"{name}1", f"{name}2")) for name in "abc"])
    assert {name: one.told for name, one in found.items()} == {
        name: [f"<{name}1>", f"<{name}2>", f"<<{name}1> again>"] for name in "abc"
    }
    rows = JudgeCall.objects.filter(pk__in=found["b"].calls).order_by("pk")
    assert [(row.purpose, row.answer) for row in rows] == [
        ("verdict", "<b1>"),
        ("verdict", "<b2>"),
        ("critique", "<<b1> again>"),
    ]
    assert counts == {"asked": 9, "known": 0}


def test_what_was_answered_before_is_not_asked_again_by_whatever_run(server):
    judge = made(server)
    limit(judge)
    first, _ = drive(judge, job("a", ask("1", "2")))
    spent = JudgeBudget.objects.get().spent_micro
    again, counts = drive(judge, job("a", ask("1", "2")))
    assert again["a"].told == first["a"].told
    assert (counts, len(server.seen)) == ({"asked": 0, "known": 3}, 3)
    assert JudgeBudget.objects.get().spent_micro == spent > 0


def test_two_jobs_that_ask_the_same_share_the_answer(server):
    judge = made(server)
    limit(judge)
    found, _ = drive(judge, job("a", ask("1", "1")), job("b", ask("1", "2")))
    assert found["a"].told == ["<1>", "<1>", "<<1> again>"]
    assert sorted(body["messages"][0]["content"] for body in server.bodies) == ["1", "2", "<1> again"]


def test_log_probabilities_are_kept_with_the_answer(server):
    told = {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "B", "logprob": -2.5}]}]}
    data = {"choices": [{"message": {"content": "A"}, "logprobs": told}]}
    server.faults.append(lambda handler, _: handler.say(200, data))
    judge = made(server)
    limit(judge)

    def likely() -> Asking[Any]:
        [said] = yield [question("?", logprobs=5)]
        assert isinstance(said, Answer)
        return said.tokens

    [once, again] = [drive(judge, job("a", likely()))[0]["a"].told for _ in range(2)]
    assert once == again
    assert (once[0].text, once[0].log, once[0].top) == ("A", -0.1, {"B": -2.5})


def test_a_question_without_an_answer_ends_as_a_reason_and_is_asked_again_another_time(server):
    server.faults += [judge_server.raw(b"<html>")]
    judge = made(server)
    limit(judge)

    def once() -> Asking[Said]:
        [said] = yield [question("?")]
        return said

    found, _ = drive(judge, job("a", once()))
    assert isinstance(found["a"].told, Unanswered)
    assert JudgeCall.objects.get().state == "failed"
    found, _ = drive(judge, job("a", once()))
    assert text(found["a"].told) == "<?>"
    assert (JudgeCall.objects.get().state, JudgeBudget.objects.get().reserved_micro) == ("answered", 0)


def test_a_refusal_is_final(server):
    judge = made(server)
    limit(judge)
    server.faults += [judge_server.status(400, "context length")] * 3
    for _ in range(2):
        found, _ = drive(judge, job("a", ask("long")))
        assert found["a"].told[0] == "no: refused by the server: context length"
    assert len([body for body in server.bodies if body["messages"][0]["content"] == "long"]) == 1


def test_when_the_budget_is_used_up_what_was_under_way_is_kept_and_it_goes_on_once_there_is_more(server):
    judge = made(server, at_once=2)
    limit(judge, 4_600)  # three questions of 1,503 that may cost so much, and then cost 3 + 15 each
    jobs = [lambda name=name: job(name, ask(f"{name}1")) for name in range(100)]
    claim = judges.claim(judge)
    with pytest.raises(OverBudget):
        drive(judge, *[make_job() for make_job in jobs], claim=claim)
    row = JudgeBudget.objects.get()
    assert row.reserved_micro == 0
    assert row.spent_micro <= 4_600
    asked = len(server.seen)
    assert asked == JudgeCall.objects.filter(state="answered").count() > 10
    limit(judge)
    found, _ = drive(judge, *[make_job() for make_job in jobs], claim=claim)
    assert len(found) == 100
    assert len(server.seen) == 200 == len(server.paid)


def test_a_run_that_is_stopped_keeps_the_answers_that_were_under_way():
    with JudgeServer(echo, seconds=0.5) as server:
        judge = made(server, at_once=4)
        limit(judge)
        claim = judges.claim(judge)

        def stopping() -> Any:
            for name in range(4):
                yield job(name, ask(str(name)))
            Run.objects.filter(pk=claim.run.pk).update(state=Run.State.CANCELLED)
            yield job("more", ask("more"))

        with pytest.raises(runs.Cancelled):
            drive(judge, *stopping(), claim=claim)
        assert JudgeCall.objects.filter(state="pending").count() == 0
        assert JudgeCall.objects.filter(state="answered").count() == len(server.seen) > 0


def test_a_server_that_is_gone_ends_the_run_and_leaves_its_questions_to_be_asked():
    with JudgeServer(echo) as server:
        pass
    judge = made(server)
    limit(judge)
    with pytest.raises(ServerFault):
        drive(judge, job("a", ask("1")), breaker=Breaker(0.3, 0.05))
    assert set(JudgeCall.objects.values_list("state", flat=True)) == {"pending"}


def test_generators_run_together_ask_all_at_once():
    both = together([ask("1", "2"), ask("3")])
    assert [one.messages[0]["content"] for one in next(both)] == ["1", "2", "3"]
    assert [one.messages[0]["content"] for one in both.send([Answer(one) for one in "abc"])] == ["a again", "c again"]
    with pytest.raises(StopIteration) as over:
        both.send([Answer("d"), Answer("e")])
    assert over.value.value == [["a", "b", "d"], ["c", "e"]]


def test_a_generator_that_asks_nothing_ends_at_once(server):
    def nothing() -> Asking[str]:
        said = yield []
        assert said == []
        return "done"

    found, _ = drive(made(server), job("a", nothing()))
    assert found["a"].told == "done"
