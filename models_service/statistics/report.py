"""The agreement report of a label table.

`compute` gives a JSON object. Fractions are 0..1 at full precision; null where undefined.

    {"reference": name or null,  "official": bool,  "field": "label",  "values": ["1", "0", "-1"],
     "resamples": 2000,  "seed": 0,  "confidence": 0.95,
     "counts": {"raters", "tasks", "trajectories", "steps", "labels", "propagated", "failed"},

     …SECTION over all labels, its keys right here at the top…,

     "people": OVERALL over the human raters alone, or null when there are fewer than two,
     "final":  {OVERALL…, "values": [...], "raters": {NAME: {"accuracy", "coverage", "kappa", "figures", "confusion"}}},
     "without_propagated": SECTION over labels that were given by hand, or null when no label was propagated}

    SECTION = {OVERALL…, "raters": {NAME: RATER}, "baselines": {"1": RATER, "0": RATER, "-1": RATER},
               "pairs": [{"a": NAME, "b": NAME, "percent", "kappa", "n", "reason"}, …]}
    OVERALL = {"percent", "alpha_ordinal", "alpha_nominal", "fleiss_kappa",
               "figures": {each of the four: FIGURE}}
    RATER   = {"kind", "title", "step_acc", "first_err_acc", "macro_f1", "recall": {"1", "0", "-1"}, "coverage",
               "kappa", "percent", "failed": trajectories whose pass failed, "missing": trajectories without a pass,
               "figures": {step_acc, first_err_acc, macro_f1, coverage, kappa, percent: FIGURE,
                           "recall": [FIGURE with "label", in the order of "values"]},
               "confusion": {"rows": ["1", "0", "-1"], "columns": ["1", "0", "-1", "none"], "table": [[int]]}}
    FIGURE  = {"value", "low", "high", "n", "reason"}

The reference has no row of its own in "raters". A confusion's rows are what the reference said. `n` is what the value
was computed from: steps of the reference (step_acc, macro_f1, recall of its class, coverage), its trajectories
(first_err_acc), steps both labelled (kappa, percent of a rater), steps labelled twice or more (overall; fleiss_kappa
also looks at steps labelled once, for chance). `reason` says in words why value, or low and high, are null; else "".

With `official` step_acc and first_err_acc follow the released AgentProcessBench script (statistics.official) and each
RATER has "step_exact" and "failed_ratio" as it defines them; the rest stays ours, as does without_propagated.
"""

from __future__ import annotations
