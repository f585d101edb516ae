"""Pairs of a better and a worse step after the same beginning, as texts, with how each pair came to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import step_pairs, step_text, training
from annotations.formats.pairs import Pair, Taken
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, StepRecord

KINDS = {"siblings": "sibling", "values": "sibling", "rollouts": "rollout", "corrections": "rollout"}


class StepPreferences(Writer):
    """`prompt` is what stands before the agent's first step, `prefix_steps` the steps before the two, each with what
    tools answered; they are those of the rejected step's own trajectory. `margin` is the difference of two grades (2:
    right against wrong) or of two values, null for a correction. `on_policy` is true where one model is known to have
    written both steps. `evidence` says what the pair rests on: in which trajectory each step stands, at which place,
    with which grade and value; whose word it is, and what they said of the rejected step."""

    name = "step-preferences"
    title = "Better and worse steps (JSONL)"
    keeps = "What came before, both steps as text, the margin, and where each step and the preference come from."
    loses = "Steps without a counterpart, and how tool calls and thoughts were kept apart."
    purpose = "preferences"
    options = step_pairs.OPTIONS
    together = True
    graded = False

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        written = step_text.whole if asked["results"] == "with" else step_text.said
        for pair in step_pairs.found(rollouts, asked):
            prompt, prefix = _beginning(pair.rejected)
            yield {
                "task": pair.rejected.rollout.record.task.external_id,
                "prompt": prompt,
                "prefix_steps": prefix,
                "chosen": written(step_pairs.better(pair)),
                "rejected": written(pair.rejected.step),
                "chosen_source": KINDS[pair.source] if pair.chosen else "correction",
                "rejected_source": KINDS[pair.source],
                "margin": pair.margin,
                "on_policy": pair.on_policy,
                "evidence": _evidence(pair),
            }


def _beginning(taken: Taken) -> tuple[str, list[str]]:
    """The text before the agent's first step, and the steps from there on. What others say between two steps opens the
    later one; what they say last is an element of its own."""
    steps: tuple[StepRecord, ...] = taken.rollout.record.steps
    agents = [place for place in taken.before if steps[place].source == "agent"]
    if not agents:
        return step_text.joined(steps, taken.before), []
    first = taken.before.index(agents[0])
    prefix: list[str] = []
    waiting: list[int] = []
    for place in taken.before[first:]:
        waiting.append(place)
        if steps[place].source == "agent":
            prefix.append(step_text.joined(steps, waiting))
            waiting = []
    last = [step_text.joined(steps, waiting)] if waiting else []
    return step_text.joined(steps, taken.before[:first]), [*prefix, *last]


def _evidence(pair: Pair) -> dict[str, Json]:
    rejected, rollout = pair.rejected, pair.rejected.rollout
    return {
        "kind": pair.source,
        "by": rollout.by,
        **_where("chosen", pair.chosen),
        **_where("rejected", rejected),
        "why": rollout.explanations.get(rejected.place, ""),
    }


def _where(side: str, taken: Taken | None) -> dict[str, Json]:
    record = taken.rollout.record if taken else None
    return {
        f"{side}_trajectory": record.external_id if record else None,
        f"{side}_step": taken.place if taken else None,
        f"{side}_grade": taken.grade if taken else None,
        f"{side}_value": taken.value if taken else None,
    }
