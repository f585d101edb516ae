"""A run that measures a project's judges against people."""

from __future__ import annotations

from annotations.services import leaderboard
from annotations.services.runs import Claim
from models_service.statistics.leaderboard import board


def perform(claim: Claim) -> None:
    """Compute the leaderboard, or find the report that there is of the same labels."""
    leaderboard.settle(claim)
    project, config = claim.run.project, claim.run.config
    before = leaderboard.mark(project)
    table = leaderboard.gathered(project, config)
    sha256 = leaderboard.fingerprint(table)
    if known := leaderboard.same(claim, sha256):
        claim.keep(leaderboard=known.pk, mark=before, unchanged=True)
        return
    result = board.compute(
        table,
        official=bool(config.get("official")),
        resamples=int(config.get("resamples", board.RESAMPLES)),
        seed=int(config.get("seed", 0)),
    )
    leaderboard.store(claim, result, sha256, before)
