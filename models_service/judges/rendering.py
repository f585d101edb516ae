"""A trajectory as the data that a judge reads: JSON, in which nothing that a text holds can end the data or pass for a
token of the model's own.

A step stands with its index and all its parts, what came back of its calls among them, as people see it when they judge
one step after the other. What one asks of step 4 begins, character by character, as what one asks of step 3 does up to
there, so that servers that keep prefixes read each step once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from annotations.formats import solutions
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord
from annotations.rendering import parts as texts
from annotations.schemes.judging import Arounds
from annotations.schemes.rules import part_of
from annotations.schemes.schema import Scheme

BEGIN, END = "<trajectory>", "</trajectory>"
BEGIN_QUESTION, END_QUESTION = "<question>", "</question>"
CHARACTERS_A_TOKEN = 4
Lines = dict[tuple[int, bool], tuple[str, list[dict[str, Json]]]]
ROLES = {"agent": "assistant"}
# What templates of models write between turns, our own marks, and characters that nobody sees.
UNSEEN = "\U000e0000-\U000e007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
RESERVED = re.compile(  # begins with one set of characters, so that nearly all of a text is passed over at once
    rf"[<\[{UNSEEN}](?:(?<=<)(?:"
    r"(?=[|｜][^<>\s]{1,60}[|｜]>)"
    r"|(?=/?(?:s|bos|eos|pad|unk|mask|think|thinking|tool_call|tool_response|tool_calls|tools|start_of_turn|end_of_turn"
    r"|start_header_id|end_header_id|eot_id|im_start|im_end|system|user|assistant|human|endoftext"
    r"|trajectory|question|task|examples?|candidates?)\s*/?>)"
    r"|(?=/?<?/?SYS>>))"
    r"|(?<=\[)(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG)\])"
    rf"|(?<=[{UNSEEN}]))",
    re.IGNORECASE,
)
LONE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass
class Sheet:
    """What is put together for one question. `cut` says which texts were cut, and by how much. `lines` are steps that
    were written down already, for questions about the same trajectory: each with what was cut of it."""

    limit: int
    cut: list[dict[str, Json]] = field(default_factory=list)
    lines: Lines = field(default_factory=dict)

    def text(self, text: str, **where: Json) -> Json:
        """The text; where it is too long, its beginning and its end with what is missing between them."""
        if len(text) <= self.limit:
            return text
        half = self.limit // 2
        missing = len(text) - 2 * half
        self.cut.append({**where, "characters": missing})
        return [text[:half], {"characters_left_out": missing}, text[-half:]]


def dumped(value: Json) -> str:
    """The value as JSON in which reserved tokens, our marks and unseen characters are written as escapes: whoever reads
    JSON reads what the text said, and no tokenizer or parser of a server takes it for its own."""
    told = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
    return LONE.sub(
        "\ufffd",
        RESERVED.sub(lambda found: json.dumps(found[0])[1:-1] if ord(found[0]) > 127 else _escape(found[0]), told),
    )


def plain(text: str) -> str:
    """A text that goes outside JSON: reserved tokens broken by a space, and no characters that nobody sees."""
    return LONE.sub("\ufffd", RESERVED.sub(lambda found: f"{found[0]} " if ord(found[0]) < 128 else "", text))


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


def data(
    case_record: TrajectoryRecord,
    sheet: Sheet,
    *,
    upto: int | None = None,
    reference: bool = False,
    last_result: bool = True,
) -> str:
    """The trajectory. `upto`: nothing after that step, and of a tree only the way to it; without `last_result` not even
    what its own calls brought back. `reference`: with the task's reference and with what came of it."""
    told = head(case_record.task, sheet, reference=reference)
    told += '"messages": [\n' + ",\n".join(messages(case_record.steps, sheet, upto=upto, last_result=last_result))
    came = case_record.outcome if reference and upto is None else None
    outcome = f',\n"outcome": {dumped(_short(came, sheet, part="outcome"))}' if came is not None else ""
    return f"{BEGIN}\n{told}]{outcome}}}\n{END}"


