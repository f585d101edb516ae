"""ScreenAgent sessions: a JSON file a step beside the screenshots, what the model said and how it was corrected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from annotations.formats import folders
from annotations.formats.base import FolderFormat, Item, Refused, found
from annotations.formats.lines import Line
from annotations.formats.opening.sources import Folder
from annotations.formats.pictures import Pictures
from annotations.formats.turns import call, steps_at, words
from annotations.records import Json, Problem, StepRecord, TaskRecord, TrajectoryRecord

HEAD = 64 * 1024  # bytes of a file in which its keys are looked for
MARKS = (b'"session_id"', b'"saved_image_name"', b'"send_prompt"')
VARIANT = "_neg_plan"
SAID, CORRECTED = "LLM_response", "LLM_response_editer"
MAPPED = frozenset(["send_prompt", SAID, CORRECTED, "actions", "task_prompt", "session_id"])


class ScreenAgent(FolderFormat):
    """What the model said and its correction are siblings, tried after the same screen; so is a negative plan. What
    comes next hangs on the one that was carried out: the correction, where there is one."""

    name = "screenagent"
    title = "ScreenAgent sessions (a folder)"
    keeps = (
        "Screens, prompts, what the model said, its corrections and negative plans as siblings, actions, translations."
    )
    loses = "Nothing."

    def recognises_folder(self, folder: Folder) -> bool:
        first = next(iter(_steps(folder)), None)
        return first is not None and all(mark in folders.bytes_at(folder.members[first], HEAD) for mark in MARKS)

    def read_folder(self, folder: Folder) -> Iterator[Item]:
        files: list[tuple[str, dict[str, Any]]] = []
        problems: list[Problem] = []
        replaced = 0
        for path in _steps(folder):
            line = folders.value_of(folder.members[path])
            replaced += line.replaced
            if reason := line.reason or ("" if isinstance(line.value, dict) else f"found {found(line.value)}"):
                problems.append(Problem(folder.members[path].name, 1, "", f"{reason}; accepted is one step, an object"))
            else:
                files.append((path, line.value))
        original = folders.zipped(folder.members.items())
        item = folders.item(
            folder.name, Line(1, None, replaced=replaced, raw=original), lambda _: _record(files, folder)
        )
        yield replace(item, problems=(*item.problems, *problems))


def _steps(folder: Folder) -> list[str]:
    """The files of the steps, in order: their names begin with the time."""
    return sorted(path for path in folder.members if path.endswith(".json") and "/" not in path)


def _record(files: list[tuple[str, dict[str, Any]]], folder: Folder) -> TrajectoryRecord:
    if not files:
        raise Refused("", "found no step that can be read; accepted is a JSON file a step")
    pictures = Pictures(folder)
    messages: list[Json] = []
    for path, said in files:
        if VARIANT not in path or not messages:
            messages.append(_screen(said, pictures))
        messages.extend(_answers(said, path))
    first = files[0][1]
    session = words(first, "session_id") or folder.name.rpartition("/")[2]
    return TrajectoryRecord(
        task=TaskRecord(session, source="screenagent", instruction=words(first, "task_prompt")),
        steps=_hung(steps_at(messages, SAID)),
        external_id=session,
    )


def _screen(said: dict[str, Any], pictures: Pictures) -> dict[str, Json]:
    """What the model was shown: its prompt and the screen."""
    name = words(said, "saved_image_name")
    path = next((one for one in (f"images/{name}", name) if name and one in pictures), name)
    prompt = words(said, "send_prompt") or words(said, "task_prompt")
    content: list[Json] = [{"type": "text", "text": prompt}, *([pictures.part(path)] if path else [])]
    size = {key: said[key] for key in ("saved_image_name", "video_width", "video_height") if key in said}
    return {"role": "user", "content": content} | size


def _answers(said: dict[str, Any], path: str) -> list[Json]:
    """What the model said where it was corrected, and what was carried out."""
    model = said.get(SAID)
    done = next(
        (said[key] for key in (CORRECTED, SAID, f"{CORRECTED}_zh", f"{CORRECTED}_en") if words(said, key)), None
    )
    actions = said.get("actions")
    calls = [_call(one) for one in actions] if isinstance(actions, list) else []
    rest = {key: value for key, value in said.items() if key not in MAPPED}
    corrected = isinstance(model, str) and bool(model) and model != done
    kind = "negative plan" if VARIANT in path else "corrected" if corrected else "accepted"
    answer = {"role": "assistant", "content": done, "tool_calls": calls, "kind": kind, "file": path} | rest
    if VARIANT in path:
        answer["send_prompt"] = said.get("send_prompt")
    return [*([{"role": "assistant", "content": model, "kind": "model", "file": path}] if corrected else []), answer]


def _call(action: Json) -> Json:
    return call(words(action, "action_type"), action) if isinstance(action, dict) else action


def _hung(steps: tuple[StepRecord, ...]) -> tuple[StepRecord, ...]:
    """The steps with what each was tried after. A screen shows what the step that was carried out before it did."""
    made: list[StepRecord] = []
    carried: int | None = None
    screen = 0
    for place, step in enumerate(steps):
        if step.source != "agent":
            made.append(replace(step, parent=carried))
            screen = place
            continue
        made.append(replace(step, parent=screen))
        if step.extra.get("fields", {}).get("kind") in ("corrected", "accepted"):
            carried = place
    return tuple(made)
