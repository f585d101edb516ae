"""Stepwise supervision as TRL's PRM trainer reads it: a prompt, completions, and a true or false for each."""

from __future__ import annotations

from typing import Literal, get_args

from annotations.formats.base import Format, Refused, found
from annotations.formats.lines import dump
from annotations.records import Json, RatingRecord, StepRecord, TrajectoryRecord

Zero = Literal["drop", "true", "false"]
ZEROS: tuple[str, ...] = get_args(Zero)


class TRLStepwise(Format):
    """Positive labels are true, negative ones false. A 0 is neither: `zero` makes it true or false, or drops it, which
    cuts the trajectory before the step, because the steps after it were taken in its light. A step without a label
    cuts likewise: nobody's silence becomes a label. A trajectory cut before its first step is not written."""

    name = "trl-stepwise"
    title = "TRL stepwise supervision (JSONL)"
    keeps = "The steps as text up to the last that is labelled, and whether each is right."
    loses = "Labels other than right and wrong, explanations, and steps after the first without a label."
    writes = True

    def row(self, record: TrajectoryRecord, zero: str = "drop") -> dict[str, Json] | None:
        rating = record.rating or RatingRecord()
        completions: list[str] = []
        labels: list[bool] = []
        before: list[str] = []
        prompt: list[str] | None = None
        for step in record.steps:
            if step.source != "agent":
                before.append(step.message)
                continue
            prompt = before if prompt is None else prompt
            label = _label(rating.steps.get(step.source_index), zero)
            if label is None:
                break
            opening = before if completions else []
            completions.append("\n\n".join([*opening, *_parts(step)]))
            labels.append(label)
            before = []
        if not labels:
            return None
        return {"prompt": "\n\n".join(prompt or []), "completions": completions, "labels": labels}


def _label(value: Json, zero: str) -> bool | None:
    if value is None or (value == 0 and zero == "drop"):
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("labels", f"found {found(value)}; accepted are whole numbers")
    return zero == "true" if value == 0 else value > 0


def _parts(step: StepRecord) -> list[str]:
    """The step as text: its thought, what it said, its calls, and what answered them."""
    thought = [f"<think>\n{step.reasoning}\n</think>"] if step.reasoning else []
    said = [step.message] if step.message else []
    calls = [_tagged("tool_call", {"name": one["name"], "arguments": one["arguments"]}) for one in step.tool_calls]
    answers = [f"<tool_response>\n{_content(one)}\n</tool_response>" for one in step.observations]
    return [*thought, *said, *calls, *answers]


def _tagged(tag: str, value: Json) -> str:
    return f"<{tag}>\n{dump(value)}\n</{tag}>"


def _content(observation: Json) -> str:
    content = observation.get("content") if isinstance(observation, dict) else observation
    return content if isinstance(content, str) else dump(content)
