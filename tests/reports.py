"""An agreement report as models_service.statistics.report describes it, with something undefined in it."""

from __future__ import annotations


def full() -> dict[str, object]:
    """One judge against gold, with everything a report can hold."""
    known = {"value": 0.8, "low": 0.7, "high": 0.9, "n": 9, "reason": ""}
    unknown = {"value": None, "low": None, "high": None, "n": 0, "reason": "only one rater"}
    names = ("step_acc", "first_err_acc", "macro_f1", "coverage", "percent")
    rater = {
        "kind": "judge",
        "title": "a-judge",
        "step_acc": 0.8,
        "failed": 0,
        "missing": 1,
        "figures": dict.fromkeys(names, known) | {"kappa": unknown, "recall": [known, unknown, known]},
        "confusion": {"rows": ["1", "0", "-1"], "columns": ["1", "0", "-1", "none"], "table": [[1, 2, 3, 4]] * 3},
    }
    overall = {
        "percent": 0.8,
        "alpha_ordinal": 0.8,
        "alpha_nominal": 0.8,
        "fleiss_kappa": None,
        "figures": {"percent": known, "alpha_ordinal": known, "alpha_nominal": known, "fleiss_kappa": unknown},
    }
    against = {
        "raters": {"a-judge": rater},
        "baselines": {value: rater | {"kind": "baseline", "title": f"always {value}"} for value in ("1", "0", "-1")},
        "pairs": [{"a": "gold", "b": "a-judge", "percent": 0.5, "kappa": None, "n": 9, "reason": "no variation"}],
    }
    counted = ("raters", "tasks", "trajectories", "steps", "labels", "propagated", "failed")
    whole = {"figures": {"accuracy": known, "kappa": unknown, "coverage": known}, "confusion": None}
    return (
        {
            "reference": "gold",
            "official": False,
            "field": "label",
            "values": ["1", "0", "-1"],
            "resamples": 2000,
            "confidence": 0.95,
            "counts": dict.fromkeys(counted, 3),
            "people": overall,
            "final": overall | {"values": ["1", "-1"], "raters": {"a-judge": whole}},
            "without_propagated": overall | against,
            "fields": [
                _row("label", "ordinal", {"alpha_ordinal": known, "percent": known}, by_hand={"percent": unknown}),
                _row("marks", "spans", {"alpha_characters": unknown, "f1_exact": known}, part="slip", left_out=2),
                _row("note", "none", {}, reason="It is free text: what people write is not compared."),
            ],
        }
        | overall
        | against
    )


def _row(name: str, level: str, figures: dict[str, object], **more: object) -> dict[str, object]:
    """A row of the section on fields, as models_service.statistics.fields describes it."""
    counted = {"raters": 2, "units": 9, "labels": 18, "left_out": 0}
    about = {"field": name, "part": "", "title": name.title(), "kind": "choice", "of": "tool_call", "level": level}
    return about | counted | {"figures": figures, "people": figures or None, "by_hand": None, "reason": ""} | more
