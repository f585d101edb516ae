"""What scorers share that read a model at marks, wherever it runs: rendering to fit, making scores of what was read.

A family (families/) says how its trajectories look and what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers import fitting
from models_service.scorers.base import CannotScore, Scored, Scorer
from models_service.scorers.families.base import Family
from models_service.scorers.fitting import Fitted
from models_service.scorers.running import Rows

BEYOND = "longer than what the model was trained on"
Prepared = tuple[list[tuple[int, Fitted]], dict[int, CannotScore]]  # (place of the record, a rendering), and refusals


class MarkedScorer(Scorer):
    """`max_tokens` is the most that is read at once; `calibrated` says that its numbers hold as probabilities."""

    family: Family
    max_tokens: int
    calibrated: bool

    def prepare(self, records: Sequence[TrajectoryRecord]) -> Prepared:
        """Renderings that fit, and the records of which there is none."""
        parts: list[tuple[int, Fitted]] = []
        refused: dict[int, CannotScore] = {}
        for place, record in enumerate(records):
            try:
                found = fitting.fitted(record, self.family.render, self.max_tokens)
            except CannotScore as cannot:
                refused[place] = cannot
                continue
            parts += [(place, one) for one in found if one.places]
        return parts, refused

    def finished(self, count: int, prepared: Prepared, found: Sequence[list[Rows] | CannotScore]) -> list[Scored]:
        """The scores of so many records. `found` is for each rendering what each model read at its marks: all of them,
        or the last ones, those of the judged steps."""
        parts, refused = prepared[0], dict(prepared[1])
        said: dict[int, list[StepScore]] = {place: [] for place in range(count) if place not in refused}
        for (place, part), read in zip(parts, found, strict=True):
            if isinstance(read, CannotScore):
                refused[place] = read
            elif place not in refused:
                said[place] += self._scores(part, *read)
        ordered = {place: tuple(sorted(one, key=lambda step: step.index)) for place, one in said.items()}
        return [refused.get(place) or ordered[place] for place in range(count)]

    def _scores(self, one: Fitted, *read: Rows) -> list[StepScore]:
        """Those of the steps that are judged, whose marks are the last ones; the others were read for what follows."""
        said = self.family.said(*read)[-len(one.places) :]
        detail = self._detail(one)
        return [
            StepScore(place, step.value, step.value if self.calibrated else None, {**detail, **_more(step.more)})
            for place, step in zip(one.places, said, strict=True)
        ]

    def _detail(self, one: Fitted) -> dict[str, Any]:
        long = self.family.trained is not None and len(one.rendered.ids) > self.family.trained
        window = {"window": list(one.window)} if one.window else {}
        return {"flags": [*one.flags, *([BEYOND] if long else [])], **window}


def _more(more: dict[str, float]) -> dict[str, Any]:
    return {"more": more} if more else {}
