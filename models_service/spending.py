"""What scoring takes: seconds, texts, questions to language models. Kept with the run as it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from annotations.services import run_estimates
from annotations.services.runs import Claim
from models_service.scorers.base import Scorer


class Spending:
    """Counted from where it is made, on top of what earlier holds on the run took. A scorer may have answered for other
    runs before: of its usage only what is more than at the beginning counts. What was asked for trajectories that a
    killed worker had not stored is lost from it."""

    def __init__(self, claim: Claim, scorer: Scorer) -> None:
        self.scorer, self.began = scorer, time.monotonic()
        self.before: dict[str, Any] = claim.run.result.get("spent") or {}
        self.used = dict(scorer.usage)
        self.counts = {name: self.before.get(name, 0) for name in ("trajectories", "steps", "octets")}

    def after(self, trajectories: Iterable[int]) -> dict[str, Any]:
        """What all has taken once these are done too."""
        size = run_estimates.measured(trajectories)
        for name in self.counts:
            self.counts[name] += getattr(size, name)
        seconds = self.before.get("seconds", 0.0) + time.monotonic() - self.began
        earlier = self.before.get("usage", {})
        usage = {
            name: earlier.get(name, 0) + count - self.used.get(name, 0) for name, count in self.scorer.usage.items()
        }
        return {"seconds": round(seconds, 3), **self.counts, "usage": earlier | usage}
