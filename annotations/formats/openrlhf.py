"""Rows as OpenRLHF trains process rewards: a text with a mark after each step, and a number for each mark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import rewarded, step_text, training
from annotations.formats.math_shepherd_tags import TAG
from annotations.formats.rewarded import Rollout
from annotations.formats.turn_rewards import Rewarding
from annotations.records import Json, Labelled


class OpenRLHF(Rewarding):
    """`input` is the whole rollout, " ки" after the words of each turn that has a reward and before what tools
    answered it; `label` has the rewards in the order of the marks. A turn without a reward has no mark. A rollout in
    whose text the mark stands already, and one without any reward, is not written."""

    name = "openrlhf"
    title = "OpenRLHF, with rewards of turns (Parquet)"
    purpose = "rl"
    suffix = ".parquet"
    keeps = "The rollout as text, a reward at each labelled turn, and the outcome."
    loses = "Turns' places, tools, explanations, corrections, and trajectories in whose text the mark occurs."

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        for one in rewarded.rollouts(rollouts, asked):
            text = step_text.joined(one.line.steps, one.line.places)
            if one.rewards and TAG not in text:
                yield {
                    "input": _marked(one),
                    "label": list(one.rewards.values()),
                    "outcome_reward": one.outcome,
                    "trajectory_id": one.line.name,
                    "group_id": one.line.labelled.record.task.external_id,
                    "normalisation": asked["normalisation"],
                    "note": one.note,
                }


def _marked(one: Rollout) -> str:
    pieces: list[str] = []
    for place in one.line.places:
        step = one.line.steps[place]
        said = step_text.said(step) if step.source == "agent" else step.message
        pieces.append(f"{said} {TAG}" if place in one.rewards else said)
        pieces += step_text.seen(step)
    return "\n\n".join(filter(None, pieces))
