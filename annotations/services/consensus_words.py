"""What the methods of a consensus are called and do, a report's rows for a page, and its tables to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Any, NamedTuple

from annotations.models import Report
from annotations.services.consensus import RATERS


class Method(NamedTuple):
    title: str
    about: str


METHODS = {
    "majority": Method("Majority", "The value that most raters gave. A tie is no consensus."),
    "wawa": Method("Wawa", "Votes again, each rater weighing as much as they are with the majority."),
    "one_coin": Method("One coin", "Each rater is right with one probability of their own, whatever the truth."),
    "dawid_skene": Method("Dawid–Skene", "Each rater mistakes each value for each other as often as a table says."),
    "mace_vb": Method("MACE, variational", "Each rater knows, or guesses by a habit of their own."),
    "mace_em": Method("MACE, EM", "The same, fitted to what makes all labels likeliest."),
    "gold_anchored": Method(
        "Gold-anchored", "Tables as in Dawid–Skene, learnt from the reference’s labels of other tasks."
    ),
}
FIGURES = (("accuracy", "Accuracy"), ("macro_f1", "Macro F1"), ("kappa", "Cohen’s κ"))
LISTED = 20  # of the least sure steps as many are seen at once
ALONE = "The best rater alone"


def title(name: str) -> str:
    return METHODS[name].title if name in METHODS else name


def rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The methods for a page, each with its words and "figures", in the order of FIGURES."""
    return [
        {**one, "title": title(one["name"]), "about": METHODS[one["name"]].about, "figures": _figures(one)}
        for one in result["methods"]
    ]


UNITS = {"step": "step", "tool_call": "tool call", "sentence": "sentence", "trajectory": "trajectory"}


def unit(result: Mapping[str, Any]) -> tuple[str, str]:
    """What is labelled, one and many."""
    one = UNITS.get(result["target"], result["target"])
    return one, "trajectories" if one == "trajectory" else f"{one}s"


