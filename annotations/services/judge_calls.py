"""The questions of judges as rows: there before they go out, and kept with their answers for whoever asks the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from annotations.models import Judge, JudgeCall, JudgeServer, Project, Run
from annotations.services import judge_budget
from annotations.services.judge_budget import OverBudget

LOCKS = 0x51_0001  # a space of advisory locks: one for each run that asks
SETTLED = frozenset({JudgeCall.State.ANSWERED, JudgeCall.State.REFUSED})  # asking again would bring the same
NOBODY_KNOWS = "The worker was gone before an answer came. The server may have counted the question."
LONGEST = 1_000_000  # characters of an answer that are kept


@dataclass(frozen=True)
class Asking:
    """Who asks: for which run of which project, as which judge (None: as no judge of the project), whom."""

    run: Run
    server: JudgeServer
    model: str
    judge: Judge | None = None

    @property
    def project(self) -> Project:
        return self.run.project


@dataclass(frozen=True)
class Asked:
    """A question that is to have a row. `characters` is how long its messages are."""

    key: str
    purpose: str
    content: Mapping[str, Any]
    characters: int
    max_tokens: int
    trajectory: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a question: an answer (`state` answered), or why there is none. Counts are None where the server
    does not tell them."""

    state: str
    text: str = ""
    error: str = ""
    rung: str = ""
    finish: str = ""
    served_model: str = ""
    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    latency_ms: int = 0
    attempts: int = 1
    detail: Mapping[str, Any] | None = None


@contextmanager
def alone(run: Run, check: Callable[[], None]) -> Iterator[None]:
    """Be the only one who asks for the run: wait until a worker that was stopped has put away the answers it still got.
    A worker that was killed has let go already: its connection is gone. `check` may raise while this waits."""
    while not _locked("pg_try_advisory_lock", run.pk):
        check()
        time.sleep(0.5)
    try:
        yield
    finally:
        _locked("pg_advisory_unlock", run.pk)


def is_asking(run_id: int | None) -> bool:
    """Whether a living worker, not this one, asks for that run."""
    if run_id is None or not _locked("pg_try_advisory_lock", run_id):
        return run_id is not None
    _locked("pg_advisory_unlock", run_id)
    return False


def _locked(function: str, run_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [LOCKS, run_id])
        return bool(cursor.fetchone()[0])


def known(project: Project, keys: Sequence[str]) -> dict[str, JudgeCall]:
    """The rows there are of these questions, by key."""
    rows = JudgeCall.objects.filter(project=project, key__in=keys).defer("question")
    return {row.key: row for row in rows}


@transaction.atomic
def opened(asking: Asking, wanted: Sequence[Asked]) -> dict[str, JudgeCall]:
    """Rows, pending and ours, for the first of these questions, as many as the budget holds. A row that is there is
    taken over: of a question that failed, or whose worker is dead; in that case what is held for it stays held. A
    question that somebody else asks just now is left out. OverBudget where the budget holds none of them."""
    found = {row.key: row for row in JudgeCall.objects.select_for_update().filter(
        project=asking.project, key__in=[one.key for one in wanted]
    )}  # fmt: skip
    free = [one for one in wanted if one.key not in found or _is_free(found[one.key], asking)]
    prices = judge_budget.price(asking.server, asking.model)
    costs = [
        0
        if prices is None or _holds(found.get(one.key))
        else judge_budget.most(prices[0], one.characters, one.max_tokens)
        for one in free
    ]
    count = judge_budget.reserve(asking.project, prices[1] if prices else "", costs)
    if free and not count:
        raise OverBudget("The project's budget for judges does not hold the next question. Raise it, then go on.")
    mine = {one.key: (one, cost) for one, cost in zip(free[:count], costs[:count], strict=True)}
    JudgeCall.objects.bulk_create(
        [_row(asking, one, cost) for key, (one, cost) in mine.items() if key not in found], ignore_conflicts=False
    )
    for key in mine.keys() & found.keys():
        row, cost = found[key], mine[key][1]
        JudgeCall.objects.filter(pk=row.pk).update(
            state=JudgeCall.State.PENDING, run=asking.run, reserved_micro=row.reserved_micro + cost, asked_at=Now()
        )
    rows = JudgeCall.objects.filter(project=asking.project, key__in=list(mine)).defer("question", "answer")
    return {row.key: row for row in rows}


