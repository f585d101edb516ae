"""How well probabilities of steps meet their labels, with intervals by resampling tasks.

Brier score, log-loss and the calibration errors are sums over steps, so figures.py resamples them. The error over bins
is Σ n_b/N · |said_b − seen_b|: over ten equal spans of P(wrong), over ten bins with equally many steps (equal numbers
stay together, so bins may be uneven and fewer), and over ten equal spans of how sure the likelier side is. Bins are
those of all the steps in every resample. Chance alone makes this error greater than 0, and greater still in resamples,
so its interval tends to lie above its value.

Areas need the order of the steps. All resamples are one product of weights there: a step counts as often as its task.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from models_service.statistics.calibrating import Bools, Floats
from models_service.statistics.crossfit import Ints, Steps, log_loss
from models_service.statistics.figures import Block, Figure, Measure, add_by_task, drawn, interval

BINS = 10
STEPS_AT_ONCE = 2_000_000  # weights held at once while areas are resampled: 16 MB
LOSSES = ("brier", "log_loss", "ece_spans", "ece_counts", "ece_sides")
ONE_CLASS = "The labelled steps are all wrong or none is: nothing to rank."


def spans(probability: Floats) -> Ints:
    """For each step the tenth of [0, 1] in which its P(wrong) lies; 1 belongs to the last."""
    return np.minimum(((1 - probability) * BINS).astype(np.int64), BINS - 1)


def sides(probability: Floats, right: Bools) -> tuple[Floats, Bools]:
    """How sure the likelier side of one half is, and whether that is what the label says."""
    return np.maximum(probability, 1 - probability), (probability >= 0.5) == right


def counts(probability: Floats) -> Ints:
    """For each step its bin of ten with equally many; where numbers are equal they are all in the first one's bin."""
    below = np.searchsorted(np.sort(probability), probability, side="left")
    return np.asarray(below * BINS // max(1, len(probability)), dtype=np.int64)


def block(steps: Steps, probability: Floats) -> Block:
    """The losses of one way to say probabilities, and what was seen in each bin of equally many ("seen 0" …)."""
    columns = [(probability - steps.right) ** 2, log_loss(probability, steps.right), np.ones(len(probability))]
    gap = probability - steps.right
    columns += _in_bins(spans(probability), gap)
    bins = counts(probability)
    for values in (gap, steps.right.astype(float), np.ones(len(gap))):
        columns += _in_bins(bins, values)
    sure, hit = sides(probability, steps.right)
    columns += _in_bins(np.minimum((sure * BINS).astype(np.int64), BINS - 1), sure - hit)
    sums = add_by_task(steps.task, np.stack(columns, axis=1), steps.tasks)
    measures = {name: Measure(of, _all, lambda _: "There are no labelled steps.") for name, of in OF_SUMS.items()}
    for place in range(BINS):
        measures[f"seen {place}"] = Measure(
            partial(_seen, place=place), partial(_count, place=place), lambda _: "No step is in it."
        )
    return Block(sums, measures)


def change(before: Block, after: Block) -> Block:
    """By how much each loss is greater after than before, in the same resamples: below 0 is better."""
    many = before.sums.shape[1]

    def difference(sums: Floats, of: Callable[[Floats], Floats]) -> Floats:
        return np.asarray(of(sums[..., many:]) - of(sums[..., :many]))

    measures = {
        name: Measure(partial(difference, of=of), lambda sums: float(sums[2]), lambda _: "There are no labelled steps.")
        for name, of in OF_SUMS.items()
    }
    return Block(np.concatenate([before.sums, after.sums], axis=1), measures)


def areas(steps: Steps, said: Floats, resamples: int, seed: int) -> dict[str, Figure]:
    """AUROC of the wrong steps, P(a wrong one's number is below another's) with equal ones counted half, and their
    average precision, Σ (R_k − R_k₋₁) · P_k over the distinct numbers from the lowest up."""
    order = np.argsort(said, kind="stable")
    rising, wrong = said[order], ~steps.right[order]

    def of(weights: Floats) -> list[Floats]:
        sums = _orders(weights[:, order], rising, wrong)
        with np.errstate(invalid="ignore", divide="ignore"):
            return [sums[0] / sums[1], sums[2] / sums[3]]

    found: list[list[Floats]] = [[], []]
    for times in drawn(steps.tasks, resamples if steps.tasks > 1 else 0, seed):
        rows = max(1, STEPS_AT_ONCE // len(said))
        for start in range(0, len(times), rows):
            for kept, values in zip(found, of(times[start : start + rows][:, steps.task]), strict=True):
                kept.append(values)
    points = of(np.ones((1, len(said))))
    return {
        name: _figure(float(point[0]), np.concatenate(kept) if kept else np.zeros(0), len(said))
        for name, point, kept in zip(("auroc", "average_precision"), points, found, strict=True)
    }


def _orders(weights: Floats, said: Floats, wrong: Bools) -> Floats:
    """Of steps by rising number, for each row of weights: pairs in order, pairs, precisions summed over the wrong
    steps, and these: (4, rows)."""
    first = np.flatnonzero(np.r_[True, np.diff(said) != 0])
    bad = np.add.reduceat(weights * wrong, first, axis=1)
    good = np.add.reduceat(weights * ~wrong, first, axis=1)
    above = good.sum(axis=1, keepdims=True) - np.cumsum(good, axis=1)
    hit, taken = np.cumsum(bad, axis=1), np.cumsum(bad + good, axis=1)
    precision = np.divide(hit, taken, out=np.zeros_like(hit), where=taken > 0)
    many = bad.sum(axis=1)
    return np.stack(
        [(bad * (above + good / 2)).sum(axis=1), many * good.sum(axis=1), (bad * precision).sum(axis=1), many]
    )


def risk(steps: Steps, probability: Floats) -> list[dict[str, Any]]:
    """How often the likelier side of one half is not what the label says, among the surest tenth of the steps, the
    surest two tenths, and so on. Where steps are equally sure, each counts by the share of them that is taken."""
    sure, hit = sides(probability, steps.right)
    _, place, many = np.unique(-sure, return_inverse=True, return_counts=True)
    ends = np.cumsum(many)
    wrong = np.cumsum(np.bincount(place, weights=(~hit).astype(float)))
    rows = []
    for tenth in range(1, BINS + 1):
        taken = len(sure) * tenth / BINS
        errors = float(np.interp(taken, np.r_[0, ends], np.r_[0.0, wrong]))
        rows.append({"coverage": tenth / BINS, "risk": errors / taken, "n": round(taken)})
    return rows


def bins(probability: Floats, found: dict[str, Figure]) -> list[dict[str, Any]]:
    """The reliability curve: for each bin of equally many its ends, what was said on average, and what was seen."""
    place = counts(probability)
    rows = []
    for one in np.unique(place):
        inside, seen = probability[place == one], found[f"seen {one}"]
        ends: dict[str, Any] = {"from": float(inside.min()), "to": float(inside.max()), "said": float(inside.mean())}
        rows.append(ends | {"seen": seen.value, "low": seen.low, "high": seen.high, "n": seen.n})
    return rows


def of_spans(steps: Steps, probability: Floats) -> list[dict[str, Any]]:
    """The same over ten equal spans of P(wrong), empty ones too: what was said and seen is P(wrong) there."""
    place, rows = spans(probability), []
    for one in range(BINS):
        here = place == one
        many = int(here.sum())
        said = float(1 - probability[here].mean()) if many else None
        seen = float((~steps.right[here]).mean()) if many else None
        rows.append({"from": one / BINS, "to": (one + 1) / BINS, "said": said, "seen": seen, "n": many})
    return rows


def _in_bins(place: Ints, values: Floats) -> list[Floats]:
    return [np.where(place == one, values, 0.0) for one in range(BINS)]


def _all(sums: Floats) -> float:
    return float(sums[2])


def _gaps(sums: Floats, start: int) -> Floats:
    return np.asarray(np.abs(sums[..., start : start + BINS]).sum(axis=-1) / sums[..., 2])


def _seen(sums: Floats, place: int) -> Floats:
    return np.asarray(sums[..., 3 + 2 * BINS + place] / sums[..., 3 + 3 * BINS + place])


def _count(sums: Floats, place: int) -> float:
    return float(sums[3 + 3 * BINS + place])


def _figure(value: float, draws: Floats, n: int) -> Figure:
    if np.isnan(value):
        return Figure(None, n=n, reason=ONE_CLASS)
    return Figure(value, *interval(draws)[:2], n, interval(draws)[2])


OF_SUMS: dict[str, Callable[[Floats], Floats]] = {
    "brier": lambda sums: np.asarray(sums[..., 0] / sums[..., 2]),
    "log_loss": lambda sums: np.asarray(sums[..., 1] / sums[..., 2]),
    "ece_spans": partial(_gaps, start=3),
    "ece_counts": partial(_gaps, start=3 + BINS),
    "ece_sides": partial(_gaps, start=3 + 4 * BINS),
}
