#!/usr/bin/env python3
"""Scores predictions against the labels of a benchmark that was released with Stepmark. Needs nothing but Python.

    python score.py labels.test.jsonl predictions.jsonl [--json]

A line of predictions is {"id": ..., "labels": {MESSAGE: GRADE} or [GRADE, ...], "final": GRADE}. Grades are 1 (right),
0 (neither) and -1 (wrong). A list is in the order of the row's "steps"; "final" may be left out.

StepAcc pools the steps of all rows; a step that is not predicted counts as wrong. FirstErrAcc is the share of rows of
which the first wrong step, or that there is none, is found; a row counts only where all of its steps are predicted, so
that saying nothing finds nothing. StepExact is the share of rows with every step right. The baselines answer the same
of every step. Intervals: 95 %, from 1,000 resamples of tasks.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter, defaultdict
from typing import Any

GRADES = (1, 0, -1)
RESAMPLES = 1000
SHOWN = 10


def main(arguments: Any) -> Any:
    paths = [one for one in arguments if not one.startswith("--")]
    if len(paths) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    labels: dict[str, Any] = {}
    for number, row in lines(paths[0]):
        if row["id"] in labels:
            sys.exit(f"{paths[0]}, line {number}: the id {row['id']!r} is there twice")
        labels[row["id"]] = row
    predictions, problems = read(paths[1], labels)
    report = {**score(labels, predictions), "problems": problems}
    sys.stdout.write((json.dumps(report, indent=1) if "--json" in arguments else told(report)) + "\n")
    return 0


def lines(path: Any) -> Any:
    with open(path, encoding="utf-8") as stream:
        for number, text in enumerate(stream, start=1):
            if text.strip():
                try:
                    row = json.loads(text)
                except ValueError as exc:
                    sys.exit(f"{path}, line {number}: no JSON: {exc}")
                if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                    sys.exit(f"{path}, line {number}: found no id; accepted is an object with a text as id")
                yield number, row


def read(path: Any, labels: Any) -> Any:
    """Predictions by id, and what is wrong with others. Of two for one id the later counts."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    for number, row in lines(path):
        where = f"line {number}, {row['id']}"
        if row["id"] not in labels:
            problems.append(f"{where}: no such id")
            continue
        if row["id"] in found:
            problems.append(f"{where}: the id was there before; this line counts")
        steps, wrong = grades(row.get("labels"), labels[row["id"]]["steps"])
        problems += [f"{where}: {one}" for one in wrong]
        found[row["id"]] = {"labels": steps, "final": row.get("final")}
    return found, problems


def grades(said: Any, steps: Any) -> Any:
    """Step -> grade as predicted, and what cannot be taken."""
    if isinstance(said, list):
        if len(said) != len(steps):
            return {}, [f"found {len(said)} labels; accepted are {len(steps)}, one a step"]
        said = dict(zip(steps, said, strict=True))
    if not isinstance(said, dict):
        return {}, ["found no labels; accepted are an object of step to grade, or a list"]
    taken: dict[int, int] = {}
    problems: list[str] = []
    known = {str(step): step for step in steps}
    for key, value in said.items():
        if value is None:
            continue
        if str(key) not in known:
            problems.append(f"step {key} is not to be judged")
        elif isinstance(value, bool) or value not in GRADES:
            problems.append(f"step {key}: found {value!r}; accepted are 1, 0 and -1")
        else:
            taken[known[str(key)]] = int(value)
    return taken, problems


def score(labels: Any, predictions: Any) -> Any:
    rows = [judged(row, predictions.get(name)) for name, row in labels.items()]
    constant = {str(grade): always(labels, grade) for grade in GRADES}
    return {
        "rows": len(rows),
        "predicted": len(predictions),
        "steps": sum(row["steps"] for row in rows),
        "labels": {str(grade): sum(row["of"][grade] for row in rows) for grade in GRADES},
        "without_a_wrong_step": sum(row["clean"] for row in rows),
        **figures(rows),
        "intervals": intervals(rows),
        "baselines": constant,
    }


def always(labels: Any, grade: Any) -> Any:
    """The figures of who answers the same of every step, and nothing of the whole."""
    same = ({"labels": dict.fromkeys(row["steps"], grade), "final": None} for row in labels.values())
    return figures([judged(row, said) for row, said in zip(labels.values(), same, strict=True)])


