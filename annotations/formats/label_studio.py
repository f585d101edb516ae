"""Tasks of Label Studio: a trajectory's steps one below the other, a choice for each, and a scorer's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import step_text, training
from annotations.formats.training import Line
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled

CHOICES = {1: "Right", 0: "Neutral", -1: "Wrong"}
CONFIG = """<View>
  <Header value="$task"/>
  <Text name="question" value="$prompt"/>
  <Choices name="final" toName="question" choice="single-radio">
    <Choice value="Right"/><Choice value="Neutral"/><Choice value="Wrong"/>
  </Choices>
  <Repeater on="$steps" indexFlag="{{idx}}">
    <Text name="step_{{idx}}" value="$steps[{{idx}}].text"/>
    <Choices name="label_{{idx}}" toName="step_{{idx}}" choice="single-radio">
      <Choice value="Right"/><Choice value="Neutral"/><Choice value="Wrong"/>
    </Choices>
    <TextArea name="why_{{idx}}" toName="step_{{idx}}"/>
    <Number name="score_{{idx}}" toName="step_{{idx}}" min="0" max="1"/>
  </Repeater>
</View>
"""


class LabelStudio(Writer):
    """A task a line (`jq -s .` makes one list of them). `data.steps` are the agent's steps as text, `data.messages` the
    whole conversation. Labels are one annotation: the choice of the step with number 3 among `steps` is `label_3`, to
    `step_3`; explanations are texts, the verdict is `final`. P(not wrong) of a scorer are predictions, as numbers. A
    labelling configuration with these names stands in label_studio.py. A trajectory without labels is a task without
    annotations."""

    name = "label-studio"
    title = "Label Studio tasks with annotations and predictions (JSONL)"
    keeps = "Messages, steps as text, grades as choices, explanations, the verdict, and scores as predictions."
    loses = "Corrections, neutral words of the scheme's own, and pictures, of which a mark stays."
    purpose = "elsewhere"
    graded = False
    exact = True

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts:
            for line in training.lines_of(labelled):
                if line.agents:
                    yield _task(line)

    def beside(self, asked: Mapping[str, Any]) -> dict[str, str]:
        """The labelling configuration that the tasks go with."""
        return {"labelling.xml": CONFIG}


def _task(line: Line) -> dict[str, Json]:
    record = line.labelled.record
    said, scored = list(_said(line)), list(_scored(line))
    return {
        "data": {
            "task": record.task.external_id,
            "trajectory": line.name,
            "prompt": step_text.joined(line.steps, line.opening),
            "messages": [_message(one) for one in training.messages(line.steps, line.places)],
            "steps": [{"index": place, "text": step_text.whole(line.steps[place])} for place in line.agents],
        },
        "annotations": [{"result": said}] if said else [],
        "predictions": [{"model_version": "P(not wrong)", "result": scored}] if scored else [],
    }


def _message(one: dict[str, Json]) -> dict[str, Json]:
    return {"role": one["role"], "content": one["content"]}


def _said(line: Line) -> Iterator[dict[str, Json]]:
    for number, place in enumerate(line.agents):
        if place in line.grades:
            yield _result("label", number, "choices", [CHOICES[line.grades[place]]])
        if why := line.labelled.explanations.get(place, ""):
            yield _result("why", number, "textarea", [why])
    if line.final is not None:
        whole = {"id": "final", "from_name": "final", "to_name": "question", "type": "choices"}
        yield whole | {"value": _value("choices", [CHOICES[line.final]])}


def _scored(line: Line) -> Iterator[dict[str, Json]]:
    for number, place in enumerate(line.agents):
        if place in line.labelled.scores:
            yield _result("score", number, "number", line.labelled.scores[place])


def _result(name: str, number: int, kind: str, value: Json) -> dict[str, Json]:
    named = {"id": f"{name}_{number}", "from_name": f"{name}_{number}", "to_name": f"step_{number}", "type": kind}
    return named | {"value": _value(kind, value)}


def _value(kind: str, value: Json) -> dict[str, Json]:
    return {"text" if kind == "textarea" else kind: value}
