"""Cuts a text of Thought, Action and Observation, in any of its dialects, into labelled pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from annotations.formats.loose import loaded, mapping
from annotations.formats.turns import call
from annotations.records import Json

LABELS = {
    "question": "question",
    "task": "question",
    "new task": "question",
    "thought": "thought",
    "action": "action",
    "act": "action",
    "tool": "action",
    "action input": "input",
    "tool input": "input",
    "code": "code",
    "observation": "observation",
    "obs": "observation",
    "execution logs": "observation",
    "final answer": "answer",
    "answer": "answer",
}
TAGS = {
    "question": "question",
    "task": "question",
    "thought": "thought",
    "think": "thought",
    "thinking": "thought",
    "reasoning": "thought",
    "action": "action",
    "tool_call": "action",
    "search": "search",
    "action_input": "input",
    "code": "code",
    "execute": "code",
    "observation": "observation",
    "information": "observation",
    "tool_response": "observation",
    "output": "observation",
    "answer": "answer",
    "final_answer": "answer",
}
ROLES = {
    "system": "system",
    "user": "question",
    "human": "question",
    "customer": "question",
    "assistant": "said",
    "ai": "said",
    "agent": "said",
    "tool": "observation",
}


def _labelled(names: Iterator[str] | list[str]) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"^[ \t]*(?:[*#]+ ?)?({words})(?:[ \t]*#?\d+)?(?:\*+)?[ \t]*:(?:\*+)?[ \t]*", re.M | re.I)


_LABEL = _labelled(list(LABELS))
_ROLE = re.compile(rf"^({'|'.join(ROLES)}):[ \t]*", re.M | re.I)
_TAG = re.compile(rf"<({'|'.join(TAGS)})>", re.I)
_ENDS = {tag: re.compile(f"</{tag}>", re.I) for tag in TAGS}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CHAIN = re.compile(r"^> (?:Entering new|Finished) .*$", re.M)
_BEGIN = re.compile(r"^Begin!.*$", re.M)
_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```.*\Z", re.S)
_NAME = re.compile(r"[\w .-]{1,200}")
_CALL = re.compile(r"\A([A-Za-z_][\w.]*)\((.*)\)\Z", re.S)
_NAMES, _GIVEN = (
    ("name", "action", "tool", "tool_name", "function"),
    ("arguments", "action_input", "parameters", "tool_input", "input", "args"),
)


class Piece(NamedTuple):
    """`kind` is question, thought, action, input, code, search, observation, answer, said, system; "" has no label."""

    kind: str
    text: str


def pieces(text: str) -> list[Piece]:
    """The pieces in order, whatever the dialect; none where the text is in none."""
    text = _CHAIN.sub("", _COLOUR.sub("", text.removeprefix("\ufeff")))
    begun = _BEGIN.search(text)
    before = [Piece("", text[: begun.end()])] if begun else []
    rest = text[begun.end() :] if begun else text
    found = max((_in_tags(rest), _in_lines(rest)), key=_strength)
    if not _strength(found):
        found = _in_roles(rest)
    return [piece for piece in (*before, *found) if piece.text.strip() or piece.kind] if found else []


def _strength(found: list[Piece]) -> int:
    """How much the pieces look like a run: nothing where no thought, call, result or answer stands beside another."""
    kinds = {"act" if piece.kind in ("action", "code", "search") else piece.kind for piece in found}
    known = kinds & {"thought", "act", "observation", "answer"}
    return sum(bool(piece.kind) for piece in found) if len(known) > 1 and known & {"thought", "act"} else 0


def _in_lines(text: str) -> list[Piece]:
    return list(_cut(text, _LABEL, LABELS))


def _in_roles(text: str) -> list[Piece]:
    found = list(_cut(text, _ROLE, ROLES))
    return found if {"question", "said"} <= {piece.kind for piece in found} else []


def _cut(text: str, mark: re.Pattern[str], kinds: dict[str, str]) -> Iterator[Piece]:
    hits = list(mark.finditer(text))
    edges = [*(hit.start() for hit in hits), len(text)]
    yield Piece("", text[: edges[0]].strip())
    for hit, after in zip(hits, edges[1:], strict=True):
        yield Piece(kinds[hit[1].lower()], text[hit.end() : after].strip())


def _in_tags(text: str) -> list[Piece]:
    found: list[Piece] = []
    end = 0
    for tag, start, inner, inner_end, after in _tags(text):
        found += _outside(text[end:start], "said" if end else "")
        found.append(Piece(TAGS[tag], text[inner:inner_end].strip()))
        end = after
    return [*found, *_outside(text[end:], "said" if end else "")]


def _outside(text: str, kind: str) -> list[Piece]:
    """What stands between tags: it may begin with a label."""
    cut = [Piece(piece.kind or kind, piece.text) for piece in _cut(text, _LABEL, LABELS)]
    return [piece for piece in cut if piece.text]


def _tags(text: str) -> Iterator[tuple[str, int, int, int, int]]:
    """Each tag with where it starts, where what is in it does and ends, and where the tag ends. One that is not closed
    is none."""
    at, open_ended = 0, set()
    while hit := _TAG.search(text, at):
        tag, at = hit[1].lower(), hit.end()
        closed = None if tag in open_ended else _ENDS[tag].search(text, at)
        if closed:
            yield tag, hit.start(), hit.end(), closed.start(), closed.end()
            at = closed.end()
        else:
            open_ended.add(tag)


def called(text: str) -> dict[str, Json]:
    """What an action calls: an object in JSON, Name[argument], name(arguments), or no more than a name."""
    bare = unfenced(text)
    said = mapping(loaded(bare))
    name = next((said[key] for key in _NAMES if isinstance(said.get(key), str)), "")
    if name:
        return call(name, next((said[key] for key in _GIVEN if key in said), None), said.get("id", ""))
    if hit := _CALL.match(bare):
        return call(hit[1], hit[2])
    name, bracket, argument = bare.partition("[")
    argument = argument.rstrip(" .*\n")
    if bracket and _NAME.fullmatch(name) and argument.endswith("]"):
        return call(name.strip(), argument[:-1])
    return call(bare, None)


def unfenced(text: str) -> str:
    """The text without the fence of code around it, and without the marks of an end that some programs write."""
    text = text.removesuffix("<end_code>").removesuffix("<end_action>").strip()
    hit = _FENCE.match(text)
    return hit[1] if hit else text
