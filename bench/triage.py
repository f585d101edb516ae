"""What the queue's policies find, on HotpotQA trajectories of AgentProcessBench, beside the order of chance.

Scores are those of the embedded scorer on questions it has not seen, judges' labels the ten published ones. Each policy
orders the trajectories with a fifth of them drawn by chance; whole trajectories are labelled in this order until so
many of all steps are done. How many of the wrong steps are found by then, in the mean over seeds, and how many times
as many as by chance.  Run: python -m bench.triage
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from annotations.services.queue_policies import Facts, ScoredStep
from annotations.services.queue_policies_order import measures, mixture, order
from bench import common, embedded
from bench.embedded import ABSENT, WRONG, Gold, Said
from models_service.scorers import features

POLICIES = ("random", "wrong", "disagreement", "critical", "uncertain", "active")
SHARE = 0.2
SEEDS = 20
DONE = (0.1, 0.2, 0.3, 0.5)
LIMIT = "the order of chance"


def main() -> None:
    gold = embedded.read()
    scored = embedded.rounds(gold, features.NAMES)
    judged = judges(gold)
    found = {
        policy: np.mean(
            [curve(gold, scored[seed % len(scored)], judged, policy, seed) for seed in range(SEEDS)], axis=0
        )
        for policy in POLICIES
    }
    rows = [
        common.Row(
            f"{policy}, {done:.0%} of the steps",
            len(gold.records),
            float(found[policy][place]),
            float(found["random"][place]),
            LIMIT,
            float(found[policy][place] / found["random"][place]),
            "",
            True,
            unit="of the wrong steps",
        )
        for policy in POLICIES
        if policy != "random"
        for place, done in enumerate(DONE)
    ]
    common.write("triage", rows, drawn_by_chance=SHARE, seeds=SEEDS, policies=POLICIES)


def judges(gold: Gold) -> Mapping[int, dict[int, float]]:
    """By trajectory and row: the share of the judges that labelled the step and called it wrong."""
    labels = np.array([embedded.judge(gold, path).labels for path in embedded.judges()])
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for row, trajectory in enumerate(gold.trajectories.tolist()):
        said = labels[:, row][labels[:, row] != ABSENT]
        if len(said):
            found[trajectory][row] = float(np.mean(said == WRONG))
    return found


def curve(gold: Gold, said: Said, judged: Mapping[int, dict[int, float]], policy: str, seed: int) -> list[float]:
    """The share of the wrong steps that is found once each share of all steps is labelled."""
    facts = facts_of(gold, said, judged)
    mixed = mixture(policy, SHARE)
    told = measures(facts, mixed, str(seed))
    ordered = order(facts, {one.trajectory for one in facts}, told, mixed, str(seed))
    wrong = np.bincount(gold.trajectories, gold.truth == WRONG)
    steps = np.bincount(gold.trajectories)
    places = [one.trajectory for one in ordered]
    spent, caught = np.cumsum(steps[places]) / steps.sum(), np.cumsum(wrong[places]) / wrong.sum()
    return [float(caught[np.searchsorted(spent, done)]) for done in DONE]


def facts_of(gold: Gold, said: Said, judged: Mapping[int, dict[int, float]]) -> list[Facts]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row, trajectory in enumerate(gold.trajectories.tolist()):
        rows[trajectory].append(row)
    tasks = {task: number for number, task in enumerate(dict.fromkeys(gold.examples.tasks.tolist()))}
    right = 1 - said.wrong
    return [
        Facts(
            trajectory,
            tasks[gold.examples.tasks[mine[0]]],
            steps=[
                ScoredStep(row, right[row], said.wrong[row], right[mine[place - 1]] if place else None)
                for place, row in enumerate(mine)
            ],
            judged=judged.get(trajectory, {}),
        )
        for trajectory, mine in rows.items()
    ]


if __name__ == "__main__":
    main()
