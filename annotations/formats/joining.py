"""Puts together the turns of an agent that a file holds in pieces: thoughts, words, calls, and what answered them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from annotations.formats.base import Refused
from annotations.formats.turns import steps_at
from annotations.records import Json, StepRecord


@dataclass
class Turn:
    """A turn of the agent in the making. `rest` is what of its pieces has no place, as found."""

    place: int
    thoughts: list[str] = field(default_factory=list)
    said: list[Json] = field(default_factory=list)
    calls: list[Json] = field(default_factory=list)
    rest: list[Json] = field(default_factory=list)

    def message(self) -> dict[str, Json]:
        plain = all(isinstance(part, str) for part in self.said)
        content = "\n\n".join(self.said) if plain else [_part(one) for one in self.said]
        made: dict[str, Json] = {"role": "assistant", "content": content}
        if self.calls:
            made["tool_calls"] = self.calls
        if self.thoughts:
            made["reasoning_content"] = "\n\n".join(self.thoughts)
        return made | ({"pieces": self.rest} if self.rest else {})


class Conversation:
    """Takes the pieces in their order, each with its place in the file. What the agent says goes on until something
    else is said."""

    def __init__(self) -> None:
        self._turns: list[tuple[int, Turn | dict[str, Json]]] = []
        self._open: Turn | None = None

    def agent(self, place: int) -> Turn:
        """The agent's turn that this piece belongs to."""
        if self._open is None:
            self._open = Turn(place)
            self._turns.append((place, self._open))
        return self._open

    @property
    def begun(self) -> bool:
        """Whether the agent has had a turn."""
        return any(isinstance(turn, Turn) for _, turn in self._turns)

    def close(self) -> None:
        self._open = None

    def say(self, place: int, message: dict[str, Json]) -> None:
        """A turn of somebody else, as a chat message."""
        self.close()
        self._turns.append((place, message))

    def answer(self, place: int, call_id: Json, content: Json, rest: dict[str, Json], *, ends: bool = True) -> None:
        """What came of a call; unless it `ends` the turn, the agent goes on in it."""
        called = {"tool_call_id": call_id} if isinstance(call_id, str) and call_id else {}
        self._turns.append((place, {"role": "tool", **called, "content": content} | rest))
        if ends:
            self.close()

    def steps(self, name: str) -> tuple[StepRecord, ...]:
        """The steps, each at the place of its first piece. `name` is what the pieces are called in the file."""
        places = [place for place, _ in self._turns]
        made = [turn.message() if isinstance(turn, Turn) else turn for _, turn in self._turns]
        if not made:
            raise Refused(name, "found nothing that was said; accepted are messages, calls and their outputs")
        return tuple(_placed(step, places) for step in steps_at(made, name))


def _placed(step: StepRecord, places: list[int]) -> StepRecord:
    """The step with the places of the file instead of those among the messages."""
    first = step.source_index + 1
    among = step.extra.get("observed_at") or range(first, first + len(step.observations))
    observed = {"observed_at": [places[one] for one in among]} if len(step.observations) else {}
    return replace(step, source_index=places[step.source_index], extra=step.extra | observed)


def _part(said: Json) -> Json:
    return {"type": "text", "text": said} if isinstance(said, str) else said
