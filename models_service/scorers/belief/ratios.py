"""How much likelier one language model finds a step than another, where both are asked for log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.base import CannotScore, Scored
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, made, window
from models_service.scorers.belief.formulas import log_probs
from models_service.scorers.belief.hindsight import SAYS_NOTHING, turns
from models_service.scorers.belief.probing import likelihoods
from models_service.scorers.language.asked import LanguageModel
from models_service.scorers.language.gathering import Work, gathered

Sums = Mapping[int, float | None]  # log p of each step's own words, by its place; None where it has none


class PolicyRatio(BeliefScorer):
    """beta · Σ (log p(token) − log p_against(token)) over the agent's own words of a step; over a trajectory the steps'
    numbers add up to that of the response (source: Free Process Rewards without Process Labels, and OPRL, where the
    first model was trained with trajectory preferences). `against` is the model that the first was made from. Both are
    asked as the scorers here are, over a server or from a folder; families/implicit.py reads two folders as EurusPRM
    was trained. A step that says nothing has no number."""

    title = "log-ratio of two models"
    needs = "two language models that tell log-probabilities of given texts"
    range = (None, None)

    def __init__(
        self,
        language: Mapping[str, Any] | LanguageModel,
        *,
        against: Mapping[str, Any] | LanguageModel,
        beta: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(language, **options)
        self._against, self.beta = made(against), beta

    @property
    def provenance(self) -> dict[str, Any]:
        own, other = super().provenance, self._against.provenance
        return own | {"models": [*own["models"], *(other.get("models") or [other])], "against": other}

    @property
    def usage(self) -> dict[str, float]:
        own, other = super().usage, self._against.usage
        return {name: own.get(name, 0) + other.get(name, 0) for name in own | other}

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        against = gathered(self._against, [self._sums(record) for record in records])
        return self.finished(records, [self._ratio(one, sums) for one, sums in zip(records, against, strict=True)])

    def _sums(self, record: TrajectoryRecord) -> Work[Sums]:
        every = turns(self.ways(record))
        read = yield from likelihoods([turn.asked() for turn in every])
        return {
            turn.place: math.fsum(log_probs(tokens)) if tokens else None
            for turn, tokens in zip(every, read, strict=True)
        }

    def _ratio(self, record: TrajectoryRecord, against: Sums | CannotScore) -> Work[Said]:
        if isinstance(against, CannotScore):
            raise against
        own = yield from self._sums(record)
        found: dict[int, Believed | CannotScore] = {}
        for way in self.ways(record):
            for place in way.places:
                one, other = own[place], against[place]
                if one is None or other is None:
                    found[place] = CannotScore(SAYS_NOTHING)
                    continue
                found[place] = Believed(self.beta * (one - other), (), way.flags, window(way))
        return found
