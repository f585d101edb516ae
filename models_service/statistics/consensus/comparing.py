"""Every way to make one label of many, side by side and beside the best single rater.

    ENTRY = {"accuracy", "accuracy_low", "accuracy_high", "macro_f1", "kappa", "coverage", "steps", "decided", "ties",
             "silent", "log_likelihood", "bound", "rounds", "converged", "expected_error", "weights": {RATER: number},
             "risk": [ROW of risk.coverage_table], "reasons": {a name that is null: why}}

The reference is no voice in any of them but `gold_anchored`, which judges each step by what it has learnt of the raters
from the reference's labels of other tasks. A step without a consensus is wrong, as a step that a rater left out is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from models_service.statistics import measures
from models_service.statistics.coefficients import Codes
from models_service.statistics.consensus import anchored, confusion, mace, risk, voting
from models_service.statistics.consensus.outcome import Consensus, nothing
from models_service.statistics.consensus.votes import SILENT_UNIT, Votes, gathered
from models_service.statistics.figures import Figure, figures
from models_service.statistics.matrices import Bools, Matrix
from models_service.statistics.sections import NO_REFERENCE

METHODS: dict[str, Callable[[Votes], Consensus]] = {
    "majority": voting.majority,
    "wawa": voting.wawa,
    "one_coin": confusion.one_coin,
    "dawid_skene": confusion.dawid_skene,
    "mace_vb": mace.mace_vb,
    "mace_em": mace.mace_em,
}
ANCHORED = "gold_anchored"
EVERY = (*METHODS, ANCHORED)
COUNTED = ("majority", "wawa")  # their posterior is a share of votes
SHOWN = {"accuracy": "step_acc", "macro_f1": "macro_f1", "kappa": "kappa", "coverage": "coverage"}
INTERVAL = ("accuracy",)
NO_RATER = "There is no rater."
NO_MODEL = "Votes are counted; nothing is fitted."
NO_LIKELIHOOD = "It is fitted by a bound of the evidence, which is given instead."
NO_BOUND = "It is fitted by its likelihood."
LEARNT = "It is learnt from the reference, not fitted to what the raters say."
NO_LABEL = "No step has a consensus."
EMPTY = "The reference has labelled no step."

Found = Mapping[str, Figure]


@dataclass(frozen=True)
class Voices:
    """What raters said, a column of `matrix` each, and `gold` (units,), `categories` where the reference said nothing;
    `titles` are of the values, `tasks` the names of the matrix's tasks."""

    matrix: Matrix
    raters: Sequence[str]
    gold: Codes
    titles: Sequence[str]
    tasks: Sequence[str]
    with_reference: bool = True

    @cached_property
    def votes(self) -> Votes:
        return gathered(self.matrix.labels, self.matrix.categories)

    @cached_property
    def known(self) -> Bools:
        """(units,): whether the reference labelled it."""
        return np.asarray(self.gold < self.matrix.categories)

    def wrong(self, one: Consensus) -> Bools:
        return np.asarray(one.labels != self.gold)


@dataclass(frozen=True)
class Compared:
    """`made` by the names of EVERY; their figures against the reference, and those of every rater alone."""

    voices: Voices
    made: Mapping[str, Consensus]
    methods: Mapping[str, Found]
    raters: Mapping[str, Found]

    def entry(self, name: str) -> dict[str, Any]:
        """An ENTRY."""
        return _entry(self.voices, self.made[name], self.methods[name], name)

    def best_rater(self) -> dict[str, Any]:
        """The rater of the greatest accuracy; of equals the first by name."""
        known = {name: one for name, one in self.raters.items() if one["step_acc"].value is not None}
        if not known:
            reason = NO_RATER if self.voices.with_reference else NO_REFERENCE
            return {"rater": None, **dict.fromkeys(SHOWN), "reasons": dict.fromkeys(("rater", *SHOWN), reason)}
        best = max(known, key=lambda name: known[name]["step_acc"].value or 0.0)
        return {"rater": best, **_shown(known[best])}


def compare(voices: Voices, resamples: int, seed: int, told: Callable[[], None] = lambda: None) -> Compared:
    """`told` is called after each method."""
    made: dict[str, Consensus] = {}
    for name in EVERY:
        made[name] = METHODS[name](voices.votes) if name in METHODS else _anchored(voices)
        told()
    columns = {("method", name): one.labels for name, one in made.items()}
    columns |= {("rater", name): voices.matrix.labels[:, place] for place, name in enumerate(voices.raters)}
    blocks = {key: measures.against(voices.matrix, voices.gold, one, voices.titles) for key, one in columns.items()}
    found = figures(blocks, resamples, seed) if voices.with_reference else {}
    without = {key: Figure(None, reason=NO_REFERENCE) for key in SHOWN.values()}
    of: dict[str, dict[str, Found]] = {"method": {}, "rater": {}}
    for kind, name in columns:
        of[kind][name] = found.get((kind, name), without)
    return Compared(voices, made, of["method"], of["rater"])


def _anchored(voices: Voices) -> Consensus:
    if not voices.with_reference:
        return nothing(voices.votes, NO_REFERENCE)
    matrix = voices.matrix
    return anchored.elsewhere(matrix.labels, voices.gold, matrix.task, voices.tasks, matrix.categories)


def _entry(voices: Voices, one: Consensus, found: Found, name: str) -> dict[str, Any]:
    decided = int((one.labels < voices.matrix.categories).sum())
    steps, silent = len(one.labels), int((voices.votes.of == SILENT_UNIT).sum())
    if one.reason:
        found = {key: Figure(None, reason=one.reason) for key in found}
    shown = _shown(found)
    fitted: dict[str, Any] = {
        "log_likelihood": one.log_likelihood,
        "bound": one.bound,
        "rounds": len(one.trace) or None,
        "converged": one.converged,
        "expected_error": risk.expected_error(one),
    }
    why = {"log_likelihood": NO_LIKELIHOOD, "bound": NO_BOUND, "expected_error": NO_LABEL}
    if not one.trace:
        without = LEARNT if name == ANCHORED else NO_MODEL
        why |= dict.fromkeys(("log_likelihood", "bound", "rounds", "converged"), without)
    reasons = {key: one.reason or why[key] for key, value in fitted.items() if value is None}
    return {
        **shown,
        "steps": steps,
        "decided": decided,
        "ties": 0 if one.reason else steps - decided - silent,
        "silent": silent,
        **fitted,
        "weights": by_rater(voices, one.weight),
        "risk": risk.coverage_table(one.risk, voices.wrong(one), known=voices.known),
        "reasons": shown["reasons"] | reasons,
    }


def by_rater(voices: Voices, values: Any) -> dict[str, float | None]:
    """A number a rater, by name; null where it is not known, or there is none at all."""
    found = values if values is not None else np.full(len(voices.raters), np.nan)
    return {rater: None if np.isnan(value) else float(value) for rater, value in zip(voices.raters, found, strict=True)}


def _shown(found: Found) -> dict[str, Any]:
    said: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, key in SHOWN.items():
        one = found[key]
        said[name] = one.value
        ends = {f"{name}_low": one.low, f"{name}_high": one.high} if name in INTERVAL else {}
        said |= ends
        reasons |= {each: one.reason or EMPTY for each in (name, *ends) if said[each] is None}
    return {**said, "reasons": reasons}
