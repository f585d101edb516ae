"""Rows as verl's data sets have them, with the rollout and the rewards of its turns beside the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import rewarded, training
from annotations.formats.lines import dump
from annotations.formats.turn_rewards import Rewarding
from annotations.records import Json, Labelled


class Verl(Rewarding):
    """`prompt` is a list of messages, all before the agent's first turn; `reward_model.ground_truth` is the task's
    reference as text, "" where there is none. There is a row a rollout: `extra_info.response` is the rest of it as
    text, `turns` where each turn stands in that text, in code points, with its reward and mask, as in turn-rewards.
    `index` numbers the rows of a task. A rollout without any reward is written where its outcome is known."""

    name = "verl"
    title = "verl, with rewards of turns (Parquet)"
    purpose = "rl"
    suffix = ".parquet"
    keeps = "The prompt as messages, the reference, the rollout as text, rewards and masks of its turns, the outcome."
    loses = "Tools, explanations, corrections, and pictures, of which a mark stays."

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        known = (one for one in rewarded.rollouts(rollouts, asked) if one.is_known)
        for index, one in enumerate(known):
            task = one.line.labelled.record.task
            response, turns = one.turns(one.line.rest)
            truth = task.reference
            yield {
                "data_source": task.source or "stepmark",
                "prompt": training.messages(one.line.steps, one.line.opening),
                "ability": "agent",
                "reward_model": {
                    "style": "rule",
                    "ground_truth": truth if isinstance(truth, str) else "" if truth is None else dump(truth),
                },
                "extra_info": {
                    "split": "train",
                    "index": index,
                    "trajectory_id": one.line.name,
                    "group_id": task.external_id,
                    "response": response,
                    "turns": turns,
                    **one.told(asked),
                },
            }
