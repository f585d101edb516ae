"""The way to a server of language models: many questions under way at once, in a thread of its own, without a database.

A question is asked again where that helps (no connection, time-outs, 408, 409, 425, 429, 5xx), with growing, jittered
rests or as long as Retry-After says, always under its own key (Idempotency-Key), so that a server that heeds it counts
one answer once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, replace

from annotations.judges.servers import Options
from models_service.judges.asked import Answer, Question, Said, Unanswered
from models_service.judges.breaker import Breaker
from models_service.judges.forms_asked import Forms
from models_service.judges.line_client import LONGEST, Client, Fault, Refused, TooLong
from models_service.scorers.remote.server import ServerFault, address, key_of

Ticket = int


@dataclass(frozen=True)
class Address:
    """Where, and the name of the environment's variable that holds the key."""

    url: str
    key_env: str = ""


@dataclass
class _Course:
    """How it has gone with one question. `own` are faults that may be due to it."""

    began: float
    attempts: int = 0
    own: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def ended(self, said: Said) -> Said:
        return replace(said, latency_ms=round(self.seconds * 1000), attempts=self.attempts)


class Line:
    """`with Line(…) as line:` then put() and get(); what is put is answered in whatever order. `at_once` may change
    while it runs."""

    def __init__(
        self, to: Address, model: str, options: Options, at_once: int | None = None, *, breaker: Breaker | None = None
    ) -> None:
        self.url, self.model, self.options = address(to.url), model, options
        self._key, self.key_env = key_of(to.key_env), to.key_env
        self.at_once = at_once or options.at_once
        self.forms = Forms(options)
        self.breaker = breaker or Breaker()
        self._came: queue.SimpleQueue[tuple[Ticket, Said] | None] = queue.SimpleQueue()
        self._active = 0
        self._waiting: deque[tuple[Ticket, Question, str]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()

    def __enter__(self) -> Line:
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"line to {self.url}")
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10.0)

    def put(self, ticket: Ticket, question: Question, key: str) -> None:
        self._loop.call_soon_threadsafe(self._begin, ticket, question, key)

    def get(self, timeout: float) -> tuple[Ticket, Said]:
        """The next that has come. queue.Empty where nothing did in time; ServerFault where nothing more will."""
        try:
            found = self._came.get(timeout=timeout) if timeout else self._came.get_nowait()
        except queue.Empty:
            if not self.breaker.over or self._active:
                raise
            found = None
        if found:
            return found
        assert self.breaker.over
        raise self.breaker.over

    # --- in the thread

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._client = Client(self.url, self._key, self.key_env, self.options)
        self._ready.set()
        await self._stop.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    def _begin(self, ticket: Ticket, question: Question, key: str) -> None:
        """One more under way, or waiting for room."""
        self._waiting.append((ticket, question, key))
        self._fill()

    def _fill(self) -> None:
        if self.breaker.over:
            self._waiting.clear()
            if not self._active:
                self._came.put(None)  # wakes whoever waits: what was under way has all come
        while self._waiting and self._active < self.at_once and not self._stop.is_set():
            self._active += 1
            task = self._loop.create_task(self._one(*self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._active -= 1
        self._fill()

    async def _one(self, ticket: Ticket, question: Question, key: str) -> None:
        try:
            self._came.put((ticket, await self._said(question, key)))
        except Exception as exc:  # noqa: BLE001 - a thread that dies without a word would leave the run waiting
            self.breaker.over = self.breaker.over or exc

    async def _said(self, question: Question, key: str) -> Said:
        """What the server says to it, sooner or later. Raises ServerFault where that is everybody's matter."""
        course = _Course(time.monotonic())
        while True:
            trial = await self.breaker.passed()
            try:
                said = await self._asked(question, key, course)
            except Fault as fault:
                self.breaker.bad(str(fault), trial=trial, rest=fault.rest)
                course.own += fault.own
                if fault.last or course.own > self.options.retries or self._fails_alone(course):
                    return course.ended(Unanswered(str(fault)))
                await asyncio.sleep(max(fault.rest, self.breaker.pause(course.attempts)))
            except BaseException:
                self.breaker.dropped(trial=trial)
                raise
            else:
                self.breaker.good()
                return course.ended(said)

    def _fails_alone(self, course: _Course) -> bool:
        """Whether the server answers others, and has long not answered this question."""
        return not self.breaker.is_open and course.seconds > self.breaker.patience + self.options.longest

    async def _asked(self, question: Question, key: str, course: _Course) -> Said:
        """What it says to a question in the first form that it takes; which one that is, is kept."""
        forms = self.forms.of(question)
        place, why = 0, ""
        while place < len(forms):
            learnt = self.forms.learnt
            try:
                answer = await self._sent(question, forms[place], key, course)
            except TooLong:
                return Unanswered(f"the answer is longer than {LONGEST // 1024} KiB", lasting=True)
            except Refused as no:
                why = str(no)
                if advice := self.forms.advice(why):
                    raise ServerFault(f"{self.url} refuses the question: {why}; {advice}") from None
                if no.form and (self.forms.learns(why) or self.forms.learnt > learnt):
                    continue
                place += 1 if no.form else len(forms)
            else:
                self.forms.took(question, forms[place])
                return answer
        return Unanswered(f"refused by the server: {why}", lasting=True)

    async def _sent(self, question: Question, form: str, key: str, course: _Course) -> Answer:
        """Another form is another body: servers that heed keys refuse those that come with two."""
        course.attempts += 1
        body = self.forms.body(question, self.model, form)
        asked_before = question.schema is not None and form != self.options.form
        try:
            async with asyncio.timeout(self.options.longest):
                return await self._client.ask(body, rung=form, key=f"{key}-{form}" if asked_before else key)
        except TimeoutError:
            raise Fault(f"no whole answer came in {self.options.longest:.0f} s", last=True) from None
