"""Where a given text begins behind a prompt, for a model that a server holds: by token ids, else by offsets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models_service.scorers.base import CannotScore
from models_service.scorers.language.asked import NotServed, Prompt
from models_service.scorers.remote.server import Server, ServerFault


@dataclass(frozen=True)
class Cut:
    """What is sent: ids, or a text. Of ids the given text's begin at place `begin`, of a text at that character.
    `text` is the given text."""

    prompt: list[int] | str
    begin: int
    text: str


class Cutter:
    """Texts become tokens by a local tokenizer if its folder is given, else by the server's /tokenize; where it has
    none, texts are sent as they are."""

    def __init__(self, server: Server, model: str, folder: str = "") -> None:
        self.server, self.model, self.folder = server, model, folder

    @cached_property
    def tokenizer(self) -> Any:
        from models_service.scorers.remote.engine import local_tokenizer

        return local_tokenizer(self.folder)

    @cached_property
    def tokenizes(self) -> bool:
        """Whether the server has a /tokenize."""
        try:
            return isinstance(self.server.ask("/tokenize", {"model": self.model, "prompt": "a"}), dict)
        except (ServerFault, CannotScore) as no:
            if getattr(no, "status", 404) in (404, 405):
                return False
            raise

    def cut(self, prompt: Prompt, text: str) -> Cut:
        """Prompt and text as one. NotServed where a conversation can be made tokens neither here nor there."""
        if self.folder:
            before, after = self._here(prompt, text)
        elif self.tokenizes:
            before, after = self._there(prompt, text)
        elif prompt.messages:
            raise NotServed(
                f"{self.server.url} has no /tokenize: for log-probabilities of a given text in a conversation it needs "
                "one, or the option tokenizer with a local folder"
            )
        else:
            return Cut(prompt.opening + text, len(prompt.opening), text)
        if not before:
            raise CannotScore("nothing stands before the text, so that its first token has no probability")
        return Cut([*before, *after], len(before), text)

    def _here(self, prompt: Prompt, text: str) -> tuple[list[int], list[int]]:
        if not prompt.messages:
            return self.tokenizer(prompt.opening)["input_ids"], self._plain(text)
        opened: list[int] = self.tokenizer.apply_chat_template(
            [dict(one) for one in prompt.messages], tokenize=True, add_generation_prompt=True, return_dict=False
        )
        return [*opened, *(self._plain(prompt.opening) if prompt.opening else [])], self._plain(text)

    def _plain(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _there(self, prompt: Prompt, text: str) -> tuple[list[int], list[int]]:
        plain = {"add_special_tokens": False}
        after = self._ids({"prompt": text} | plain)
        if not prompt.messages:
            return self._ids({"prompt": prompt.opening, "add_special_tokens": True}), after
        messages = [dict(one) for one in prompt.messages]
        opened = self._ids({"messages": messages, "add_generation_prompt": True} | plain)
        return [*opened, *(self._ids({"prompt": prompt.opening} | plain) if prompt.opening else [])], after

    def _ids(self, body: dict[str, Any]) -> list[int]:
        found = self.server.ask("/tokenize", {"model": self.model} | body)
        ids = found.get("tokens") if isinstance(found, dict) else None
        if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
            raise ServerFault(f"{self.server.url}/tokenize answers without token ids")
        return ids
