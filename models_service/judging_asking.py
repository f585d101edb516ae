"""Asking many questions at once for a run: every question has its row before it goes out, every answer is put away as
it comes, and what was answered before, by whatever run, is not asked again."""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from annotations.judges.servers import Options
from annotations.models import JudgeCall
from annotations.services import judge_calls, judge_pace
from annotations.services.judge_budget import OverBudget
from annotations.services.judge_calls import Asking
from annotations.services.runs import Claim
from models_service.judges import asked
from models_service.judges.asked import Answer, Question, Said, Unanswered
from models_service.judging_rows import outcome, said_before
from models_service.scorers.remote.server import ServerFault

logger = logging.getLogger(__name__)

Name = TypeVar("Name")
Told = TypeVar("Told")

TAKEN_AT_ONCE = 256  # answers that one transaction puts away
LOOK_EVERY = 0.5  # seconds between looks at whether the hold is good
SHARE_EVERY = 5.0
PUT_AWAY_FOR = 60.0  # seconds that a stopped run waits for what is under way: it is paid already
CHARACTERS_A_TOKEN = 4


class Line(Protocol):
    """Where questions go: models_service.judges.line.Line."""

    at_once: int

    def put(self, ticket: int, question: Question, key: str) -> None: ...

    def get(self, timeout: float) -> tuple[int, Said]: ...


@dataclass
class Job(Generic[Name, Told]):
    """A generator under way: what it asks now, and what it was told so far. `calls` are the ids of its questions."""

    name: Name
    work: asked.Asking[Told]
    trajectory: int | None = None
    questions: list[Question] = field(default_factory=list)
    said: dict[int, Said] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Ended(Generic[Name, Told]):
    """What a generator returned, and the ids of the questions behind it."""

    name: Name
    told: Told
    calls: tuple[int, ...]


