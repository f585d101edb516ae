"""What the figures of a report's fields are called, in the order they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FIGURES = {
    "alpha_ordinal": "Krippendorff’s α, ordinal",
    "alpha_interval": "Krippendorff’s α, interval",
    "alpha_masi": "Krippendorff’s α, sets (MASI)",
    "alpha_characters": "Krippendorff’s α over characters",
    "alpha_nominal": "Krippendorff’s α, nominal",
    "jaccard": "Mean overlap of the sets",
    "mean_difference": "Mean difference",
    "percent": "Same answer",
    "sides": "Same one, where both choose one",
    "half": "Same answer, a tie beside a choice counting half",
    "both_orders": "Same in both orders, each with themselves",
    "f1_exact": "F1, same span",
    "f1_iou": "F1, half of the union or more",
    "f1_overlap": "F1, any overlap",
    "exact": "Same step, where both name one",
    "near": "At most one step off, where both name one",
    "none_percent": "Both or neither say none",
    "none_alpha": "Krippendorff’s α of none or a step",
}
ALIKE = {"ranking": {"percent": "Ordered alike"}}
UNITS = {"tool_call": "tool call"}


WITHOUT = {"by_hand": "without_propagated", "unaided": "without_accepted"}  # a row's figures → the report's section


def rows(result: dict[str, Any], without: str = "") -> Iterator[dict[str, Any]]:
    """The fields of a report for a page or a terminal: {"title", "part", "of", "level", "reason", "figures": [{"title",
    "figure", "people"}]}. `without` is one of WITHOUT: those without propagated labels, or without accepted ones too,
    where there are any. A report of before there were fields has none."""
    for row in result.get("fields") or []:
        figures = row["figures"]
        if without:
            figures = row.get(without) or row["by_hand"] or figures
        people = {} if without else row["people"] or {}
        titles = FIGURES | ALIKE.get(row["level"], {})
        yield {
            **row,
            "of": UNITS.get(row["of"], row["of"]),
            "figures": [
                {"title": title, "figure": figures[name], "people": people.get(name)}
                for name, title in titles.items()
                if name in figures
            ],
        }


def can_go_without(result: dict[str, Any]) -> list[str]:
    """Those of WITHOUT that are something else than the report on all labels."""
    fields = result.get("fields") or []
    return [
        key
        for key, section in WITHOUT.items()
        if result.get(section) is not None or any(row.get(key) for row in fields)
    ]


def glance(result: dict[str, Any]) -> list[tuple[str, float | None]]:
    """The main field's first three figures by their titles: its alpha at its own level comes first."""
    for row in rows(result):
        if row["field"] == result["field"] and row["figures"]:
            return [(one["title"], one["figure"]["value"]) for one in row["figures"][:3]]
    return []


def alpha(result: dict[str, Any]) -> float | None:
    """Krippendorff's alpha of the main field at its own level; in a report of before there were fields the ordinal."""
    found = glance(result)
    return found[0][1] if found else result.get("alpha_ordinal")