def let_go(project: Project) -> int:
    """Give up questions whose run is over and whose worker is gone before an answer was kept, and let go what is held
    for them; how many these were. Whether the server has counted them nobody here can know: their rows say so."""
    pending = JudgeCall.objects.filter(project=project, state=JudgeCall.State.PENDING)
    gone = pending.exclude(run__in=Run.objects.open().filter(project=project))
    runs = set(gone.values_list("run", flat=True))
    dead = [run for run in runs if not is_asking(run)]
    with transaction.atomic():
        rows = list(gone.filter(Q(run__in=dead) | Q(run=None)).select_for_update(skip_locked=True).defer("question"))
        JudgeCall.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=JudgeCall.State.FAILED, reserved_micro=0, error=NOBODY_KNOWS
        )
        judge_budget.settle(project, spent=0, released=sum(row.reserved_micro for row in rows))
    return len(rows)


def _is_free(row: JudgeCall, asking: Asking) -> bool:
    """Whether the row of a question that has no answer may be taken over."""
    if row.state == JudgeCall.State.FAILED:
        return True
    return row.state == JudgeCall.State.PENDING and (row.run_id == asking.run.pk or not is_asking(row.run_id))


def _holds(row: JudgeCall | None) -> bool:
    return row is not None and row.state == JudgeCall.State.PENDING


def _row(asking: Asking, one: Asked, cost: int) -> JudgeCall:
    return JudgeCall(
        project=asking.project,
        run=asking.run,
        judge=asking.judge,
        trajectory_id=one.trajectory,
        server=asking.server,
        model=asking.model,
        key=one.key,
        purpose=one.purpose,
        question=dict(one.content),
        reserved_micro=cost,
    )


@transaction.atomic
def closed(asking: Asking, outcomes: Mapping[int, Outcome]) -> dict[int, JudgeCall]:
    """Keep what came of these calls, by id, and count its cost: once, whoever holds the run by now. What is held for an
    answer whose tokens the server does not count stays held."""
    prices = judge_budget.price(asking.server, asking.model)
    rows = JudgeCall.objects.select_for_update(no_key=True).filter(pk__in=list(outcomes), state=JudgeCall.State.PENDING)
    spent = released = 0
    written: dict[int, JudgeCall] = {}
    for row in rows.defer("question").order_by("pk"):
        said = outcomes[row.pk]
        cost = _cost(said, prices)
        unknown = cost is None and prices is not None and said.state == JudgeCall.State.ANSWERED
        spent += cost or 0
        released += 0 if unknown else row.reserved_micro
        _write(row, said, cost, prices[2] if prices else "", held=row.reserved_micro if unknown else 0)
        written[row.pk] = row
    judge_budget.settle(asking.project, spent=spent, released=released)
    return written


def _cost(said: Outcome, prices: tuple[Any, str, str] | None) -> int | None:
    if prices is None or said.prompt is None or said.completion is None:
        return None
    return int(prices[0].cost(said.prompt, said.completion, min(said.cached or 0, said.prompt)))


def _write(row: JudgeCall, said: Outcome, cost: int | None, version: str, held: int) -> None:
    row.state, row.error, row.rung, row.finish = said.state, said.error[:4000], said.rung, said.finish[:40]
    row.answer = said.text[:LONGEST].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    row.detail = None if said.detail is None else dict(said.detail)
    row.served_model = said.served_model[:200]
    row.prompt_tokens, row.completion_tokens = (
        _sum(row.prompt_tokens, said.prompt),
        _sum(row.completion_tokens, said.completion),
    )
    row.cached_tokens, row.reasoning_tokens = (
        _sum(row.cached_tokens, said.cached),
        _sum(row.reasoning_tokens, said.reasoning),
    )
    row.cost_micro = _sum(row.cost_micro, cost)
    row.price_version = version if cost is not None else row.price_version
    row.latency_ms, row.attempts = said.latency_ms, row.attempts + said.attempts
    row.reserved_micro, row.answered_at = held, Now()
    row.save()


def _sum(before: int | None, more: int | None) -> int | None:
    return before if more is None else (before or 0) + more
