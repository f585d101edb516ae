"""A run that works a project's consensus out: one report, and a file of what every method says of every step."""

from __future__ import annotations

import tempfile
from pathlib import Path

from annotations.services import consensus, consensus_rows, consensus_steps, consensus_words
from annotations.services.runs import Claim
from models_service.statistics.consensus import report
from models_service.statistics.consensus.comparing import EVERY


def perform(claim: Claim) -> None:
    """Compute it. ConsensusRefused where it cannot be had any more as it was asked for."""
    config = claim.run.config
    asked = consensus.read(claim.run.project, config)
    before = consensus.mark(asked)
    claim.expect(len(EVERY))
    table = consensus_rows.gathered(asked)
    found = report.compute(
        table,
        by_hand=asked.by_hand,
        resamples=int(config.get("resamples", report.RESAMPLES)),
        seed=int(config.get("seed", 0)),
        told=claim.advance,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "steps.csv"
        consensus_steps.write(table, found.lines(), EVERY, path)
        claim.check()
        consensus_steps.keep(claim, path)
    consensus.store(claim, found.result, table, before, consensus_words.glance(found.result))
