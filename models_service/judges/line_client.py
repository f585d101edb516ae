"""One question to a server of language models, over HTTP, and what is at fault where no answer comes.

The openai SDK asks once: whoever calls asks again, since they know who else is waiting. Bodies are read in pieces and
only so far. No more is said of the server's words than fits a line, and never the key.
"""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from annotations.judges.servers import Options
from models_service.judges import replied
from models_service.judges.asked import Answer
from models_service.scorers.remote.server import KEY, NO_KEY, ServerFault

if TYPE_CHECKING:
    import httpx2
    import openai

LONGEST = 2 * 1024 * 1024  # bytes of an answer that are read
LONGEST_REFUSAL = 64 * 1024
LONGEST_REST = 120.0  # seconds; a server that wants to be left alone for longer is asked sooner, and given up in time
ONE = (400, 413, 422, 451)  # refusals of this one question; others concern all
OWN = (408, 409, 425, 500)  # may be this question's fault as well as the server's
SECRET = 8  # characters that a key has at least, to be looked for in what comes
TOO_LONG = ("context length", "context window", "context size", "prompt is too long", "too many tokens")
FLAGGED = ("moderation", "flagged", "content policy", "content management policy")


class Refused(Exception):
    """The server refuses this question, in its words. `form`: perhaps only the form in which it was asked."""

    def __init__(self, words: str, *, form: bool = False) -> None:
        super().__init__(words)
        self.form = form


class TooLong(Exception):
    """The answer is longer than is read."""


class Fault(Exception):
    """Nothing came, and asking again may help. `own`: it may be this question that brings it about, others go through.
    `last`: asking again would cost again. `rest`: seconds that the server asks to be left alone for."""

    def __init__(self, why: str, *, own: bool = False, last: bool = False, rest: float = 0.0) -> None:
        super().__init__(why)
        self.own, self.last, self.rest = own, last, rest


class Client:
    """To be made and used within one event loop."""

    def __init__(self, url: str, key: str, key_env: str, options: Options) -> None:
        import openai

        self.url, self.key_env, self._key = url, key_env, key
        self._openai = openai.AsyncOpenAI(
            base_url=url,
            api_key=key or NO_KEY,
            organization="",
            project="",
            timeout=openai.Timeout(options.timeout, connect=10.0),
            max_retries=0,
            # What is packed is small until it is unpacked, and a redirect is not what was set.
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False, event_hooks={"response": [_bounded]}, limits=_limits()
            ),
        )

    async def close(self) -> None:
        await self._openai.close()

    async def ask(self, body: dict[str, Any], *, rung: str, key: str) -> Answer:
        """Raises Refused and TooLong, which are this question's, Fault, and ServerFault, which is everybody's."""
        import httpx2
        import openai

        try:
            return await self._answer(body, rung, key)
        except replied.Unreadable as no:
            raise Fault(f"{self.url}: {self.short(str(no))}", last=True) from None
        except openai.APIStatusError as no:
            raise self._refusal(no, body["model"]) from None
        except openai.APITimeoutError as no:
            own = not isinstance(no.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
            raise Fault(f"{self.url} does not answer in time", own=own) from None
        except openai.APIConnectionError as no:
            own = not isinstance(no.__cause__, httpx2.ConnectError)
            raise Fault(f"{self.url} cannot be reached ({self.short(str(no.__cause__ or no))})", own=own) from None
        except httpx2.TimeoutException:
            raise Fault(f"{self.url} does not go on with its answer in time", own=True) from None
        except httpx2.HTTPError as no:
            why = self.short(str(no) or type(no).__name__)
            raise Fault(f"{self.url} broke off its answer ({why})", own=True) from None

    async def _answer(self, body: dict[str, Any], rung: str, key: str) -> Answer:
        import httpx2
        import openai

        # Not by the SDK's own method for chats: that goes through every message anew, a sixth of all the work.
        response: Any = await self._openai.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            body=body,
            options={"headers": {"Idempotency-Key": key}},
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )
        try:
            read = b"".join([piece async for piece in response.aiter_bytes()])
        finally:
            await response.aclose()
        if len(self._key) >= SECRET:
            read = read.replace(self._key.encode(), "…".encode())
        return replied.answer(read, rung=rung)

    def _refusal(self, no: openai.APIStatusError, model: str) -> Exception:
        status, said = no.status_code, self._words(no)
        if status in ONE or (status == 403 and any(word in said.lower() for word in FLAGGED)):
            is_text = any(word in said.lower() for word in (*FLAGGED, *TOO_LONG))
            return Refused(said, form=status in (400, 422) and not is_text)
        if status in KEY:
            key = f"the key in {self.key_env}" if self.key_env else "to be asked without a key"
            return ServerFault(f"{self.url} refuses {key}: {status} {said}", status)
        if status in OWN:
            return Fault(f"{self.url} answers with {status}: {said}", own=True, rest=rest(no.response.headers))
        if (status == 429 and "insufficient_quota" not in (no.code, no.type)) or status > 500:
            return Fault(f"{self.url} answers with {status}: {said}", rest=rest(no.response.headers))
        if status == 404:
            return ServerFault(f"{self.url} has no model {model!r}: {said}", status)
        return ServerFault(f"{self.url} answers with {status}: {said}", status)

    def _words(self, no: openai.APIStatusError) -> str:
        found = no.body
        for name in ("error", "detail", "message"):
            if isinstance(found, dict) and found.get(name):
                found = found[name]
        return self.short(found if isinstance(found, str) else str(found or no.message))

    def short(self, words: str) -> str:
        return replied.short(words.replace(self._key, "…") if self._key else words)


def rest(headers: httpx2.Headers) -> float:
    """Seconds that the server asks to be left alone for, at most LONGEST_REST; 0 where it says nothing that is any."""
    seconds = 0.0
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        told = headers.get(name, "")
        try:
            seconds = seconds or float(told) * unit
        except ValueError:
            date = email.utils.parsedate_tz(told)
            seconds = email.utils.mktime_tz(date) - time.time() if date else 0.0
    return min(max(0.0, seconds), LONGEST_REST) if math.isfinite(seconds) else 0.0


def _limits() -> httpx2.Limits:
    """As many connections as questions are under way, each kept for less than the five seconds that many servers keep
    theirs: a question on one that is just being closed would be lost."""
    import httpx2

    return httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2.0)


async def _bounded(response: httpx2.Response) -> None:
    """Of whatever comes, only so much is read."""
    import httpx2

    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.RemoteProtocolError("its answer is packed, which was not asked for", request=response.request)

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = LONGEST if response.is_success else LONGEST_REFUSAL
            async for piece in self._inner:
                yield piece[:left]
                left -= len(piece)
                if left < 0:
                    break
            if left < 0 and response.is_success:
                raise TooLong

        async def aclose(self) -> None:
            await self._inner.aclose()

    response.stream = Bounded(response.stream)
