"""What all raters say together, against the reference, of label files.

    {each of METHODS: ENTRY, over all sets, "best_rater": {"rater", "accuracy", "macro_f1", "kappa", "coverage", …},
     "raters", "sets": {SET: {the same}}}
    ENTRY = {"accuracy", "accuracy_low", "accuracy_high", "macro_f1", "kappa", "coverage", "steps", "decided", "ties",
             "silent", "log_likelihood", "bound", "rounds", "converged", "expected_error", "weights": {RATER: number},
             "risk": [ROW of statistics.consensus.risk.coverage_table], "reasons": {a name that is null: why}}

The reference is no voice in any of them but `gold_anchored`, which judges each step by what it has learnt of the raters
from the reference's labels of other tasks. A step without a consensus is wrong, as a step that a rater left out is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models_service.evaluating_sums import EMPTY, TITLES
from models_service.evaluating_together import Together
from models_service.statistics import measures
from models_service.statistics.consensus import anchored, confusion, mace, risk, voting
from models_service.statistics.consensus.outcome import Consensus
from models_service.statistics.consensus.votes import SILENT_UNIT, Votes, gathered
from models_service.statistics.figures import Figure, figures

METHODS: dict[str, Callable[[Votes], Consensus]] = {
    "majority": voting.majority,
    "wawa": voting.wawa,
    "one_coin": confusion.one_coin,
    "dawid_skene": confusion.dawid_skene,
    "mace_vb": mace.mace_vb,
    "mace_em": mace.mace_em,
}
ANCHORED = "gold_anchored"
SHOWN = {"accuracy": "step_acc", "macro_f1": "macro_f1", "kappa": "kappa", "coverage": "coverage"}
INTERVAL = ("accuracy",)
NO_RATER = "There is no rater."
NO_MODEL = "Votes are counted; nothing is fitted."
NO_LIKELIHOOD = "It is fitted by a bound of the evidence, which is given instead."
NO_BOUND = "It is fitted by its likelihood."
LEARNT = "It is learnt from the reference, not fitted to what the raters say."
NO_LABEL = "No step has a consensus."


def over_sets(
    sets: Sequence[str], each: Sequence[Together], everything: Together, resamples: int, seed: int
) -> dict[str, Any]:
    alone = [_all(one, resamples, seed) for one in each]
    whole = alone[0] if len(sets) == 1 else _all(everything, resamples, seed)
    return {**whole, "sets": dict(zip(sets, alone, strict=True))}


def _all(together: Together, resamples: int, seed: int) -> dict[str, Any]:
    matrix, gold = together.matrix, together.gold
    labels = together.alone.labels
    votes = gathered(labels, matrix.categories)
    made = {name: method(votes) for name, method in METHODS.items()}
    made[ANCHORED] = anchored.elsewhere(labels, gold, matrix.task, together.tasks, matrix.categories)
    columns = {("method", name): one.labels for name, one in made.items()}
    columns |= {("rater", name): labels[:, place] for place, name in enumerate(together.raters)}
    blocks = {key: measures.against(matrix, gold, column, TITLES) for key, column in columns.items()}
    found = figures(blocks, resamples, seed)
    silent = int((votes.of == SILENT_UNIT).sum())
    return {
        **{name: _entry(together, one, found["method", name], silent, name) for name, one in made.items()},
        "best_rater": _best({name: found["rater", name] for name in together.raters}),
        "raters": len(together.raters),
    }


def _best(raters: dict[str, dict[str, Figure]]) -> dict[str, Any]:
    """The rater of the greatest accuracy; of equals the first by name."""
    known = {name: one for name, one in raters.items() if one["step_acc"].value is not None}
    if not known:
        return {"rater": None, **dict.fromkeys(SHOWN), "reasons": dict.fromkeys(("rater", *SHOWN), NO_RATER)}
    best = max(known, key=lambda name: known[name]["step_acc"].value or 0.0)
    return {"rater": best, **_shown(known[best])}


def _entry(together: Together, one: Consensus, found: dict[str, Figure], silent: int, name: str) -> dict[str, Any]:
    decided = int((one.labels < together.matrix.categories).sum())
    steps = len(one.labels)
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
    weights = one.weight if one.weight is not None else np.full(len(together.raters), np.nan)
    return {
        **shown,
        "steps": steps,
        "decided": decided,
        "ties": 0 if one.reason else steps - decided - silent,
        "silent": silent,
        **fitted,
        "weights": {
            rater: None if np.isnan(weight) else float(weight)
            for rater, weight in zip(together.raters, weights, strict=True)
        },
        "risk": risk.coverage_table(one.risk, one.labels != together.gold),
        "reasons": shown["reasons"] | reasons,
    }


def _shown(found: dict[str, Figure]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, key in SHOWN.items():
        one = found[key]
        said[name] = one.value
        ends = {f"{name}_low": one.low, f"{name}_high": one.high} if name in INTERVAL else {}
        said |= ends
        reasons |= {each: one.reason or EMPTY for each in (name, *ends) if said[each] is None}
    return {**said, "reasons": reasons}
