"""Raters who know or guess: MACE (Hovy, Berg-Kirkpatrick, Vaswani and Hovy, "Learning Whom to Trust with MACE", 2013).

Every truth is as likely. For each label a rater knows the truth and gives it, with a probability of their own, or else
guesses by a habit of their own, whatever the truth. Fitted from ten random starts, drawn from a seed for the raters in
their order; the best counts, of those that are as good the first.

By hand: a rater knows in 1/2 of the cases and guesses 0 and 1 alike. Where the truth is 0 they say 0 with 1/2 + 1/2 *
1/2 = 3/4. Having said 0 rightly, they knew with (1/2)/(3/4) = 2/3. Expected to have said 0 rightly 6 times of 10
labels, they knew 4 times, and guessed the other 6.
"""

from __future__ import annotations

import numpy as np

from models_service.statistics.coefficients import ratio
from models_service.statistics.consensus import fitting
from models_service.statistics.consensus.confusion import outcome
from models_service.statistics.consensus.fitting import Fit, Tables, flat, log
from models_service.statistics.consensus.outcome import Consensus, nothing
from models_service.statistics.consensus.special import divergence, expected_log
from models_service.statistics.consensus.votes import Votes
from models_service.statistics.figures import Floats

RESTARTS = 10
AS_GOOD = 1e-7  # of the whole: a start that is better by less is no better
KNOWING = 0.5  # of Beta(1/2, 1/2), as in the paper's code
HABIT = 10.0  # of Dirichlet(10, …), as in the paper's code


def mace_em(votes: Votes, smoothing: float = 0.0, restarts: int = RESTARTS, seed: int = 0) -> Consensus:
    """What makes all labels likeliest. With `smoothing` that much is added to every count before dividing, which makes
    likeliest the labels together with the Dirichlet(1 + smoothing) that stands for it; then that is what never
    falls."""

    def step(counts: Floats, _: Floats, tables: Tables) -> Tables:
        knew, guessed = _split(counts, *tables.parts)
        know = _share(np.stack([knew, guessed.sum(axis=1)], axis=1), smoothing)
        habit = _share(guessed, smoothing)
        added = smoothing * float(log(know).sum() + log(habit).sum()) if smoothing else 0.0
        return _tables(know[:, 0], know[:, 1:] * habit, added)

    if reason := votes.unfit():
        return nothing(votes, reason)
    best = _best(votes, step, restarts, seed, None if smoothing else 0.0)
    return outcome(votes, best, trust=_trust(votes, best, smoothing))


def mace_vb(votes: Votes, restarts: int = RESTARTS, seed: int = 0) -> Consensus:
    """Variational Bayes, which the paper found the better: Beta(1/2, 1/2) on how often a rater knows, Dirichlet(10, …)
    on habits. `bound` is the lower bound of the log-evidence, which never falls."""

    def step(counts: Floats, _: Floats, tables: Tables) -> Tables:
        knew, guessed = _split(counts, *tables.parts)
        know = np.stack([knew, guessed.sum(axis=1)], axis=1) + KNOWING
        habit = guessed + HABIT
        added = -divergence(know, np.full(know.shape, KNOWING)) - divergence(habit, np.full(habit.shape, HABIT))
        rates = np.exp(expected_log(know))
        return _tables(rates[:, 0], rates[:, 1:] * np.exp(expected_log(habit)), added)

    if reason := votes.unfit():
        return nothing(votes, reason)
    best = _best(votes, step, restarts, seed, None)
    return outcome(votes, best, bound=best.trace[-1], trust=_trust(votes, best, KNOWING))


def _best(votes: Votes, step: fitting.Step, restarts: int, seed: int, known: float | None) -> Fit:
    """`known`: what a start's objective adds to its likelihood, where that is known. ValueError without a restart."""
    draw = np.random.default_rng(seed)
    best: Fit | None = None
    for _ in range(restarts):
        found = fitting.fitted(votes, _start(votes, draw, known), step)
        if best is None or found.trace[-1] > best.trace[-1] + AS_GOOD * (1 + abs(best.trace[-1])):
            best = found
    if best is None:
        raise ValueError(f"{restarts} restarts: one at least is needed")
    return best


def _start(votes: Votes, draw: np.random.Generator, known: float | None) -> Tables:
    know = draw.uniform(1.0, 2.5, size=(votes.raters, 2))
    habit = draw.uniform(1.0, 2.5, size=(votes.raters, votes.categories))
    know /= know.sum(axis=1, keepdims=True)
    return _tables(know[:, 0], know[:, 1:] * habit / habit.sum(axis=1, keepdims=True), known)


def _tables(know: Floats, guess: Floats, added: float | None) -> Tables:
    """From how often each rater knows (raters,), and guesses each category (raters, K)."""
    size = guess.shape[1]
    said = guess[:, :, None] + know[:, None, None] * np.eye(size)
    return Tables(flat(log(said)), np.full(size, -np.log(size)), added, (know, guess))


def _split(counts: Floats, know: Floats, guess: Floats) -> tuple[Floats, Floats]:
    """How often each rater is expected to have known (raters,), and to have guessed each category (raters, K)."""
    right = np.diagonal(counts, axis1=1, axis2=2)
    either = know[:, None] + guess
    knew = right * np.divide(know[:, None], either, out=np.zeros(guess.shape), where=either > 0)
    return knew.sum(axis=1), np.maximum(counts.sum(axis=2) - knew, 0.0)


def _trust(votes: Votes, best: Fit, smoothing: float) -> Floats:
    """(raters,): the share of a rater's labels that they are expected to have given knowing, `smoothing` labels more
    known and as many guessed; NaN of who said nothing. 6 known of 10, smoothing 1/2: 6.5/11."""
    counts = fitting.counted(votes, best.posterior)
    knew, guessed = _split(counts, *best.tables.parts)
    said = counts.sum(axis=(1, 2))
    return np.where(said > 0, ratio(knew + smoothing, knew + guessed.sum(axis=1) + 2 * smoothing), np.nan)


def _share(counts: Floats, smoothing: float) -> Floats:
    """Each row by its sum, even where there is none."""
    total = (counts + smoothing).sum(axis=1, keepdims=True)
    even = np.full(counts.shape, 1 / counts.shape[1])
    return np.asarray(np.divide(counts + smoothing, total, out=even, where=total > 0))