class Asker(Generic[Name, Told]):
    """`counts` says how many questions were asked, and how many answers were there already."""

    def __init__(self, claim: Claim, asking: Asking, line: Line) -> None:
        self.claim, self.asking, self.line = claim, asking, line
        self.counts = {"asked": 0, "known": 0}
        self._wanted: dict[str, list[tuple[Job[Name, Told], int]]] = {}  # who waits for the answer to each question
        self._waiting: deque[str] = deque()  # questions that are not under way
        self._sent: dict[int, str] = {}
        self._ended: deque[Ended[Name, Told]] = deque()
        self._jobs = 0
        self._not_before = self._looked = self._shared = 0.0

    def drive(self, jobs: Iterable[Job[Name, Told]]) -> Iterator[Ended[Name, Told]]:
        """What each job returns, in the order in which they end. Raises what the line raises (the server is away for
        good), OverBudget, and Cancelled; answers that were under way then are still put away."""
        with judge_calls.alone(self.claim.run, self.claim.check):
            try:
                yield from self._driven(iter(jobs))
            finally:
                self._put_away()

    def _driven(self, jobs: Iterator[Job[Name, Told]]) -> Iterator[Ended[Name, Told]]:
        more = True
        while True:
            while more and len(self._waiting) + len(self._sent) < 2 * self.line.at_once:
                job = next(jobs, None)
                more = job is not None
                if job:
                    self._jobs += 1
                    self._move(job, None)
            self._ask()
            while self._ended:
                yield self._ended.popleft()
            if not self._jobs and not more:
                return
            if self._sent:
                self._take(0.2)
            elif self._waiting:
                time.sleep(0.05)
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            self.claim.check()
        if now - self._shared >= SHARE_EVERY:
            self._shared = now
            self.line.at_once = judge_pace.share(self.asking.server)

    def _move(self, job: Job[Name, Told], said: list[Said] | None) -> None:
        """Run the generator to its next questions, or to its end."""
        try:
            job.questions = next(job.work) if said is None else job.work.send(said)
        except StopIteration as over:
            self._jobs -= 1
            self._ended.append(Ended(job.name, over.value, tuple(dict.fromkeys(job.calls))))
            return
        job.said = {}
        if not job.questions:
            self._move(job, [])
        for place, question in enumerate(job.questions):
            key = question.key(self.asking.server.url, self.asking.model)
            if key not in self._wanted:
                self._wanted[key] = []
                self._waiting.append(key)
            self._wanted[key].append((job, place))

    def _ask(self) -> None:
        """Send as many of the questions as there is room for; tell at once what is known."""
        now = time.monotonic()
        room = self.line.at_once + 1 - len(self._sent)
        if not self._waiting or room <= 0 or now < self._not_before:
            return
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), max(room, TAKEN_AT_ONCE)))]
        rows = judge_calls.known(self.asking.project, batch)
        for key in [key for key in batch if key in rows and rows[key].state in judge_calls.SETTLED]:
            batch.remove(key)
            self.counts["known"] += 1
            self._tell(key, rows[key].pk, said_before(rows[key]))
        wanted, rest = batch[:room], batch[room:]
        opened = self._opened(wanted)
        self._waiting.extendleft(reversed([key for key in (*wanted, *rest) if key not in opened]))
        for key, row in opened.items():
            self._sent[row.pk] = key
            self.counts["asked"] += 1
            self.line.put(row.pk, self._question(key), key)

    def _opened(self, keys: list[str]) -> dict[str, JudgeCall]:
        """Rows for the first of these, as far as pace and budget let them go now."""
        going = []
        for key in keys:
            wanted = self._row(key)
            tokens = wanted.characters // CHARACTERS_A_TOKEN + wanted.max_tokens // 8
            if wait := judge_pace.take(self.asking.server, tokens):
                self._not_before = time.monotonic() + wait
                break
            going.append(wanted)
        if not going:
            return {}
        try:
            opened = judge_calls.opened(self.asking, going)
        except OverBudget:
            if not self._sent:
                raise
            return {}  # answers under way may cost less than is held for them
        if not opened and not self._sent:
            self._not_before = time.monotonic() + LOOK_EVERY  # somebody else asks just these
        return opened

    def _row(self, key: str) -> judge_calls.Asked:
        job, _ = self._wanted[key][0]
        question = self._question(key)
        return judge_calls.Asked(
            key=key,
            purpose=question.purpose,
            content=question.content,
            characters=sum(len(one["content"]) for one in question.messages),
            max_tokens=question.max_tokens,
            trajectory=job.trajectory,
        )

    def _question(self, key: str) -> Question:
        job, place = self._wanted[key][0]
        return job.questions[place]

    def _take(self, timeout: float) -> None:
        """Put away what has come, and go on with whoever waited for it."""
        came: dict[int, Said] = {}
        try:
            while len(came) < TAKEN_AT_ONCE:
                ticket, said = self.line.get(timeout=0.0 if came else timeout)
                came[ticket] = said
        except queue.Empty:
            pass
        finally:
            keys = self._keep(came)
        for ticket, said in came.items():
            self._tell(keys[ticket], ticket, said)

    def _keep(self, came: dict[int, Said]) -> dict[int, str]:
        if came:
            judge_calls.closed(self.asking, {ticket: outcome(said) for ticket, said in came.items()})
        return {ticket: self._sent.pop(ticket) for ticket in came}

    def _tell(self, key: str, call: int, said: Answer | Unanswered) -> None:
        for job, place in self._wanted.pop(key):
            job.said[place] = said
            job.calls.append(call)
            if len(job.said) == len(job.questions):
                self._move(job, [job.said[one] for one in range(len(job.questions))])

    def _put_away(self) -> None:
        """Wait for what is under way, and keep it. What does not come in time stays pending, and is asked again, under
        the same key, by whoever goes on."""
        until = time.monotonic() + min(PUT_AWAY_FOR, Options.model_validate(self.asking.server.options).longest)
        while self._sent and time.monotonic() < until:
            came: dict[int, Said] = {}
            try:
                ticket, said = self.line.get(timeout=0.5)
                came[ticket] = said
            except queue.Empty:
                continue
            except ServerFault as exc:
                logger.warning("run %s: %d questions were under way: %s", self.claim.run.pk, len(self._sent), exc)
                return
            self._keep(came)


def job(name: Any, work: asked.Asking[Any], trajectory: int | None = None) -> Job[Any, Any]:
    """A job that has not begun."""
    return Job(name, work, trajectory)
