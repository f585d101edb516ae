"""The embedded scorer on HotpotQA trajectories of AgentProcessBench, beside always saying +1, a trajectory's shape
alone and the ten judges whose labels were published for the same trajectories; and once listening to one of them.

Folds keep the rollouts of a question together and are dealt anew with each seed; each step is judged by a model that
saw no rollout of its question. Step and first-error accuracy are counted as in the benchmark's own script
(RUCBM/AgentProcessBench, compare.py). A judge's AUROC is that of its label, ours that of P(-1). Intervals and
differences resample questions. The learning curve draws the trajectories that are labelled; it has the same folds.
Run: python -m bench embedded, or without a database python -m bench.embedded
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench import common
from models_service.scorers import features, measures, stacking, training
from models_service.scorers.embedded import EmbeddedScorer
from models_service.scorers.train_prior import lessons
from models_service.statistics import official

SEEDS = 5
DRAWS = 1000
COUNTS = (10, 20, 30, 40, 60, 80, 100, 120)  # labelled trajectories; 120 are all that a fold leaves
AIMS = {"step_acc": 0.79, "first_err_acc": 0.72, "auroc": 0.87}
FIGURES = ("step_acc", "first_err_acc", "macro_f1", "auroc")
WRONG, ABSENT = -1, 9  # ABSENT: a label no step has
OURS, SHAPE, PRIOR, ALWAYS = "embedded", "structure only", "shipped prior", "always +1"
HEARD = "DeepSeek-V3.2"
LISTENING = f"embedded, listening to {HEARD}"


@dataclass(frozen=True)
class Gold:
    """The reference: one row a labelled step, in the order of the examples."""

    examples: training.Examples
    records: list[dict[str, Any]]  # one a trajectory, as in the released file
    trajectories: np.ndarray[Any, Any]
    steps: list[str]

    @property
    def truth(self) -> Any:
        return self.examples.labels


@dataclass(frozen=True)
class Said:
    """What one rater, in one round, says of each row: its label, and how wrong it finds the step."""

    gold: Gold
    labels: Any
    wrong: Any

    @cached_property
    def tallies(self) -> list[official.Tally]:
        """By trajectory, in the released arithmetic."""
        said: list[dict[str, int]] = [{} for _ in self.gold.records]
        for trajectory, step, label in zip(self.gold.trajectories, self.gold.steps, self.labels.tolist(), strict=True):
            if label != ABSENT:
                said[trajectory][step] = label
        pairs = zip(self.gold.records, said, strict=True)
        return [official.one(reference, {"step_labels": mine}) for reference, mine in pairs]

    def figures(self, rows: Any, trajectories: Any) -> list[float]:
        tally = sum((self.tallies[one] for one in trajectories), official.Tally())
        truth = self.gold.truth[rows]
        f1 = measures.macro_f1(self.labels[rows], truth)
        return [tally.step_acc, tally.first_err_acc, f1, measures.auroc(self.wrong[rows], truth == WRONG)]


def main() -> None:
    gold = read()
    raters: dict[str, list[Said]] = {OURS: rounds(gold, features.NAMES), SHAPE: rounds(gold, features.STRUCTURE)}
    raters[LISTENING] = listening(gold, next(path for path in judges() if path.parent.name == HEARD))
    raters[PRIOR] = [prior(gold)]
    raters[ALWAYS] = [Said(gold, np.ones(len(gold.steps), dtype=int), np.zeros(len(gold.steps)))]
    raters |= {path.parent.name: [judge(gold, path)] for path in judges()}
    table, drawn = intervals(gold, raters)
    best = max((path.parent.name for path in judges()), key=lambda name: table[name]["auroc"][0])
    limit = table[best]["auroc"][0]
    curve = learning_curve(gold)
    differences = {
        name: {figure: spread(drawn[OURS][:, at] - drawn[name][:, at]) for at, figure in enumerate(FIGURES)}
        for name in raters
        if name != OURS
    }
    enough = next((one["trajectories"] for one in curve if one["auroc"] > limit), None)
    show(table, curve, differences[best], best, enough)
    common.write(
        "embedded",
        [aimed(figure, table[OURS][figure][0], len(gold.records)) for figure in AIMS],
        figures=table,
        ours_minus=differences,
        learning_curve=curve,
        best_judge=best,
        trajectories_to_beat_it=enough,
        seeds=SEEDS,
        folds=training.FOLDS,
        resamples=DRAWS,
        features=features.VERSION,
    )


def read() -> Gold:
    taught = lessons(common.TRAJECTORIES)
    records, trajectories, steps = [], [], []
    for lesson in taught:
        for rollout, labels in zip(lesson.rollouts, lesson.labels, strict=True):
            keys = [str(rollout.steps[index].source_index) for index in labels]
            records.append({**rollout.meta, "step_labels": dict(zip(keys, labels.values(), strict=True))})
            trajectories += [len(records) - 1] * len(keys)
            steps += keys
    return Gold(training.examples(taught), records, np.array(trajectories), steps)


def relabelled(gold: Gold, labels: Any) -> Gold:
    """The same steps with other labels, for what needs no records."""
    return replace(gold, examples=replace(gold.examples, labels=labels))


def listening(gold: Gold, path: Path) -> list[Said]:
    """What models say that also look at a judge's labels. What it left out counts as right, as with the benchmark."""
    source = stacking.Source("judge", path.parent.name, labels=True)
    labels = judge(gold, path).labels
    said = np.where(labels == ABSENT, 1, labels).astype(float)
    heard = [source.values(said[gold.trajectories == one].tolist()) for one in range(len(gold.records))]
    data = replace(
        gold.examples,
        values=np.hstack([gold.examples.values, np.concatenate(heard)]),
        extras=(stacking.extra(source, lambda rollouts: []),),
    )
    return rounds(replace(gold, examples=data), data.columns)


