"""The agreement report of a label table.

`compute` gives a JSON object. Fractions are 0..1 at full precision; null where undefined. A stored report loses the
order of its keys: go by "values" and by lists where order matters.

    {"reference": name or null,  "official": bool,  "field": "label",  "values": ["1", "0", "-1"],
     "resamples": 2000,  "seed": 0,  "confidence": 0.95,
     "counts": {"raters", "tasks", "trajectories", "steps", "labels", "propagated", "accepted",
                "failed"},

     …SECTION over all labels, its keys right here at the top…,

     "people": OVERALL over the human raters alone, or null when there are fewer than two,
     "final":  SECTION over the verdicts on whole trajectories with "values" of its own, "accuracy" for step_acc, and
               neither first_err_acc nor baselines; or null where the scheme asks for none,
     "without_propagated": SECTION over labels that were not propagated, or null when none was,
     "without_accepted": SECTION over labels that were neither propagated nor suggested and accepted, without
               first_err_acc, or null when none was accepted,
     "fields": a row for every field of the scheme and its parts, see statistics.fields}

Where the main field is no choice of a whole step or trajectory, "values" is empty, the SECTION at the top has no raters
and says why its figures are null, and "counts" are of the main field's answers; "final" and "fields" are as ever.

    SECTION = {OVERALL…, "raters": {NAME: RATER}, "baselines": {"1": RATER, "0": RATER, "-1": RATER},
               "pairs": [{"a": NAME, "b": NAME, "percent", KAPPAS, "n", "reason"}, …]}
    OVERALL = {"percent", "alpha_ordinal", "alpha_nominal", "alpha_interval", "fleiss_kappa", "conger_kappa",
               "brennan_prediger", "ac1", "ac2_linear", "ac2_quadratic", "figures": {each of these: FIGURE}}
    RATER   = {"kind", "title", "step_acc", "first_err_acc", "macro_f1", "recall": {"1", "0", "-1"}, "coverage",
               KAPPAS, "percent", "failed": trajectories whose pass failed, "missing": trajectories without a pass,
               "figures": {step_acc, first_err_acc, macro_f1, coverage, KAPPAS, percent: FIGURE,
                           "recall": [FIGURE with "label", in the order of "values"]},
               "confusion": {"rows": ["1", "0", "-1"], "columns": ["1", "0", "-1", "none"], "table": [[int]]}}
    KAPPAS  = "kappa", "kappa_linear", "kappa_quadratic" (the last two null where the values have no order)
    FIGURE  = {"value", "low", "high", "n", "reason"}

The reference has no row of its own in "raters". A confusion's rows are what the reference said. `n` is what the value
was computed from: steps of the reference (step_acc, macro_f1, recall of its class, coverage), its trajectories
(first_err_acc), steps both labelled (kappas, percent of a rater), steps labelled twice or more (overall; all but alpha
look for chance also at steps labelled once). `reason` says in words why value, or low and high, are null; else "".

With `official` step_acc and first_err_acc follow the released AgentProcessBench script (statistics.official) and each
RATER has "step_exact" and "failed_ratio" as it defines them; the rest stays ours, as do the sections without some
labels. A reference that is a consensus is made of what the others say, so OVERALL is of the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from annotations.tables import FieldTable, FieldTables, LabelTable
from models_service.statistics import assemble, fields
from models_service.statistics.figures import CONFIDENCE, Figure, figures
from models_service.statistics.matrices import numbers
from models_service.statistics.sections import OVERALL, Found, Part, titles

RESAMPLES = 2000
NO_CHOICE = "The main field is no choice of a whole step or trajectory: see the fields."
NOBODY = FieldTables((), 0, ())


def compute(
    table: LabelTable,
    every: FieldTables = NOBODY,
    *,
    official: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """The report. ValueError where the released arithmetic is asked of labels that are not whole numbers."""
    if official and not (table.values and all(type(value) is int for value in table.values)):
        raise ValueError("The released arithmetic is for labels that are whole numbers; this field's are not.")
    parts = assemble.parts(table, official)
    # One call for all parts: the resamples are drawn once, and all intervals come from the same ones.
    found = figures({(name, *key): block for name, part in parts.items() for key, block in part.blocks().items()},
                    resamples, seed)  # fmt: skip
    mine = {name: {key[1:]: each for key, each in found.items() if key[0] == name} for name in parts}
    names = [rater.name for rater in table.raters]
    return {
        "reference": None if table.reference is None else names[table.reference],
        "official": official,
        "field": table.main,
        "values": titles(table.values),
        "resamples": resamples,
        "seed": seed,
        "confidence": CONFIDENCE,
        "counts": counts(table) if table.values else counts(table) | _counted(every, table.main),
        **(_section(parts["all"], mine["all"], names) if table.values else _no_choice()),
        "people": parts["people"].overall(mine["people"]) if "people" in parts else None,
        "final": _final(parts["final"], mine["final"], names) if "final" in parts else None,
        "without_propagated": _section(parts["by hand"], mine["by hand"], names) if "by hand" in parts else None,
        "without_accepted": _section(parts["unaided"], mine["unaided"], names) if "unaided" in parts else None,
        "fields": fields.section(every, resamples, seed),
    }


def _section(part: Part, found: Found, names: list[str]) -> dict[str, Any]:
    return part.overall(found) | part.against(found) | {"pairs": part.pairs(names)}


def _final(part: Part, found: Found, names: list[str]) -> dict[str, Any]:
    """Verdicts on trajectories: accuracy is theirs, first errors are not."""
    section = _section(part, found, names)
    del section["baselines"]
    for row in section["raters"].values():
        for values in (row, row["figures"]):
            values["accuracy"] = values.pop("step_acc")
            del values["first_err_acc"]
    return section | {"values": part.values}


def _no_choice() -> dict[str, Any]:
    """A section that says why it has nothing."""
    nothing = Figure(None, reason=NO_CHOICE).as_json()
    overall = dict.fromkeys(OVERALL) | {"figures": dict.fromkeys(OVERALL, nothing)}
    return overall | {"raters": {}, "baselines": {}, "pairs": []}


def _counted(every: FieldTables, main: str) -> dict[str, int]:
    """What a report on that field was computed from."""
    table = next((one for one in every.fields if one.name == main), FieldTable(main, "", "", "", "none"))
    if table.spans is not None:
        return {
            "steps": len(table.spans.text_task),
            "labels": len(table.spans.span_text),
            "propagated": 0,
            "accepted": 0,
        }
    came = {"propagated": sum(table.label_propagated), "accepted": sum(table.label_accepted)}
    return {"steps": len(table.unit_task), "labels": len(table.label_unit), **came}


def counts(table: LabelTable) -> dict[str, int]:
    """What a report was computed from."""
    rated = np.unique(numbers(table.pass_trajectory))
    return {
        "raters": len(table.raters),
        "tasks": len(np.unique(numbers(table.task)[rated])),
        "trajectories": len(rated),
        "steps": len(np.unique(numbers(table.label_step))),
        "labels": len(table.label_step),
        "propagated": sum(table.label_propagated),
        "accepted": sum(table.label_accepted),
        "failed": sum(table.pass_failed),
    }
