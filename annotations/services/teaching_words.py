"""What came of teaching the embedded scorer, in words and rows."""

from __future__ import annotations

from typing import Any

from annotations.models import Run

FIGURES = {"auroc": "AUROC", "macro_f1": "macro-F1", "step_acc": "StepAcc", "brier": "Brier", "ece": "ECE"}
MODELS = {"embedded": "embedded", "structure_only": "shape alone", "always_right": "always right"}


def lines(run: Run) -> list[str]:
    """For a person at a command line."""
    model: dict[str, Any] = run.result.get("model") or {}
    said = [f"Run {run.pk}: {run.state}."]
    if model.get("kind") == "project":
        said.append("It learned from this project, and what it learned is used.")
    elif model:
        said.append(f"The shipped prior is used: {model['reason']}.")
    said += table(model.get("report") or {})
    if again := run.result.get("scoring"):
        said.append(f"Run {again} scores the project again.")
    return said


def table(report: dict[str, Any]) -> list[str]:
    """The out-of-fold figures of the model beside the baselines."""
    if not report:
        return []
    head = f"Out of fold, {report['steps']} steps of {report['trajectories']} trajectories in {report['tasks']} tasks:"
    return [head, *(f"  {title}: {_figures(report[name])}" for name, title in MODELS.items() if name in report)]


def _figures(one: dict[str, float | None]) -> str:
    return ", ".join(f"{title} {_short(one.get(name))}" for name, title in FIGURES.items())


def _short(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