def judged(row: Any, prediction: Any) -> Any:
    """What one row adds to each count."""
    truth = dict(zip(row["steps"], row["labels"], strict=True))
    said = (prediction or {}).get("labels", {})
    hits = {step for step, grade in truth.items() if said.get(step) == grade}
    whole = len(said) == len(truth)
    first = first_error(truth)
    final = (prediction or {}).get("final")
    return {
        "task": row["task"],
        "steps": len(truth),
        "hits": len(hits),
        "said": len(said),
        "exact": len(hits) == len(truth),
        "clean": first is None,
        "first": whole and first_error(said) == first,
        "of": Counter(truth.values()),
        "hit": Counter(truth[step] for step in hits),
        "predicted": Counter(said.values()),
        "final": None if row["final"] is None else final == row["final"] and not isinstance(final, bool),
    }


def first_error(steps: Any) -> Any:
    return min((step for step, grade in steps.items() if grade == -1), default=None)


def figures(rows: Any) -> Any:
    erroneous = [row for row in rows if not row["clean"]]
    clean = [row for row in rows if row["clean"]]
    finals = [row["final"] for row in rows if row["final"] is not None]
    recall = {str(g): share(sum(r["hit"][g] for r in rows), sum(r["of"][g] for r in rows)) for g in GRADES}
    precision = {str(g): share(sum(r["hit"][g] for r in rows), sum(r["predicted"][g] for r in rows)) for g in GRADES}
    return {
        "StepAcc": share(sum(row["hits"] for row in rows), sum(row["steps"] for row in rows)),
        "FirstErrAcc": share(sum(row["first"] for row in rows), len(rows)),
        "FirstErrAcc_with_error": share(sum(row["first"] for row in erroneous), len(erroneous)),
        "FirstErrAcc_without": share(sum(row["first"] for row in clean), len(clean)),
        "StepExact": share(sum(row["exact"] for row in rows), len(rows)),
        "coverage": share(sum(row["said"] for row in rows), sum(row["steps"] for row in rows)),
        "recall": recall,
        "precision": precision,
        "macro_F1": macro(recall, precision),
        "FinalAcc": share(sum(finals), len(finals)),
    }


def share(part: Any, whole: Any) -> Any:
    return part / whole if whole else None


def macro(recall: Any, precision: Any) -> Any:
    """Over the classes that the labels have."""
    kept = [(recall[key], precision[key] or 0) for key in recall if recall[key] is not None]
    return sum(2 * r * p / (r + p) if r + p else 0 for r, p in kept) / len(kept) if kept else None


def intervals(rows: Any) -> Any:
    by_task: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_task[row["task"]].append(row)
    tasks, draw = list(by_task.values()), random.Random(0)
    if len(tasks) < 2:
        return {}
    sums = [
        (sum(r["hits"] for r in some), sum(r["steps"] for r in some), sum(r["first"] for r in some), len(some))
        for some in tasks
    ]
    drawn = []
    for _ in range(RESAMPLES):
        hits, steps, firsts, count = map(sum, zip(*draw.choices(sums, k=len(sums)), strict=True))
        drawn.append((hits / steps, firsts / count))
    low, high = RESAMPLES // 40, RESAMPLES - RESAMPLES // 40 - 1
    ends = {name: sorted(one[place] for one in drawn) for place, name in enumerate(("StepAcc", "FirstErrAcc"))}
    return {name: [values[low], values[high]] for name, values in ends.items()}


def told(report: Any) -> Any:
    def number(value: Any) -> Any:
        return "undefined" if value is None else f"{value:.4f}"

    text = [
        f"{report['predicted']} of {report['rows']} rows predicted, {report['steps']} steps, labels {report['labels']}"
    ]
    for name in ("StepAcc", "FirstErrAcc", "FirstErrAcc_with_error", "FirstErrAcc_without", "StepExact", "macro_F1"):
        ends = report["intervals"].get(name)
        beside = f"  [{ends[0]:.4f}, {ends[1]:.4f}]" if ends else ""
        constant = ", ".join(f"always {g}: {number(one[name])}" for g, one in report["baselines"].items())
        text.append(f"{name:24}{number(report[name])}{beside}  ({constant})")
    for name in ("coverage", "FinalAcc"):
        text.append(f"{name:24}{number(report[name])}")
    text.append(f"{'recall':24}" + ", ".join(f"{grade}: {number(one)}" for grade, one in report["recall"].items()))
    if report["problems"]:
        text.append(f"{len(report['problems'])} problems:")
        text += [f"  {one}" for one in report["problems"][:SHOWN]]
        text += [f"  and {len(report['problems']) - SHOWN} more (--json)"] * (len(report["problems"]) > SHOWN)
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
