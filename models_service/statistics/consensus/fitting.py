"""Expectation maximisation for models in which each rater turns the truth into a label by a table of their own.

A unit's truth is k with probability p_k; a rater who labels it says l with probability t_rkl, and raters err apart from
each other. What differs between models is how the tables are made from expected counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models_service.statistics.consensus.votes import Votes
from models_service.statistics.figures import Floats

ROUNDS = 500
SMALLEST = 1e-300  # what stands for a probability of 0 under a logarithm
TOLERANCE = 1e-10  # of the whole; a rise of less is none


@dataclass(frozen=True)
class Tables:
    """`said` (raters * K, K): the log of how likely the rater gives that label where the truth is that column. `prior`
    (K,): the log of the share of each truth. `added` is what belongs to the objective beside the likelihood; None:
    these tables were only a start, whose objective is not known. `parts` is the model's own."""

    said: Floats
    prior: Floats
    added: float | None = 0.0
    parts: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Fit:
    """`posterior` is (P, K); `evidence` the log-likelihood of all labels under `tables`."""

    tables: Tables
    posterior: Floats
    evidence: float
    trace: tuple[float, ...]
    converged: bool


# From expected counts (raters, K said, K truth), expected shares of the truths (K,) and the tables of the round before:
# the tables that they make likeliest.
Step = Callable[[Floats, Floats, Tables], Tables]


def fitted(votes: Votes, first: Tables, step: Step, rounds: int = ROUNDS) -> Fit:
    """From first tables on, until a round adds nothing or `rounds` are over. The trace never falls."""
    tables = first
    posterior, evidence = expected(votes, tables)
    trace = [] if tables.added is None else [evidence + tables.added]
    for _ in range(rounds):
        tables = step(counted(votes, posterior), truths(votes, posterior), tables)
        posterior, evidence = expected(votes, tables)
        trace.append(evidence + (tables.added or 0.0))
        if len(trace) > 1 and trace[-1] - trace[-2] <= TOLERANCE * (1 + abs(trace[-1])):
            return Fit(tables, posterior, evidence, tuple(trace), True)
    return Fit(tables, posterior, evidence, tuple(trace), False)


def expected(votes: Votes, tables: Tables) -> tuple[Floats, float]:
    """(P, K) probabilities of the truth given what was said, and the log-likelihood of all that was said."""
    scores = votes.said @ tables.said + tables.prior
    top = scores.max(axis=1, keepdims=True)
    total = top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    return np.exp(scores - total), float(votes.times @ total[:, 0])


def counted(votes: Votes, posterior: Floats) -> Floats:
    """(raters, K said, K truth): how often each rater is expected to have said that of that truth."""
    together = votes.said.T @ (posterior * votes.times[:, None])
    return np.asarray(together.reshape(votes.raters, votes.categories, votes.categories))


def truths(votes: Votes, posterior: Floats) -> Floats:
    """(K,): the share of each truth."""
    whole = votes.times @ posterior
    return np.asarray(whole / whole.sum())


def log(values: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(values, SMALLEST)))


def flat(table: Floats) -> Floats:
    """(raters * K said, K truth) from (raters, K said, K truth)."""
    return table.reshape(-1, table.shape[-1])
