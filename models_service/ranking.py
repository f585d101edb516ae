"""What choosing among rollouts by the scores of a run would come to, kept with the run."""

from __future__ import annotations

from collections import defaultdict

from annotations.services import rankable
from annotations.services.runs import Claim
from models_service.scorers import reading
from models_service.statistics import ranking
from models_service.statistics.canonical import canonical
from models_service.statistics.ranking import Candidate


def keep(claim: Claim, rollouts: list[rankable.Rankable]) -> None:
    claim.keep(ranking=ranking.table(tasks(rollouts)))


def tasks(rollouts: list[rankable.Rankable]) -> dict[int, list[Candidate]]:
    """By task; answers in one spelling, so that those that mean the same are counted together."""
    found: dict[int, list[Candidate]] = defaultdict(list)
    for one in rollouts:
        said = reading.answer(one.closing) if one.answer is None else one.answer
        found[one.task].append(Candidate(one.scores, canonical(said), one.right))
    return found
