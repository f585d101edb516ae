"""How a judge moved between its versions: what was changed, and what that did on the same trajectories."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from annotations.models import Judge
from annotations.services.guidelines import Line, difference

UNTOLD = ("examples",)  # told by their number


class Moved(NamedTuple):
    """From one version to the next that was measured. `pair` is the later one less the earlier one, None where the
    report has none; `kappas` are theirs, each over all it labelled."""

    before: Judge
    after: Judge
    changes: list[tuple[str, str, str]]  # what, from, to
    prompt: list[Line]
    guideline: list[Line]
    pair: dict[str, Any] | None
    kappas: tuple[dict[str, Any], dict[str, Any]]


def of(result: Mapping[str, Any], judge: Judge) -> list[Moved]:
    """The steps between the versions of the judge that stand in the report, oldest first."""
    rows = {row["key"]: row for row in result["rows"]}
    family = Judge.objects.filter(project=judge.project_id, name=judge.name)
    versions = [
        one for one in family.select_related("guideline", "server").order_by("version") if str(one.rater_id) in rows
    ]
    return [_moved(result, rows, before, after) for before, after in pairwise(versions)]


def _moved(result: Mapping[str, Any], rows: Mapping[str, Any], before: Judge, after: Judge) -> Moved:
    keys = str(before.rater_id), str(after.rater_id)
    words = [one.guideline.text if one.guideline else "" for one in (before, after)]
    return Moved(
        before,
        after,
        list(_changes(before, after)),
        difference(before.prompt, after.prompt),
        difference(*words),
        pair(result, keys[1], keys[0]),
        (rows[keys[0]]["figures"]["kappa"], rows[keys[1]]["figures"]["kappa"]),
    )


def _changes(before: Judge, after: Judge) -> Iterator[tuple[str, str, str]]:
    told = [("server", before.server.title, after.server.title), ("model", before.model, after.model)]
    told.append(("prompt", before.prompt_name, after.prompt_name))
    told.append(("guidelines", _guideline(before), _guideline(after)))
    for name in sorted({*before.settings, *after.settings} - set(UNTOLD)):
        told.append((name.replace("_", " "), _said(before.settings.get(name)), _said(after.settings.get(name))))
    shown = [str(len(one.settings.get("examples") or [])) for one in (before, after)]
    told.append(("examples", shown[0], shown[1]))
    yield from (one for one in told if one[1] != one[2])


def _guideline(judge: Judge) -> str:
    return f"version {judge.guideline.version}" if judge.guideline else "none"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pair(result: Mapping[str, Any], one: str, other: str) -> dict[str, Any] | None:
    """The comparison of two rows of the report, the first less the second; None where it was not made."""
    for found in result["pairs"]:
        if (found["a"], found["b"]) == (one, other):
            return dict(found)
        if (found["a"], found["b"]) == (other, one):
            return _turned(found)
    return None


def _turned(found: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = {"better": "worse", "worse": "better"}
    figures = {
        name: {
            **figure,
            "a": figure["b"],
            "b": figure["a"],
            "value": _minus(figure["value"]),
            "low": _minus(figure["high"]),
            "high": _minus(figure["low"]),
            "verdict": verdicts.get(figure["verdict"], figure["verdict"]),
        }
        for name, figure in found["figures"].items()
    }
    ends = {"a": found["b"], "b": found["a"], "won": found["lost"], "lost": found["won"]}
    return {**found, **ends, "figures": figures}


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