def rounds(gold: Gold, names: tuple[str, ...], seeds: int = SEEDS) -> list[Said]:
    """What models of these features say of questions they have not seen, once a seed."""
    columns = gold.examples.places(names)
    held = [training.held_out(gold.examples, columns, training.folds(gold.examples, seed))[0] for seed in range(seeds)]
    return [Said(gold, one.said, one.wrong) for one in held]


def prior(gold: Gold) -> Said:
    """The prior that comes with Stepmark, which has seen none of these questions."""
    scorer = EmbeddedScorer()
    chances = scorer.model.probabilities(gold.examples.values[:, scorer.columns])
    labels = np.array(scorer.model.classes)[chances.argmax(axis=1)]
    return Said(gold, labels, chances[:, scorer.model.classes.index(WRONG)])


def judges() -> list[Path]:
    return sorted((common.SHARED / "judges").glob("*/hotpotqa__*"))


def judge(gold: Gold, path: Path) -> Said:
    """A published judge. A step it has not labelled is wrong as a label and 0 as a score."""
    with gzip.open(path) as stream:
        said = official.newest(map(json.loads, stream), "hotpotqa")
    labels = [official.labels(said[official.key(one, "hotpotqa")]["step_labels"]) for one in gold.records]
    rows = zip(gold.trajectories, gold.steps, strict=True)
    found = np.array([labels[trajectory].get(step, ABSENT) for trajectory, step in rows])
    return Said(gold, found, np.where(found == ABSENT, 0, -found).astype(float))


def intervals(gold: Gold, raters: dict[str, list[Said]]) -> tuple[dict[str, dict[str, list[float]]], dict[str, Any]]:
    """Each figure (of several rounds the mean) with the middle 95% of it over resampled questions; and the draws."""
    random, tasks = np.random.default_rng(0), sorted(set(gold.examples.tasks.tolist()))
    rows_of = [np.flatnonzero(gold.examples.tasks == task) for task in tasks]
    trajectories_of = [np.unique(gold.trajectories[rows]) for rows in rows_of]
    draws = [np.arange(len(tasks)), *random.integers(0, len(tasks), (DRAWS, len(tasks)))]
    values: dict[str, list[Any]] = {name: [] for name in raters}
    for places in draws:
        rows = np.concatenate([rows_of[place] for place in places])
        trajectories = np.concatenate([trajectories_of[place] for place in places])
        for name, said in raters.items():
            values[name].append(np.mean([one.figures(rows, trajectories) for one in said], axis=0))
    found = {name: np.array(each) for name, each in values.items()}
    table = {
        name: {figure: [float(each[0, at]), *spread(each[1:, at])] for at, figure in enumerate(FIGURES)}
        for name, each in found.items()
    }
    return table, {name: each[1:] for name, each in found.items()}


def spread(values: Any) -> list[float]:
    return [float(value) for value in np.nanquantile(values, (0.025, 0.975))]


def learning_curve(gold: Gold) -> list[dict[str, Any]]:
    return [{"trajectories": count} | _after(gold, count) for count in COUNTS]


def _after(gold: Gold, count: int) -> dict[str, float]:
    """The figures once `count` trajectories drawn at random are labelled, in the mean over the seeds."""
    everything = np.arange(len(gold.steps)), np.arange(len(gold.records))
    found = [_drawn(gold, count, seed).figures(*everything) for seed in range(SEEDS)]
    return dict(zip(FIGURES, np.mean(found, axis=0).tolist(), strict=True))


def _drawn(gold: Gold, count: int, seed: int) -> Said:
    data, random = gold.examples, np.random.default_rng(seed)
    fold = training.folds(data, seed)
    wrong, labels = np.zeros(len(fold)), np.ones(len(fold), dtype=int)
    for one in sorted(set(fold.tolist())):
        chosen = random.permutation(np.unique(gold.trajectories[fold != one]))[:count]
        rows, mine = np.isin(gold.trajectories, chosen), fold == one
        model = training.teach(
            replace(data, values=data.values[rows], labels=data.labels[rows], tasks=data.tasks[rows])
        )
        chances = model.probabilities(data.values[mine])
        labels[mine] = np.array(model.classes)[chances.argmax(axis=1)]
        wrong[mine] = chances[:, model.classes.index(WRONG)] if WRONG in model.classes else 0
    return Said(gold, labels, wrong)


def aimed(figure: str, value: float, size: int) -> common.Row:
    aim = AIMS[figure]
    return common.Row(
        f"embedded, {figure}", size, value, aim, "the aim", value / aim, f"≥ {aim}", value >= aim, unit="of 1"
    )


def show(table: Any, curve: Any, difference: Any, best: str, enough: int | None) -> None:
    print("| | " + " | ".join(FIGURES) + " |\n|---|" + "---|" * len(FIGURES))
    for name, row in sorted(table.items(), key=lambda one: -one[1]["auroc"][0]):
        print(f"| {name} | " + " | ".join(f"{short(v)} [{short(a)}, {short(b)}]" for v, a, b in row.values()) + " |")
    print(f"\nembedded minus {best}: " + ", ".join(f"{k} [{a:+.3f}, {b:+.3f}]" for k, (a, b) in difference.items()))
    print("\n| labelled trajectories | " + " | ".join(FIGURES) + " |\n|---|" + "---|" * len(FIGURES))
    for one in curve:
        print(f"| {one['trajectories']} | " + " | ".join(short(one[figure]) for figure in FIGURES) + " |")
    print(f"\nbeats {best} on AUROC from {enough} labelled trajectories on\n")


def short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


if __name__ == "__main__":
    main()
