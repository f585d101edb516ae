"""Pairs of a better and a worse step as TRL's DPO trainer reads them: a conversation, and two ways to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import step_pairs, training
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, StepRecord


class TRLStepPreferences(Writer):
    """`prompt` holds every message before the two steps, `chosen` and `rejected` a step each. `tools` are those of the
    task as JSON text, as TRL takes them with any version of `datasets`."""

    name = "trl-step-preferences"
    title = "Better and worse steps for TRL's DPO (JSONL)"
    keeps = "The conversation before, both steps with thoughts and calls, and the task's tools."
    loses = "Margin and origin of the pairs (step-preferences has them), and pictures, of which a mark stays."
    purpose = "preferences"
    options = step_pairs.OPTIONS
    together = True
    graded = False
    packed = frozenset(["tools"])

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        results = asked["results"] == "with"
        for pair in step_pairs.found(rollouts, asked):
            rollout = pair.rejected.rollout
            yield {
                "prompt": training.messages(rollout.record.steps, pair.rejected.before),
                "chosen": _said(step_pairs.better(pair), results),
                "rejected": _said(pair.rejected.step, results),
                "tools": training.tools(rollout),
            }


def _said(step: StepRecord, results: bool) -> list[dict[str, Json]]:
    return [training.message(step), *(training.observations(step) if results else ())]
