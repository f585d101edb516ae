"""Calls of models as conversations: each hears the whole history again, and a later one goes on from an earlier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from annotations.formats import chat
from annotations.formats.loose import listed
from annotations.formats.otlp_messages import Said
from annotations.formats.turns import member, words
from annotations.records import Json

Message = dict[str, Json]


class Call(Protocol):
    """A model's span."""

    id: str
    heard: Said
    answer: list[Json]


class _Chain:
    """One conversation: its messages so far, what the last call heard, and where its answer stands."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.heard: list[str] = []
        self.answer: Message | None = None

    def take(self, new: Iterable[Message], call: Call, agent: str) -> None:
        self.messages += new
        self.heard = [signature(one) for one in call.heard.messages]
        by = {"span_id": call.id} if call.id else {}
        name = {"name": agent} if agent else {}
        for message in call.answer:
            self.answer = {**name, **message, "role": "assistant", **by}
            self.messages.append(self.answer)

    def new_of(self, heard: list[Message]) -> list[Message] | None:
        """What is new of what a later call heard, where it goes on from here; else None."""
        if self.answer is not None:
            wanted = signature(self.answer)
            places = [place for place, one in enumerate(heard) if wanted and signature(one) == wanted]
            if places:
                return heard[places[-1] + 1 :]
            if (after := self._after_calls(heard, self.answer)) is not None:
                return after
        return self._after_prefix(heard)

    def _after_calls(self, heard: list[Message], answer: Message) -> list[Message] | None:
        """The answer may be told otherwise: its calls as a message each, between their results."""
        ids = calls_of(answer)
        own = [bool(calls_of(one)) and calls_of(one) <= ids for one in heard]
        if not ids or True not in own:
            return None
        first = len(own) - 1 - own[::-1].index(True)
        while first > 0 and (own[first - 1] or heard[first - 1]["role"] == "tool"):
            first -= 1
        while not own[first]:
            first += 1
        return [one for one, mine in zip(heard[first:], own[first:], strict=True) if not mine]

    def _after_prefix(self, heard: list[Message]) -> list[Message] | None:
        known = len(self.heard)
        if not known or len(heard) <= known or [signature(one) for one in heard[:known]] != self.heard:
            return None
        rest = heard[known:]
        told_again = self.answer is not None and rest[0]["role"] == "assistant"
        return rest[1:] if told_again else rest


def chains_of(calls: Iterable[Call], agents: Mapping[str, str]) -> list[list[Message]]:
    """The conversations, each in the order it went. `agents` names who makes a call, where several do."""
    chains: list[_Chain] = []
    for call in calls:
        heard: list[Message] = call.heard.messages
        found = ((one, one.new_of(heard)) for one in reversed(chains))
        chain, new = next(((one, new) for one, new in found if new is not None), (None, heard))
        if chain is None:
            chains.append(chain := _Chain())
        chain.take(new or [], call, agents.get(call.id, ""))
    return [one.messages for one in chains]


def calls_of(message: Message) -> set[str]:
    """The ids of the message's calls."""
    return {words(one, "id") for one in listed(message.get("tool_calls"))} - {""}


def signature(message: Message) -> str:
    """What is the same of a message however it is told again; "" where it says nothing."""
    said = chat.text_of(message.get("content")).strip()
    calls = [_call(one) for one in listed(message.get("tool_calls"))]
    return "\x1f".join([str(message.get("role")), said, *calls]) if said or calls else ""


def _call(one: Any) -> str:
    function = member(one, "function")
    arguments = "".join(words(function, "arguments").split())
    return f"{words(one, 'id')} {words(function, 'name')} {arguments}"