def shown(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The method of that name, or the one to show first, with what a page says of it beside."""
    every = {one["name"]: one for one in rows(result)}
    one = every.get(name) or every[likely(result)]
    units = result["counts"]["units"]
    doubtful = [{**row, "counts": [row["said"][value] for value in result["values"]]} for row in one["doubtful"]]
    return {
        **one,
        "too_sure": any(too_sure(row, one["is_probability"]) for row in one["thresholds"]),
        "spoken": one["steps"] - one["silent"],
        "top": max((row[name] or 0.0 for row in one["risk"] for name in ("expected", "error")), default=0.0),
        "thresholds": [{**row, "left": units - row["accepted"]} for row in one["thresholds"]],
        "doubtful": doubtful[:LISTED],
        "more": doubtful[LISTED:],
        "listed": len(doubtful),
    }


def alone(result: Mapping[str, Any]) -> dict[str, Any]:
    """The best single rater in the same form."""
    best = result["best_rater"]
    return {**best, "figures": _figures(best), "reason": best["reasons"].get("rater", "")}


def _figures(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "value": one[name],
            "low": one.get(f"{name}_low"),
            "high": one.get(f"{name}_high"),
            "reason": one["reasons"].get(name, ""),
        }
        for name, _ in FIGURES
    ]


def likely(result: Mapping[str, Any]) -> str:
    """The method to show first: the most accurate, else Dawid and Skene's where it could be fitted, else the votes."""
    fit = [one for one in result["methods"] if not one["reason"]]
    known = [one for one in fit if one["accuracy"] is not None]
    if known:
        return str(max(known, key=lambda one: one["accuracy"])["name"])
    return "dawid_skene" if any(one["name"] == "dawid_skene" for one in fit) else "majority"


APART = 0.05  # by how much more than expected may be wrong before a page says so


def too_sure(row: Mapping[str, Any], is_probability: bool) -> bool:
    """Whether far more of these labels are found wrong than the method expects."""
    known = is_probability and row["error"] is not None and row["expected"] is not None
    return bool(known and row["error"] - row["expected"] > APART)


def warnings(result: Mapping[str, Any]) -> Iterator[str]:
    """What must not be overread, in sentences."""
    best = result["best_rater"]
    known = [one for one in result["methods"] if one["accuracy"] is not None]
    if best["rater"] and known and all(one["accuracy"] <= best["accuracy"] for one in known):
        yield f"No consensus is more accurate than {best['rater']} alone: use that rater’s labels, or other raters."
    for one in result["methods"]:
        if one["converged"] is False:
            rounds = one["rounds"]
            yield f"{title(one['name'])} was still rising after {rounds} rounds: its numbers are not at their end."
    if result["reference"] and result["counts"]["reference"] == 0:
        yield f"{result['reference']} has labelled nothing in this field, so nothing says who is right."


def raters_of(config: Mapping[str, Any]) -> str:
    """Who had a voice, in words."""
    asked = config.get("raters")
    return ", ".join(asked) if isinstance(asked, list) else RATERS.get(str(asked), str(asked)).lower()


def command(report: Report) -> str:
    """The command that computes it again."""
    asked = report.config
    raters = asked["raters"] if isinstance(asked["raters"], list) else [asked["raters"]]
    parts = ["python manage.py consensus", report.project.slug, "--field", asked["field"]]
    parts += [f"--raters {quote(one)}" for one in raters]
    parts.append(f"--reference {quote(asked['reference'])}")
    return " ".join([*parts, *(["--by-hand"] if asked.get("by_hand") else [])])


def glance(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a list says of a report: {"method" to show first, "accuracy", its, "best", the best rater alone, and
    "alone", that one's accuracy}; null where it is not known."""
    name, best = likely(result), result["best_rater"]
    accuracy = next(one["accuracy"] for one in result["methods"] if one["name"] == name)
    return {"method": name, "accuracy": accuracy, "best": best["rater"], "alone": best["accuracy"]}


HEAD = ("table", "method", "row", "figure", "value", "low", "high", "n", "reason")


def table(result: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """All tables of a report as one: which table, method and row, a figure, its value; None is not known."""
    yield HEAD
    for one in result["methods"]:
        yield from _of_method(one)
        yield from _of_raters(one, result["values"])
        yield from _of_risk(one)
        yield from _of_calibration(one)
    best = result["best_rater"]
    for figure, (name, _) in zip(_figures(best), FIGURES, strict=True):
        yield "methods", ALONE, best["rater"] or "", name, *_cells(figure)
    for rater in result["raters"]:
        for name in ("accuracy", "coverage"):
            yield "raters", "", rater["name"], name, *_cells(rater[name])
        yield "raters", "", rater["name"], "labels", rater["labels"], None, None, None, ""


COUNTS = ("steps", "decided", "ties", "silent", "expected_error", "log_likelihood", "bound", "rounds", "converged")


def _of_method(one: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for figure, (name, _) in zip(_figures(one), FIGURES, strict=True):
        yield "methods", one["name"], "", name, *_cells(figure)
    for name in COUNTS:
        yield "methods", one["name"], "", name, one[name], None, None, None, one["reasons"].get(name, "")


def _of_raters(one: Mapping[str, Any], values: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for rater in one["quality"]:
        for name in ("right", "trust"):
            yield "learnt", one["name"], rater["rater"], name, rater[name], None, None, None, ""
        for truth, shares in zip(values, rater["confusion"], strict=True):
            for said, share in zip(values, shares or [], strict=False):
                yield "confusion", one["name"], rater["rater"], f"{truth} called {said}", share, None, None, None, ""


def _of_risk(one: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for row in one["risk"]:
        for name in ("accepted", "risk", "expected", "error"):
            yield "coverage", one["name"], row["share"], name, row[name], None, None, row["accepted"], ""
    for row in one["thresholds"]:
        for name in ("accepted", "coverage", "trajectories", "expected", "errors", "error"):
            of = row["checked"] if name == "error" else row["accepted"]
            yield "thresholds", one["name"], row["at"], name, row[name], None, None, of, ""


def _of_calibration(one: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for name in ("brier", "ece", "auroc"):
        yield "calibration", one["name"], "", name, *_cells(one["calibration"][name])
    for row in one["calibration"]["bins"]:
        ends = f"{row['from']:.6g} to {row['to']:.6g}"
        yield "reliability", one["name"], ends, "said", row["said"], None, None, row["n"], ""
        yield "reliability", one["name"], ends, "seen", row["seen"], row["low"], row["high"], row["n"], ""


def _cells(figure: Mapping[str, Any]) -> tuple[Any, ...]:
    return figure["value"], figure.get("low"), figure.get("high"), figure.get("n"), figure.get("reason") or ""
