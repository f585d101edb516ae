"""A language model that a server holds, behind any address that speaks the API of OpenAI."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.language import replies
from models_service.scorers.language.asked import Completion, Message, NotServed, Prompt, Sampling, Token
from models_service.scorers.language.cutting import Cutter
from models_service.scorers.remote.server import Server

OPENING = ("asked", "native")
FORCED = ("echo", "prompt_logprobs")
CONTINUES = {"continue_final_message": True, "add_generation_prompt": False}
PROBE = ({"role": "user", "content": "Say a letter."}, {"role": "assistant", "content": "The letter"})
SPELT = re.compile(r"<(?=\|[^|<>\s]{1,40}\|>|/?s>|(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>)|\[(?=/?INST\])")


class RemoteModel:
    """`server` is an address ending in /v1, `model` a name that it serves. `key_env`, `timeout`, `retries` and
    `requests` are remote.server.Server's.

    `opening` says how an assistant's turn is begun for the model: "asked" of the server, which vLLM and SGLang do, and
    which is tried before it is relied on; "native" where it continues an assistant's last message unasked. `forced`
    says how log-probabilities of given texts are got: "echo" of completions, or vLLM's "prompt_logprobs". `tokenizer`
    is a local folder with the model's tokenizer, for servers that have no /tokenize. `extra` goes with every question,
    say {"chat_template_kwargs": {"enable_thinking": false}}.

    Special tokens that messages spell out are broken by a space, since a server reads them as what they spell.
    """

    def __init__(
        self,
        server: str,
        model: str,
        *,
        key_env: str = "",
        timeout: float = 300.0,
        retries: int = 4,
        requests: int = 8,
        opening: str = "asked",
        forced: str = "echo",
        tokenizer: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        for name, found, accepted in (("opening", opening, OPENING), ("forced", forced, FORCED)):
            if found not in accepted:
                raise UnfitModel(f"{name}: found {found!r}; accepted are {', '.join(accepted)}")
        self.server = Server(server, key_env=key_env, timeout=timeout, retries=retries, requests=requests)
        self.model, self.opening, self.forcing, self.extra = model, opening, forced, dict(extra or {})
        self.told = self.server.model(model)
        self.version = self.server.version()
        self.cutter = Cutter(self.server, model, tokenizer)
        self._probing = threading.Lock()
        self._continued: str | None = None  # why an opening is not continued; empty where it is; None: not tried yet

    @property
    def provenance(self) -> dict[str, Any]:
        served = {"name": self.model} | ({"root": str(self.told["root"])} if self.told.get("root") else {})
        return {
            "models": [served],
            "server": self.server.url,
            "server_version": self.version,
            "extra": self.extra,
        }

    @property
    def usage(self) -> dict[str, float]:
        return dict(self.server.usage)

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[tuple[Completion, ...] | CannotScore]:
        """For each prompt `sampling.count` texts. NotServed where log-probabilities or an opening are asked for that
        the server does not give."""
        return self.server.each(lambda prompt: self._completed(plain(prompt), sampling), prompts)

    def forced(self, pairs: Sequence[tuple[Prompt, str]]) -> list[tuple[Token, ...] | CannotScore]:
        """For each pair the tokens of the second text as the model finds them after the first. Where the two meet is
        known from their token ids or from offsets."""
        return self.server.each(lambda pair: self._forced(plain(pair[0]), pair[1]), pairs)

    def _completed(self, prompt: Prompt, sampling: Sampling) -> tuple[Completion, ...]:
        body = _drawing(sampling) | {"model": self.model} | self.extra
        if not prompt.messages:
            more = {"logprobs": sampling.top} if sampling.top else {}
            found = self.server.ask("completions", body | {"prompt": prompt.opening} | more)
            return replies.completions(found, sampling, self.server.url)
        more = {"logprobs": True, "top_logprobs": sampling.top} if sampling.top else {}
        found = self.server.ask("chat/completions", body | self._conversation(prompt) | more)
        return replies.chat(found, sampling, self.server.url)

    def _conversation(self, prompt: Prompt) -> dict[str, Any]:
        messages = [dict(one) for one in prompt.messages]
        if not prompt.opening:
            return {"messages": messages}
        opened = {"messages": [*messages, {"role": "assistant", "content": prompt.opening}]}
        if self.opening == "native":
            return opened
        self._continues()
        return opened | CONTINUES

    def _continues(self) -> None:
        """NotServed where the server does not continue an assistant's message when asked to. Many take the request and
        begin a new answer without a word; then their templates make as many tokens of it as of one not continued."""
        with self._probing:
            if self._continued is None:
                self._continued = self._probed()
        if self._continued:
            raise NotServed(
                f"{self.server.url} does not continue an answer that is begun for the model ({self._continued}); it "
                'needs continue_final_message as vLLM and SGLang have it, or the option "opening": "native" where the '
                "server continues an assistant's last message unasked"
            )

    def _probed(self) -> str:
        body = {"model": self.model, "messages": list(PROBE), "max_tokens": 1, "temperature": 0.0} | self.extra
        try:
            counts = [
                replies.prompt_tokens(self.server.ask("chat/completions", body | more)) for more in (CONTINUES, {})
            ]
        except CannotScore as no:
            return str(no)
        if None in counts:
            return "it does not count its tokens, so that it cannot be told"
        continued, closed = counts
        return "" if continued < closed else "it reads the same whether asked to or not"  # type: ignore[operator]

    def _forced(self, prompt: Prompt, text: str) -> tuple[Token, ...]:
        if not text:
            return ()
        cut = self.cutter.cut(prompt, text)
        body: dict[str, Any] = {"model": self.model, "prompt": cut.prompt, "max_tokens": 1, "temperature": 0.0}
        if self.forcing == "prompt_logprobs":
            if isinstance(cut.prompt, str):
                raise NotServed(f"{self.server.url}: prompt_logprobs need token ids, and so a /tokenize or a tokenizer")
            found = self.server.ask("completions", body | {"prompt_logprobs": 1} | self.extra)
            return replies.from_prompt(found, cut, self.server.url)
        found = self._echoed(body | {"echo": True, "logprobs": 1} | self.extra)
        return replies.from_echo(found, cut, self.server.url)

    def _echoed(self, body: dict[str, Any]) -> Any:
        try:
            return self.server.ask("completions", body)
        except CannotScore as no:
            if "echo" in str(no).lower():
                raise NotServed(f"{self.server.url} tells no log-probabilities of given texts: {no}") from None
            raise


def plain(prompt: Prompt) -> Prompt:
    """The same, with special tokens that its messages spell out broken by a space. Openings are the scorers' own."""
    messages: list[Message] = [{**one, "content": SPELT.sub(r"\g<0> ", one["content"])} for one in prompt.messages]
    return replace(prompt, messages=tuple(messages))


def _drawing(sampling: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {
        "n": sampling.count,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.most,
        "seed": sampling.seed,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.top_k is not None:
        body["top_k"] = sampling.top_k
    return body
