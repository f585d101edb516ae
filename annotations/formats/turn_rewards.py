"""A reward for each turn of a rollout, with where the turn stands in the text: for reinforcement learning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import rewarded, training
from annotations.formats.rewards import Moments
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled


class Rewarding(Writer):
    """What formats with rewards for turns share. To normalise over all turns of a file, its rewards have to be known
    before its first row; where nobody looked ahead, a batch is what `rows` is called with."""

    purpose = "rl"
    options = rewarded.OPTIONS
    together = True
    graded = False

    def ahead(self, groups: Iterable[Sequence[Labelled]], asked: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = training.usual(self.options, asked)
        if asked["normalisation"] != rewarded.BATCH:
            return {}
        return {rewarded.BATCH: sum((rewarded.moments(one, asked) for one in groups), Moments())}


class TurnRewards(Rewarding):
    """`turns` has the stretches of `text` in order: `index` is the place of the turn in the trajectory, `char_start`
    and `char_end` are code points, `role` says whose words they are (tool: what answered the turn). `mask` is 1 where
    there is a reward; without a label there is none. `aggregate` is what the rewards come to before they are
    normalised, `outcome_reward` what came of the rollout; both are null where nothing is known. A rollout without any
    reward is written where its outcome is known. The formulas are in rewards.py."""

    name = "turn-rewards"
    title = "Rewards of turns, with their places in the text (JSONL)"
    keeps = "The trajectory as text, a reward for each labelled turn, masks, the outcome, and what was done to rewards."
    loses = "Explanations, corrections, and how tool calls and thoughts were kept apart."

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        for one in rewarded.rollouts(rollouts, asked):
            if not one.is_known:
                continue
            text, turns = one.turns(one.line.places)
            group = one.line.labelled.record.task.external_id
            yield {"trajectory_id": one.line.name, "group_id": group, "text": text, "turns": turns} | one.told(asked)
