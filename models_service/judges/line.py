"""The way to a server of language models: many questions under way at once, in a thread of its own, without a database.

The openai SDK asks again where that helps (no connection, time-outs, 408, 409, 429, 5xx), with growing, jittered rests
or as long as Retry-After says. Every repetition of a question goes under its own key (Idempotency-Key), so that a
server that heeds it counts one answer once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annotations.judges.servers import Options
from models_service.judges import replied
from models_service.judges.asked import Question, Said, Unanswered
from models_service.judges.breaker import Breaker
from models_service.judges.forms_asked import Forms
from models_service.scorers.remote.server import KEY, NO_KEY, ServerFault, address, key_of

if TYPE_CHECKING:
    import openai

LONGEST = 2 * 1024 * 1024  # bytes of an answer that are read
ONE = (400, 413, 422)  # refusals of this one question; others concern all
ROUNDS = 3  # how often a question is taken up again after the SDK has given up, while the server answers others
Ticket = int


@dataclass(frozen=True)
class Address:
    """Where, and the name of the environment's variable that holds the key."""

    url: str
    key_env: str = ""


class _Fault(Exception):
    """The server's, not the question's: asking again may help. `heard`: the server said something, if only a status."""

    def __init__(self, why: str, heard: bool = False) -> None:
        super().__init__(why)
        self.heard = heard


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
        self._came: queue.SimpleQueue[tuple[Ticket, Said] | Exception] = queue.SimpleQueue()
        self._over: Exception | None = None
        self._active = 0
        self._waiting: list[tuple[Ticket, Question, str]] = []
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
            if self._over:
                raise self._over from None
            raise
        if isinstance(found, Exception):
            raise found
        return found

    # --- in the thread

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        finally:
            self._ready.set()

    async def _live(self) -> None:
        import openai

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = openai.AsyncOpenAI(
            base_url=self.url,
            api_key=self._key or NO_KEY,
            organization="",
            project="",
            timeout=openai.Timeout(self.options.timeout, connect=10.0),
            max_retries=self.options.retries,
        )
        self._ready.set()
        await self._stop.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    def _begin(self, ticket: Ticket, question: Question, key: str) -> None:
        """One more under way, or waiting for room."""
        if self._active >= self.at_once:
            self._waiting.append((ticket, question, key))
            return
        self._active += 1
        task = self._loop.create_task(self._one(ticket, question, key))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._active -= 1
        while self._waiting and self._active < self.at_once and not self._stop.is_set():
            self._begin(*self._waiting.pop(0))

    async def _one(self, ticket: Ticket, question: Question, key: str) -> None:
        if self._over:
            return
        try:
            self._came.put((ticket, await self._said(question, key)))
        except ServerFault as no:
            if not self._over:
                self._over = no
                self._came.put(no)
        except Exception as exc:  # noqa: BLE001 - a thread that dies without a word would leave the run waiting
            self._came.put(exc)

    async def _said(self, question: Question, key: str) -> Said:
        began, why, rounds = time.monotonic(), "", 0
        while rounds < ROUNDS:
            await self.breaker.passed()
            try:
                said, attempts = await self._asked(question, key)
            except _Fault as fault:
                why = str(fault)
                self.breaker.bad(why)
                # A server that is away for all has not failed at this question.
                rounds += not self.breaker.is_open if fault.heard else await self._is_there()
                continue
            self.breaker.good()
            latency = round((time.monotonic() - began) * 1000)
            return replace(said, latency_ms=latency, attempts=attempts + rounds * (self.options.retries + 1))
        latency = round((time.monotonic() - began) * 1000)
        return Unanswered(why, latency_ms=latency, attempts=ROUNDS * (self.options.retries + 1))

    async def _is_there(self) -> bool:
        """Whether the server says anything at all, be it that it has no list of models."""
        import openai

        try:
            await self._client.with_options(max_retries=0, timeout=5.0).models.list()
        except openai.APIConnectionError:
            return False
        except openai.APIError:
            return True
        return True

    async def _asked(self, question: Question, key: str) -> tuple[Said, int]:
        """What it says, and how often it was asked for that. _Fault where the server, not the question, is at fault."""
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self.options.longest):
                return await self._in_a_form(question, key)
        except TimeoutError:
            return Unanswered(f"no whole answer came in {self.options.longest:.0f} s"), 1
        except openai.APITimeoutError:
            raise _Fault(f"{self.url} does not answer in time", heard=True) from None
        except openai.APIConnectionError as no:
            raise _Fault(f"{self.url} cannot be reached ({self._short(str(no.__cause__ or no))})") from None
        except openai.APIStatusError as no:
            raise self._refusal(no.status_code, self._words(no)) from None
        except httpx2.HTTPError as no:
            raise _Fault(f"{self.url} broke off its answer ({self._short(str(no) or type(no).__name__)})") from None

    async def _in_a_form(self, question: Question, key: str) -> tuple[Said, int]:
        """Asked for in the first form that the server takes; which one that is, is kept."""
        import openai

        forms = self.forms.of(question)
        for place, form in enumerate(forms):
            try:
                body = self.forms.body(question, self.model, form)
                said, attempts = await self._sent(body, form, key)
            except openai.APIStatusError as no:
                if no.status_code not in ONE:
                    raise
                if self.forms.learns(self._words(no)):
                    return await self._in_a_form(question, key)
                if place + 1 == len(forms):
                    return Unanswered(f"refused by the server: {self._words(no)}", lasting=True), 1
                continue
            self.forms.took(question, form)
            return said, attempts
        raise AssertionError("there is always a form")

    async def _sent(self, body: dict[str, Any], form: str, key: str) -> tuple[Said, int]:
        asked = self._client.chat.completions.with_streaming_response.create(
            **body, extra_headers={"Idempotency-Key": key}
        )
        async with asked as response:
            read = bytearray()
            async for piece in response.iter_bytes():
                read += piece
                if len(read) > LONGEST:
                    return Unanswered(f"the answer is longer than {LONGEST // 1024} KiB", lasting=True), 1
            attempts = response.retries_taken + 1
        try:
            return replied.answer(bytes(read), rung=form), attempts
        except replied.Unreadable as no:
            return Unanswered(str(no)), attempts

    def _refusal(self, status: int, said: str) -> Exception:
        if status in KEY:
            key = f"the key in {self.key_env}" if self.key_env else "to be asked without a key"
            return ServerFault(f"{self.url} refuses {key}: {status} {said}", status)
        if status == 404:
            return ServerFault(f"{self.url} has no model {self.model!r}: {said}", status)
        return _Fault(f"{self.url} answers with {status}: {said}", heard=True)

    def _words(self, no: openai.APIStatusError) -> str:
        found = no.body
        for name in ("error", "detail", "message"):
            if isinstance(found, dict) and found.get(name):
                found = found[name]
        return self._short(found if isinstance(found, str) else str(found or no.message))

    def _short(self, words: str) -> str:
        return replied.short(words.replace(self._key, "…") if self._key else words)
