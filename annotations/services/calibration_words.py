"""What the figures of a calibration are called, for a page, a terminal and a table to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FIGURES = {
    "log_loss": "Log-loss",
    "brier": "Brier score",
    "ece_counts": "Calibration error, bins of equally many steps",
    "ece_spans": "Calibration error, equal spans of P(wrong)",
    "ece_sides": "Calibration error of the likelier side, equal spans",
    "auroc": "AUROC of the wrong steps",
    "average_precision": "Average precision of the wrong steps",
}
FIRST_ERROR = {
    "f1": "F1 of the first error (ProcessBench)",
    "accuracy": "First error met, or none called where there is none",
    "error": "Met, of trajectories with an error",
    "clean": "None called, of trajectories without one",
    "offset": "Steps off, where one is called and there is one",
}
WAYS = {"before": "as the scorer says it", "after": "calibrated"}
COLUMNS = ("which", "bins", "from", "to", "steps", "said P(not wrong)", "seen not wrong", "low", "high")


def figures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """A row per measure: {"title", "before", "after", "change"}, figures; no change where it is none of a loss."""
    return [
        {"title": title, **{name: report[name].get(key) for name in ("before", "after", "change")}}
        for key, title in FIGURES.items()
    ]


def first_error(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(title, report["first_error"]["figures"][key]) for key, title in FIRST_ERROR.items()]


def ways(report: dict[str, Any]) -> dict[str, str]:
    """What there is to show of it, with its name: both, or one where the two are the same or there is one only."""
    if report["method"] == "unchanged":
        return {"after": WAYS["before"]}
    return {way: name for way, name in WAYS.items() if way in report["bins"]}


def table(report: dict[str, Any]) -> Iterator[list[Any]]:
    """The rows of COLUMNS: both ways to bin, before and after. All of them say P(not wrong)."""
    for way, name in ways(report).items():
        for one in report["bins"][way]:
            ends = [one["from"], one["to"]]
            yield [name, "equally many", *ends, one["n"], one["said"], one["seen"], one["low"], one["high"]]
    for way, name in ways(report).items():
        for one in reversed(report["spans"][way]):  # spans are of P(wrong)
            said = [None if one[key] is None else 1 - one[key] for key in ("said", "seen")]
            yield [name, "equal spans", 1 - one["to"], 1 - one["from"], one["n"], *said, None, None]


def lines(report: dict[str, Any]) -> list[str]:
    """The report for a person at a terminal."""
    said = [
        f"{report['method']}, fitted to {report['steps']} labelled steps of {report['trajectories']} trajectories, "
        f"{report['tasks']} tasks; {report['wrong']} are wrong. Out of fold, intervals by resampling tasks:",
        f"  {'':50}{'before':>24}{'after':>24}{'change':>26}",
    ]
    for row in figures(report):
        cells = [_figure(row[name]) for name in ("before", "after", "change")]
        said.append(f"  {row['title']:50}{cells[0]:>24}{cells[1]:>24}{cells[2]:>26}")
    said += [f"  {title:50}{'':24}{_figure(one):>24}" for title, one in first_error(report)]
    for one in report["tried"]:
        why = one["reason"] or f"log-loss {one['loss']:.4f}"
        said.append(f"  tried: {one['method']}: {why}")
    return [*said, f"  saying the share of right steps: log-loss {report['base_rate']:.4f}", *report["warnings"]]


def _figure(figure: dict[str, Any] | None) -> str:
    if figure is None or figure["value"] is None:
        return "–"
    between = "" if figure["low"] is None else f" ({figure['low']:.3f}, {figure['high']:.3f})"
    return f"{figure['value']:.3f}{between}"
