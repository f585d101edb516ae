"""Raters against a reference, by label files alone: no project, no trajectories, no database.

`evaluate` gives a JSON object; docs/judges.md says what each number is.

    {"official", "resamples", "seed", "confidence",
     "sets": {SET: {RATER: ROW}},
     "all": {RATER: ROW with "sets", the sets that it is of},
     "baselines": {"sets": {SET: {"1": ROW, "0": ROW, "-1": ROW}}, "all": {"1": ROW, "0": ROW, "-1": ROW}},
     "reference": {SET: {"trajectories", "steps", "tasks", "labels": {"1", "0", "-1"}, "clean"}},
     "many": how far all agree, see evaluating_many, "consensus": what they say together, see evaluating_consensus,
     "unreferenced": {SET: {RATER: predictions of records that the reference does not have}},
     "refused": [{"file", "line", "field", "reason"}], "notes": [text]}
    ROW = {COUNTS…, each of ROW, of some NAME_low and NAME_high, "recall": {"1", "0", "-1"},
           "reasons": {a name that is null: why}}

Ours is the arithmetic of the agreement report (statistics.measures): what a failed record says is not counted, and who
left out a step is wrong about the trajectory's first error. With `official`, step_acc, first_err_acc and what is made
of it, step_exact and steps are those of the released AgentProcessBench script (statistics.official).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models_service import evaluating_consensus, evaluating_many
from models_service.evaluating_files import Entry, by_rater, read
from models_service.evaluating_sums import TITLES, Held, Reference, ReferenceRefused, constant, held, reference_of
from models_service.evaluating_together import Together
from models_service.statistics.figures import CONFIDENCE, Block, Figure, figures

RESAMPLES = 2000
COUNTS = ("steps", "trajectories", "failed", "missing", "extra", "superseded")
# What a row calls a figure, and which measure of which block it is.
ROW = {
    "step_acc": ("steps", "step_acc"),
    "first_err_acc": ("first", "accuracy"),
    "step_exact": ("exact", "rate"),
    "macro_f1": ("steps", "macro_f1"),
    "kappa": ("steps", "kappa"),
    "kappa_linear": ("steps", "kappa_linear"),
    "kappa_quadratic": ("steps", "kappa_quadratic"),
    "coverage": ("steps", "coverage"),
    "error_f1": ("steps", "f1 -1"),
    "first_err_acc_error": ("first", "error"),
    "first_err_acc_clean": ("first", "clean"),
    "processbench_f1": ("first", "f1"),
}
WITH_INTERVAL = ("step_acc", "first_err_acc", "macro_f1", "kappa")
RELEASED = ("step_acc", "first_err_acc", "step_exact")  # 0 where there is nothing, as the script has it


@dataclass(frozen=True)
class _Way:
    """How rows are made."""

    official: bool
    resamples: int
    seed: int

    def by_set(self, sets: Sequence[str], found: Mapping[str, Mapping[str, Held]]) -> dict[str, Any]:
        return {one: self.rows({rater: [of[one]] for rater, of in found.items() if one in of}) for one in sets}

    def pooled(self, found: Mapping[str, Mapping[str, Held]]) -> dict[str, Any]:
        """Sums over the sets that a rater has said anything of, before dividing."""
        alike: dict[tuple[str, ...], dict[str, list[Held]]] = defaultdict(dict)
        for rater, of in found.items():
            alike[tuple(of)][rater] = list(of.values())
        rows = {
            rater: {**row, "sets": list(sets)}
            for sets, group in alike.items()
            for rater, row in self.rows(group).items()
        }
        return {rater: rows[rater] for rater in found}

    def rows(self, found: Mapping[str, Sequence[Held]]) -> dict[str, Any]:
        """A row for each rater, all of the same sets."""
        blocks = {
            (rater, key): Block(np.concatenate([one.blocks[key].sums for one in several]), block.measures)
            for rater, several in found.items()
            for key, block in several[0].blocks.items()
        }
        made = figures(blocks, self.resamples, self.seed)
        return {
            rater: self.row(
                {key: made[rater, key] for key in several[0].blocks},
                sum((one.counts for one in several), Counter()),
            )
            for rater, several in found.items()
        }

    def row(self, found: Mapping[str, Mapping[str, Figure]], counts: Counter[str]) -> dict[str, Any]:
        places = ROW | {"step_acc": ("released", "rate")} if self.official else ROW
        own = {name: found[block][measure] for name, (block, measure) in places.items()}
        plain: dict[str, Any] = {name: one.value for name, one in own.items()}
        if self.official:
            plain |= {name: plain[name] or 0.0 for name in RELEASED}
        reasons = {name: own[name].reason for name, value in plain.items() if value is None}
        for name in WITH_INTERVAL:
            plain |= {f"{name}_low": own[name].low, f"{name}_high": own[name].high}
            if own[name].low is None:
                reasons |= dict.fromkeys((f"{name}_low", f"{name}_high"), own[name].reason)
        recall = {title: found["steps"][f"recall {title}"] for title in TITLES}
        reasons |= {f"recall {title}": one.reason for title, one in recall.items() if one.value is None}
        recalled = {"recall": {title: one.value for title, one in recall.items()}, "kappa_steps": own["kappa"].n}
        return {**plain, **recalled, **{name: counts[name] for name in COUNTS}, "reasons": reasons}


def evaluate(
    reference: Sequence[Path], predictions: Sequence[Path], official: bool, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """See above. ReferenceRefused where the reference has a record twice, or no labelled step; OSError where a file
    cannot be opened."""
    gold = read(reference)
    references = {name: reference_of(gold.entries, name, official) for name in gold.datasets()}
    if not any(one.steps for one in references.values()):
        reasons = [f" {one.file}, line {one.line}: {one.reason}." for one in gold.refused[:3]]
        raise ReferenceRefused("The reference has no labelled step." + "".join(reasons))
    said = read(predictions, list(references))
    raters, notes = by_rater(said, predictions)
    found = {
        rater: {name: held(one, of[name], official) for name, one in references.items() if name in of}
        for rater, of in sorted(raters.items())
    }
    found = {rater: of for rater, of in found.items() if of}
    always = {
        title: {name: constant(one, place, official) for name, one in references.items()}
        for place, title in enumerate(TITLES)
    }
    way = _Way(official, resamples, seed)
    sets = list(references)
    together = [Together.of({name: references[name]}, found) for name in sets]
    everything = Together.of(references, found)
    return {
        **asdict(way),
        "confidence": CONFIDENCE,
        "sets": way.by_set(sets, found),
        "all": way.pooled(found),
        "baselines": {"sets": way.by_set(sets, always), "all": way.pooled(always)},
        "reference": {name: _about(one) for name, one in references.items()},
        "many": evaluating_many.over_sets(sets, together, everything, resamples, seed),
        "consensus": evaluating_consensus.over_sets(sets, together, everything, resamples, seed),
        "unreferenced": _unreferenced(references, raters),
        "refused": [asdict(one) for one in [*gold.refused, *said.refused]],
        "notes": notes,
    }


def _about(reference: Reference) -> dict[str, Any]:
    labels = np.bincount(reference.codes, minlength=len(TITLES))
    return {
        "trajectories": len(reference.entries),
        "steps": len(reference.steps),
        "tasks": reference.matrix.tasks,
        "labels": {title: int(labels[place]) for place, title in enumerate(TITLES)},
        "clean": len(reference.entries) - len(reference.wrong),
    }


def _unreferenced(
    references: Mapping[str, Reference], raters: Mapping[str, Mapping[str, Sequence[Entry]]]
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    known = {name: {entry.key for entry in one.entries} for name, one in references.items()}
    for rater, of in raters.items():
        for name, entries in of.items():
            if strangers := sum(one.key not in known.get(name, ()) for one in entries):
                found[name][rater] = strangers
    return found
