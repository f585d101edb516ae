"""Sessions on the web in the manner of WebVoyager: the messages in one file, the screenshots beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from annotations.formats import folders, naming
from annotations.formats.base import FolderFormat, Item, Refused, found
from annotations.formats.lines import Line
from annotations.formats.opening.sources import Folder
from annotations.formats.pictures import Pictures, has_pictures
from annotations.formats.turns import steps_at, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

LOGS = ("interact_messages.json", "messages.json", "conversation.json")
CUT = re.compile(r"data:image/\w+;base64,(\{.*\}|\W*)")  # what its log has in the place of each picture
_TASK = re.compile(r"Now given a task: (.+?)\s+Please interact with (\S+)", re.DOTALL)
_PACKED = re.compile(r"(\.(zip|tar|tgz|gz|zst))+$", re.IGNORECASE)
_ANSWER = re.compile(r"ANSWER[;:]\s*(.+)", re.DOTALL)


class WebVoyager(FolderFormat):
    """The screenshot of a user's turn is the one with its number; a picture that is named by its path is that one."""

    name = "webvoyager"
    title = "WebVoyager sessions (a folder)"
    keeps = "Messages with their screenshots in their places, the task with its site, the answer."
    loses = "Screenshots without marks on them, and what else lies in the folder."

    def recognises_folder(self, folder: Folder) -> bool:
        log = _log(folder)
        return bool(log) and (log == LOGS[0] or has_pictures(folder.members))

    def read_folder(self, folder: Folder) -> Iterator[Item]:
        source = folder.members[_log(folder)]
        line = folders.value_of(source)
        if not line.reason:
            line = Line(1, line.value, "", line.replaced, line.doubled, folders.zipped(folder.members.items()))
        yield folders.item(source.name, line, lambda value: _record(value, folder))


def _log(folder: Folder) -> str:
    return next((name for name in LOGS if name in folder.members), "")


def _record(value: Json, folder: Folder) -> TrajectoryRecord:
    messages = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(messages, list):
        raise Refused("messages", f"found {found(messages)}; accepted is a list of chat messages")
    steps = steps_at(list(_seen(messages, Pictures(folder))), "messages")
    told = naming.instruction(steps)
    task = _TASK.search(told)
    name = _PACKED.sub("", PurePosixPath(folder.name).name).removeprefix("task")
    fields = {key: one for key, one in value.items() if key != "messages"} if isinstance(value, dict) else {}
    answer = _answer(steps)
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=name[: naming.NAME] or naming.prompt_id(steps),
            source="webvoyager",
            instruction=task[1] if task else told,
        ),
        steps=steps,
        outcome={"answer": answer} if answer else None,
        extra={"fields": fields | ({"site": task[2]} if task else {})},
    )


def _seen(messages: list[Json], pictures: Pictures) -> Iterator[Json]:
    """The messages with what was seen. A turn whose picture was cut off has its own again, where it is there."""
    number = 0
    for message in messages:
        if words(message, "role") != "user" or not isinstance(content := message.get("content"), (str, list)):
            yield message
            continue
        number += 1
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else pictures.placed(content)
        own = f"screenshot{number}.png"
        whole = [pictures.part(own) if own in pictures and _is_cut(part) else part for part in parts]
        if own in pictures and not any(map(_is_picture, whole)):
            whole.append(pictures.part(own))
        yield message if whole == parts and isinstance(content, str) else message | {"content": whole}


def _is_picture(part: Json) -> bool:
    return isinstance(part, dict) and part.get("type") in ("image_url", "image", "input_image")


def _is_cut(part: Json) -> bool:
    held: Any = part.get("image_url") if isinstance(part, dict) else None
    address = held.get("url") if isinstance(held, dict) else held
    return isinstance(address, str) and CUT.fullmatch(address[:200]) is not None


def _answer(steps: tuple[StepRecord, ...]) -> str:
    last = next((step for step in reversed(steps) if step.source == "agent"), None)
    said = _ANSWER.search(last.message) if last else None
    return said[1].strip() if said else ""
