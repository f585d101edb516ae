"""Texts of agents that think, act and observe, and dialogues as one text: files of it, or values that hold one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from annotations.formats import naming
from annotations.formats.base import Item, Refused, TextFormat, ValueFormat, found
from annotations.formats.joining import Conversation
from annotations.formats.loose import without
from annotations.formats.opening import values
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.formats.react_text_pieces import Piece, called, pieces, unfenced
from annotations.formats.turns import call
from annotations.records import Json, TaskRecord, TrajectoryRecord

TEXTS = ("trajectory", "traj", "trace", "transcript", "scratchpad", "log", "text", "output", "completion", "response")
ASKED = ("question", "task", "prompt", "input", "instruction", "query", "goal")
OTHERS = ("messages", "conversations", "chosen", "rejected", "steps", "label", "labels")
FINISH = ("finish", "final_answer", "final answer")
ACTS = ("action", "code", "search")


class ReactText(TextFormat, ValueFormat):
    """A thought with the action after it is a step, and so is a final answer; an observation answers the step before
    it. Every question after an answer begins a run of its own. The place of a step is the number of its first piece."""

    name = "react-text"
    title = "ReAct text (Thought, Action, Observation)"
    suffix = ".txt"
    keeps = "Thoughts, calls, observations, answers, what stands before them; fields beside the text."
    loses = "Blank space around the pieces, and the numbers and spelling of their labels."

    def recognises_text(self, head: str) -> bool:
        return bool(pieces(head))

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or any(key in value for key in OTHERS):
            return False
        return bool(_key(value))

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        shape = shape or values.shape_of(source)
        reader = TextFormat if shape in ("text", "nothing") else ValueFormat
        return reader.read(self, source, shape)

    def parsed(self, text: str, file: str) -> Iterable[TrajectoryRecord | Refused]:
        return _runs(text, "", {})

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        key = _key(value) if isinstance(value, dict) else ""
        if not key:
            raise Refused("", f"found {found(value)}; accepted is an object with a text of thoughts and actions")
        about = next((name for name in ASKED if name != key and isinstance(value.get(name), str)), "")
        return _runs(
            value[key], value[about] if about else "", without(value, key, "id", about), naming.name(value, "id")
        )


def _key(row: dict[str, Any]) -> str:
    """Under which key the text is; "" where there is none."""
    return next((key for key in TEXTS if isinstance(said := row.get(key), str) and pieces(said)), "")


def _runs(text: str, asked: str, fields: dict[str, Json], name: str = "") -> list[TrajectoryRecord | Refused]:
    cut = pieces(text)
    if not cut:
        raise Refused("", "found no thoughts, actions or turns; accepted is text with Thought:, Action:, Observation:")
    runs = list(_separated(cut))
    made: list[TrajectoryRecord | Refused] = []
    for number, run in enumerate(runs):
        try:
            own = f"{name}:{number + 1}" if name and len(runs) > 1 else name
            made.append(_record(run, asked, fields, own[: naming.NAME]))
        except Refused as refused:
            made.append(refused)
    return made


def _separated(cut: list[Piece]) -> Iterator[list[tuple[int, Piece]]]:
    """The pieces of each run with their numbers in the text. Dialogues are one run, however much is asked in them."""
    run: list[tuple[int, Piece]] = []
    talk = not any(piece.kind in ("thought", *ACTS) for piece in cut)
    for numbered in enumerate(cut):
        kinds = [piece.kind for _, piece in run]
        if numbered[1].kind == "question" and not talk and any(kind in ("thought", "answer", *ACTS) for kind in kinds):
            yield run
            run = []
        run.append(numbered)
    yield run


def _record(run: list[tuple[int, Piece]], asked: str, fields: dict[str, Json], name: str) -> TrajectoryRecord:
    teller = _Teller()
    if asked and not any(piece.kind == "question" for _, piece in run):
        teller.take(0, Piece("question", asked))
    shift = len(teller.taken)
    for number, piece in run:
        teller.take(number + shift, piece)
    steps = teller.talk.steps("text")
    opened = any(step.message for step in naming.opening(steps))
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=naming.prompt_id(steps) if opened else naming.hashed([piece.text for _, piece in run]),
            instruction=naming.instruction(steps),
        ),
        steps=steps,
        external_id=name,
        outcome={"answer": teller.answer} if teller.answer else None,
        extra={"fields": fields},
    )


class _Teller:
    """Puts the pieces of one run into turns."""

    def __init__(self) -> None:
        self.talk, self.answer = Conversation(), ""
        self.taken: list[str] = []

    def take(self, place: int, piece: Piece) -> None:
        before = self.taken[-1] if self.taken else ""
        self.taken.append(piece.kind)
        if piece.kind in ("", "system", "question"):
            role = "user" if piece.kind == "question" or (not piece.kind and before) else "system"
            self.talk.say(place, {"role": role, "content": piece.text})
        elif piece.kind == "observation":
            self.talk.answer(place, "", piece.text, {}, ends=True)
        else:
            self._agent(place, piece)

    def _agent(self, place: int, piece: Piece) -> None:
        if piece.kind == "thought" or piece.kind == "said" and self.taken[-2:] == ["said", "said"]:
            self.talk.close()
        turn = self.talk.agent(place)
        if piece.kind == "thought":
            turn.thoughts.append(piece.text)
        elif piece.kind in ACTS:
            turn.calls.append(_act(piece))
            finished = turn.calls[-1]["function"]
            if finished["name"].lower() in FINISH and isinstance(finished["arguments"], str):
                self.answer = finished["arguments"]
        elif piece.kind == "input" and turn.calls and turn.calls[-1]["function"]["arguments"] is None:
            turn.calls[-1]["function"]["arguments"] = unfenced(piece.text)
        elif piece.kind == "input":
            turn.calls.append(call("", unfenced(piece.text)))
        elif piece.text and piece.text != "None":
            turn.said.append(piece.text)
        if piece.kind == "answer":
            self.answer = piece.text


def _act(piece: Piece) -> dict[str, Json]:
    if piece.kind == "action":
        return called(piece.text)
    return call(piece.kind, unfenced(piece.text))
