"""Questions of judges as rows: each is paid once, by a budget that is a row, whoever asks and whoever dies."""

from __future__ import annotations

import pytest
from django.db import connection, connections

from annotations.models import JudgeBudget, JudgeCall, Run
from annotations.services import judge_budget, judge_calls, judge_pace
from annotations.services.judge_budget import OverBudget
from annotations.services.judge_calls import Outcome
from tests import judges, make

pytestmark = pytest.mark.django_db

ONE = 4_500  # what may be held for one of judges.question()


@pytest.fixture
def asking():
    project = make.project(owner=make.user())
    return judges.asking(judges.judge(project, judges.server(prices=judges.PRICES), model="dear"))


def limit(asking, micro: int) -> None:
    judge_budget.set_limit(asking.project, make.user(), micro)


def budget(asking) -> tuple[int, int]:
    row = JudgeBudget.objects.get(project=asking.project)
    return row.spent_micro, row.reserved_micro


def said(prompt: int | None = 700, completion: int | None = 50, **fields) -> Outcome:
    return Outcome("answered", text="yes", prompt=prompt, completion=completion, **fields)


def test_a_question_is_held_for_before_it_goes_out_and_counted_when_its_answer_comes(asking):
    limit(asking, 10_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    assert (row.state, budget(asking)) == ("pending", (0, ONE))
    judge_calls.closed(asking, {row.pk: said()})
    row.refresh_from_db()
    assert (row.state, row.answer, row.cost_micro, row.price_version) == ("answered", "yes", 2_100 + 750, "2026-11")
    assert (row.reserved_micro, budget(asking)) == (0, (2_850, 0))


def test_cached_tokens_cost_what_the_list_says(asking):
    limit(asking, 10_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    judge_calls.closed(asking, {row.pk: said(prompt=1_000, cached=900, completion=0)})
    row.refresh_from_db()
    assert row.cost_micro == 300 + 270


def test_an_answer_that_comes_twice_is_counted_once(asking):
    limit(asking, 10_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    judge_calls.closed(asking, {row.pk: said()})
    judge_calls.closed(asking, {row.pk: said(prompt=9_999)})
    row.refresh_from_db()
    assert (row.prompt_tokens, budget(asking)) == (700, (2_850, 0))


def test_as_many_questions_go_out_as_the_budget_holds(asking):
    limit(asking, 2 * ONE + 1)
    opened = judge_calls.opened(asking, [judges.question(number) for number in (1, 2, 3)])
    assert list(opened) == [judges.question(1).key, judges.question(2).key]
    with pytest.raises(OverBudget, match="Raise it, then go on"):
        judge_calls.opened(asking, [judges.question(3)])
    assert JudgeCall.objects.count() == 2


def test_without_a_budget_nothing_that_costs_goes_out_and_what_has_no_price_does(asking):
    with pytest.raises(OverBudget, match="has no budget"):
        judge_calls.opened(asking, [judges.question()])
    free = judges.asking(judges.judge(asking.project))
    [row] = judge_calls.opened(free, [judges.question()]).values()
    judge_calls.closed(free, {row.pk: said()})
    row.refresh_from_db()
    assert (row.cost_micro, row.prompt_tokens) == (None, 700)


def test_a_budget_in_another_currency_holds_nothing(asking):
    judge_budget.set_limit(asking.project, make.user(), 10_000, "EUR")
    with pytest.raises(OverBudget, match="in EUR, the server's prices are in USD"):
        judge_calls.opened(asking, [judges.question()])


def test_what_is_held_for_an_answer_that_counts_no_tokens_stays_held(asking):
    limit(asking, 10_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    judge_calls.closed(asking, {row.pk: said(prompt=None, completion=None)})
    row.refresh_from_db()
    assert (row.cost_micro, budget(asking)) == (None, (0, ONE))


def test_a_question_that_failed_is_asked_again_and_both_are_counted(asking):
    limit(asking, 20_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    judge_calls.closed(asking, {row.pk: Outcome("failed", error="cut off", prompt=100, completion=0, attempts=3)})
    [again] = judge_calls.opened(asking, [judges.question()]).values()
    assert again.pk == row.pk
    judge_calls.closed(asking, {row.pk: said()})
    row.refresh_from_db()
    assert (row.cost_micro, row.prompt_tokens, row.attempts) == (300 + 2_850, 800, 4)
    assert budget(asking) == (3_150, 0)


def test_what_was_answered_or_refused_is_not_opened_again(asking):
    limit(asking, 20_000)
    rows = judge_calls.opened(asking, [judges.question(1), judges.question(2)])
    for row, one in zip(rows.values(), (said(), Outcome("refused", error="too long")), strict=True):
        judge_calls.closed(asking, {row.pk: one})
    assert judge_calls.opened(asking, [judges.question(1), judges.question(2)]) == {}
    assert budget(asking)[1] == 0


def test_a_question_of_a_worker_that_died_is_taken_over_and_held_for_once(asking):
    limit(asking, 20_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    other = judges.asking(asking.judge)
    [taken] = judge_calls.opened(other, [judges.question()]).values()
    assert (taken.pk, taken.run_id, budget(asking)) == (row.pk, other.run.pk, (0, ONE))


@pytest.mark.django_db(transaction=True)
def test_a_question_that_a_living_worker_asks_is_left_to_it(asking):
    [row] = judge_calls.opened(judges.asking(judges.judge(asking.project)), [judges.question()]).values()
    elsewhere = connections.create_connection("default")
    try:
        with elsewhere.cursor() as cursor:  # as that worker holds it while it asks
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [judge_calls.LOCKS, row.run_id])
        assert judge_calls.opened(judges.asking(judges.judge(asking.project)), [judges.question()]) == {}
    finally:
        elsewhere.close()
    assert judge_calls.opened(judges.asking(judges.judge(asking.project)), [judges.question()])


def test_what_is_held_for_questions_of_runs_that_are_over_is_let_go_and_said_so(asking):
    limit(asking, 20_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    assert judge_calls.let_go(asking.project) == 0
    Run.objects.filter(pk=asking.run.pk).update(state=Run.State.CANCELLED)
    assert judge_calls.let_go(asking.project) == 1
    row.refresh_from_db()
    assert (row.state, row.error, budget(asking)) == ("failed", judge_calls.NOBODY_KNOWS, (0, 0))


def test_the_limit_is_set_with_who_did_it_and_keeps_its_currency_once_something_is_spent(asking):
    limit(asking, 20_000)
    [row] = judge_calls.opened(asking, [judges.question()]).values()
    judge_calls.closed(asking, {row.pk: said()})
    with pytest.raises(ValueError, match="is in USD"):
        judge_budget.set_limit(asking.project, make.user(), 1, "EUR")
    assert [one.after["limit_micro"] for one in asking.project.events.filter(verb="judge_budget.set")] == [20_000]


def test_a_server_is_asked_no_faster_than_it_allows():
    server = judges.server(requests_per_minute=2)
    assert [judge_pace.take(server, 10) for _ in range(2)] == [0.0, 0.0]
    wait = judge_pace.take(server, 10)
    assert 20 < wait <= 30


def test_tokens_are_counted_too_and_a_request_of_more_than_a_minute_has_goes_when_all_are_there():
    server = judges.server(tokens_per_minute=600)
    assert judge_pace.take(server, 6_000) == 0.0
    assert 530 < judge_pace.take(server, 60) <= 546  # 5,400 are owed, and 60 wanted, at 10 a second


def test_a_server_without_limits_keeps_no_pace():
    server = judges.server()
    assert judge_pace.take(server, 10**9) == 0.0
    assert not hasattr(server, "pace")


def test_two_runs_that_ask_one_server_share_what_it_takes_at_once():
    project = make.project()
    server = judges.server(at_once=9)
    judges.run(judges.judge(project, server))
    assert judge_pace.share(server) == 9
    judges.run(judges.judge(project, server))
    assert judge_pace.share(server) == 4


def test_being_alone_is_given_up_at_the_end(asking):
    with judge_calls.alone(asking.run, lambda: None), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", [asking.run.pk])
        assert cursor.fetchone()[0] == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", [asking.run.pk])
        assert cursor.fetchone()[0] == 0
