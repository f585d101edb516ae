"""How well beliefs tell steps that work out the answer from those that err, on a model small enough to be trained here.

Three tiny models (0.1M weights) are trained on traces that add two numbers up, one step of which is right or wrong at
random. AUROC of that step's number, right against wrong rollouts, over 60 held-out ones, 12 tasks of 5. It shows what
each scorer sees where its model reads well; it says nothing of large models on real traces.
Run: python -m bench.belief
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.base import Scored
from models_service.scorers.belief.confidence import AnswerConfidence
from models_service.scorers.belief.consensus import Consensus
from models_service.scorers.belief.gains import GainReturns, InformationGain, InformationPotential
from models_service.scorers.belief.hindsight import StepLikelihood
from models_service.scorers.belief.potential import StepPotential
from models_service.scorers.belief.segments import SegmentProgress
from models_service.scorers.language.asked import NotServed
from models_service.scorers.language.local import LocalModel
from tests import sums

SEEDS = (0, 1, 2)
TASKS, RIGHT, ROLLOUTS = 12, 3, 5


class Untold(LocalModel):
    """The same without log-probabilities of given texts, as many servers are."""

    def forced(self, pairs: Sequence[Any]) -> Any:
        raise NotServed("not told")


def main() -> None:
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            for name, figures in _measured(sums.model(Path(folder), seed)).items():
                found.setdefault(name, []).append(figures)
    print(f"{'':<44}{'AUROC by seed':<22}{'seconds'}")
    for name, rows in found.items():
        print(f"{name:<44}{'  '.join(f'{auroc:.2f}' for auroc, _ in rows):<22}{sum(spent for _, spent in rows):.1f}")


def _measured(folder: Path) -> Mapping[str, tuple[float, float]]:
    told, untold = LocalModel(str(folder), device="cpu"), Untold(str(folder), device="cpu")
    options: dict[str, Any] = {"chat": False, "closing": sums.CLOSING}
    scorers = {
        "information gain": InformationGain(told, **options),
        "the same, product": InformationGain(told, normalisation="product", **options),
        "the same, sampled frequency, 8 draws": InformationGain(untold, **options),
        "the same, as advantage (a2tgpo)": GainReturns(told, by="a2tgpo", **options),
        "information potential": InformationPotential(told, **options),
        "progress by segments": SegmentProgress(told, **options),
        "step potential": StepPotential(told, lead=" ", **options),
        "consensus potential, no reference": Consensus(told, **options),
        "confidence in the own answer, no reference": AnswerConfidence(told, **options),
        "likelihood of the step, no reference": StepLikelihood(told, chat=False),
    }
    records, right = rollouts(seed=99)
    figures = {}
    for name, scorer in scorers.items():
        begun = time.perf_counter()
        scored = scorer.score(records)
        figures[name] = (_auroc(scored, right), time.perf_counter() - begun)
    return figures


def rollouts(seed: int) -> tuple[list[TrajectoryRecord], list[bool]]:
    """Whole tasks: of each three right rollouts and two that err, each ending with what it came to."""
    rng = random.Random(seed)
    found, right = [], []
    for task in range(TASKS):
        asked = sums.Sum(rng, right=True)
        for number in range(ROLLOUTS):
            one = asked.again(rng, right=number < RIGHT)
            record = one.record(str(task))
            last = replace(record.steps[-1], message=f"The answer is {one.said}")
            found.append(replace(record, steps=(*record.steps[:-1], last), rollout=number))
            right.append(one.right)
    return found, right


def _auroc(scored: Sequence[Scored], right: Sequence[bool]) -> float:
    values = [row[sums.PLACE].value for row in scored]  # type: ignore[index]
    pairs = [
        (one > other) + 0.5 * (one == other)
        for one, good in zip(values, right, strict=True)
        for other, bad in zip(values, right, strict=True)
        if good and not bad
    ]
    return sum(pairs) / len(pairs)


if __name__ == "__main__":
    main()
