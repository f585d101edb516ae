"""A server of models: one question at a time, asked again where that helps, and its refusals in words.

Asked through the openai SDK, which retries connection errors, time-outs and 408, 409, 429 and 5xx, waits as long as
`Retry-After` says, and takes any path.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import UnfitModel

if TYPE_CHECKING:
    import httpx2
    import openai

WORDS = 500  # characters of a server's own words that are kept
ONE = (400, 413, 422)  # refusals of this one question; others concern all
KEY = (401, 403)
NO_KEY = "none"  # the SDK wants one; servers without keys do not look
Asked = TypeVar("Asked")
Told = TypeVar("Told")


class ServerFault(RuntimeError):
    """The server is away, refuses everybody, or answers what it must not. The run fails and can go on once it is put
    right. `status` is that of its answer, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Server:
    """`server` is the address that API clients are given, ending in /v1. The key stands in the environment variable
    that `key_env` names, and nowhere else. `timeout` is in seconds for one answer, `retries` how often a question is
    asked again, `requests` how many are under way at once."""

    def __init__(
        self, server: str, *, key_env: str = "", timeout: float = 300.0, retries: int = 4, requests: int = 8
    ) -> None:
        self.url = address(server)
        self.root = self.url.removesuffix("/v1")
        self._key = key_of(key_env)
        self.key_env, self.timeout, self.retries = key_env, timeout, retries
        self.requests = requests
        self.usage: dict[str, float] = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0}
        self._free = threading.BoundedSemaphore(requests)
        self._counting = threading.Lock()

    @cached_property
    def _client(self) -> openai.OpenAI:
        import openai

        return openai.OpenAI(
            base_url=self.url,
            api_key=self._key or NO_KEY,
            organization="",
            project="",
            timeout=openai.Timeout(self.timeout, connect=10.0),
            max_retries=self.retries,
        )

    def ask(self, path: str, body: dict[str, Any] | None = None, *, retries: int | None = None) -> Any:
        """The JSON that it answers. A path that begins with / is taken from the server's root, others from /v1; without
        a body it is a GET. Raises CannotScore where it refuses this one question, ServerFault for all else."""
        with self._free:
            answer = self._sent(path, body, self.retries if retries is None else retries)
        try:
            found = answer.json()
        except ValueError:
            raise ServerFault(f"{self.url} answers {path} with what is no JSON: {self._short(answer.text)!r}") from None
        if body is not None and path != "/tokenize":
            self._count(found)
        return found

    def _sent(self, path: str, body: dict[str, Any] | None, retries: int) -> httpx2.Response:
        import httpx2
        import openai

        client = self._client.with_options(max_retries=retries)
        url = self.root + path if path.startswith("/") else f"{self.url}/{path}"
        try:
            if body is None:
                return client.get(url, cast_to=httpx2.Response)
            return client.post(url, cast_to=httpx2.Response, body=body)
        except openai.APIStatusError as no:
            raise self._refusal(path, no.status_code, self._said(no.response)) from None
        except openai.APIConnectionError as no:
            why = "in time" if isinstance(no, openai.APITimeoutError) else f"({self._short(str(no.__cause__ or no))})"
            raise ServerFault(f"{self.url} does not answer {why}") from None

    def _refusal(self, path: str, status: int, said: str) -> Exception:
        if status in ONE:
            return CannotScore(f"refused by the server: {said}")
        if status in KEY:
            key = f"the key in {self.key_env}" if self.key_env else "to be asked without a key (option key_env)"
            return ServerFault(f"{self.url} refuses {key}: {status} {said}", status)
        return ServerFault(f"{self.url} answers {path} with {status}: {said}", status)

    def _said(self, answer: httpx2.Response) -> str:
        try:
            found = answer.json()
        except ValueError:
            return self._short(answer.text)
        for key in ("error", "detail", "message"):
            if isinstance(found, dict) and found.get(key):
                found = found[key]
        return self._short(found if isinstance(found, str) else str(found))

    def _short(self, words: str) -> str:
        """Its own words in one line, without the key, should it repeat that."""
        hidden = words.replace(self._key, "…") if self._key else words
        return " ".join(hidden.split())[:WORDS]

    def _count(self, found: Any) -> None:
        told = found.get("usage") if isinstance(found, dict) else None
        with self._counting:
            self.usage["calls"] += 1
            for name in ("prompt_tokens", "completion_tokens"):
                count = told.get(name) if isinstance(told, dict) else None
                self.usage[name] += count if isinstance(count, int) else 0

    def each(self, ask: Callable[[Asked], Told], asked: Sequence[Asked]) -> list[Told | CannotScore]:
        """What `ask` says of each, some at once, in order; CannotScore where it raised that. What else is raised ends
        all, and what is not asked yet is asked no more."""

        def one(item: Asked) -> Told | CannotScore:
            try:
                return ask(item)
            except CannotScore as no:
                return no

        with ThreadPoolExecutor(self.requests, "server") as pool:
            waiting = [pool.submit(one, item) for item in asked]
            try:
                return [future.result() for future in waiting]
            finally:
                pool.shutdown(cancel_futures=True)

    def model(self, name: str) -> dict[str, Any]:
        """What the server says of the model; empty where it keeps no list. ServerFault where it has no such one."""
        try:
            found = self.ask("models")
        except ServerFault as no:
            if no.status in (404, 405):
                return {}
            raise
        listed = found.get("data") if isinstance(found, dict) else None
        models = [one for one in listed or () if isinstance(one, dict)]
        for one in models:
            if one.get("id") == name:
                return one
        there = ", ".join(str(one.get("id")) for one in models[:10]) or "none"
        raise ServerFault(f"{self.url} has no model {name!r}; there are {there}")

    def version(self) -> str:
        """The program's version, where it tells: vLLM at /version, SGLang with what else it says of itself."""
        for path in ("/version", "/server_info", "/get_server_info"):
            try:
                found = self.ask(path, retries=0)
            except (ServerFault, CannotScore):
                continue
            if isinstance(found, dict) and isinstance(found.get("version"), str):
                return str(found["version"])[:100]
        return ""


def address(server: str) -> str:
    """The address without a slash at its end. UnfitModel where it is none, or holds more than an address."""
    parts = urlsplit(server)
    if parts.username or parts.password or parts.query:
        raise UnfitModel(
            "server: an address with a name, password or query; the option key_env says where a key stands"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnfitModel(f"server: found {server!r}; accepted is an address as http://host:8000/v1")
    return server.rstrip("/")


def key_of(name: str) -> str:
    """What the environment's variable of that name holds; UnfitModel where there is none. No name, no key."""
    if not name:
        return ""
    if not (found := os.environ.get(name, "")):
        raise UnfitModel(f"key_env: the environment has no {name}")
    return found