def head(task: TaskRecord, sheet: Sheet, *, reference: bool = False) -> str:
    """The beginning of the data: the task, and never which model's rollout it is."""
    pieces = {"task": sheet.text(task.instruction, part="instruction")} if task.instruction else {}
    if task.tools is not None:
        pieces["tools"] = _short(task.tools, sheet, part="tools")
    if reference and task.reference is not None:
        pieces["reference"] = _short(task.reference, sheet, part="reference")
    return "{" + "".join(f"{dumped(name)}: {dumped(value)},\n" for name, value in pieces.items())


def _short(value: Json, sheet: Sheet, **where: Json) -> Json:
    """A value that is no text, as it is where it is short enough, else as text that is cut."""
    return sheet.text(value, **where) if isinstance(value, str) else _cut_value(value, sheet, **where)


def _cut_value(value: Json, sheet: Sheet, **where: Json) -> Json:
    written = json.dumps(value, ensure_ascii=False)
    return value if len(written) <= sheet.limit else sheet.text(written, **where)


def messages(
    steps: Sequence[StepRecord], sheet: Sheet, *, upto: int | None = None, last_result: bool = True
) -> Iterator[str]:
    """Each step as one line of JSON, in order."""
    for place in way(steps, upto):
        result = last_result or place != upto
        if (place, result) not in sheet.lines:
            own = Sheet(sheet.limit)
            sheet.lines[place, result] = (dumped(message(steps[place], place, own, result=result)), own.cut)
        line, cut = sheet.lines[place, result]
        sheet.cut += cut
        yield line


def message(step: StepRecord, place: int, sheet: Sheet, *, result: bool = True) -> dict[str, Json]:
    """One step with its index, its role and its parts, which have the names that answers call them by."""
    said = [one for one in texts.parts(step, pictures=False) if result or one.kind != "observation"]
    tree = {} if step.parent is None else {"after": step.parent}
    return {
        "index": place,
        "role": ROLES.get(step.source, step.source),
        **tree,
        "parts": [_part(one, place, sheet) for one in said],
    }


def _part(one: texts.Part, place: int, sheet: Sheet) -> dict[str, Json]:
    told = sheet.text(one.text, step=place, part=one.name)
    if one.kind == "call":
        return {"part": one.name, "tool": one.title, "arguments": told}
    return {"part": one.name, "output_of_tool" if one.kind == "observation" else "text": told}


def way(steps: Sequence[StepRecord], upto: int | None = None) -> list[int]:
    """The places that are shown: all, or those before the step and itself. In a tree, those on the way to it."""
    if upto is None:
        return list(range(len(steps)))
    if all(step.parent is None for step in steps):
        return list(range(upto + 1))
    found = solutions.lineage(steps, upto)
    context = [one for one in range(found[0]) if steps[one].parent is None and steps[one].source != "agent"]
    return [*context, *found]


def asked(scheme: Scheme, arounds: Arounds, steps: Sequence[StepRecord]) -> dict[str, Json]:
    """What is asked in this question: the indexes, and the parts by step where a field is asked of parts."""
    indexes = sorted({step for step, _ in arounds if step is not None})
    told: dict[str, Json] = {"label_steps": indexes}
    named: dict[int | None, dict[str, dict[str, str]]] = {place[0]: {} for place in arounds if part_of(place[1])}
    for step, name in arounds:
        if part := part_of(name)[1:]:
            named[step].setdefault(name.partition("@")[0], {})[part] = _named(scheme, step, name, steps)
    for step, fields in named.items():
        told.setdefault("parts", {})["trajectory" if step is None else str(step)] = fields
    if any(step is None for step, _ in arounds):
        told["label_trajectory"] = True
    return told


def _named(scheme: Scheme, step: int | None, name: str, steps: Sequence[StepRecord]) -> str:
    """What a part is: the sentence itself, or the tool that is called."""
    spec, part = scheme.field(name), part_of(name)[1:]
    if spec is None or step is None:
        return part
    if spec.target == "sentence":
        start, _, end = part.partition("-")
        return steps[step].message[int(start) : int(end)]
    found = texts.part(steps[step], part) if spec.target == "tool_call" else None
    return found.title if found else part


def estimate(pieces: Iterable[str]) -> int:
    """Tokens that texts take, about: a token for every four characters, rounded up."""
    return -(-sum(map(len, pieces)) // CHARACTERS_A_TOKEN)
