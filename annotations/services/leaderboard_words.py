"""What a leaderboard's figures are called, in which order rows stand, and the table to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from annotations.models import Project, Report, Run
from annotations.models.runs import RunQuerySet
from annotations.plots import Forest, forest


class Column(NamedTuple):
    """`name` is what an address sorts by."""

    name: str
    title: str
    about: str = ""


FIGURES = (
    Column("step_acc", "StepAcc", "Share of the reference’s steps with the same label; a step without one is wrong"),
    Column("first_err_acc", "FirstErr", "Share of trajectories with the same first error, or with none on both sides"),
    Column("first_err_acc_error", "on errors", "FirstErr over trajectories in which the reference has an error"),
    Column("first_err_acc_clean", "on clean", "FirstErr over trajectories in which the reference has none"),
    Column("processbench_f1", "F1 of both", "2·a·b / (a + b) of the two, as in ProcessBench"),
    Column("step_exact", "Exact", "Share of trajectories with every label right"),
    Column("macro_f1", "Macro F1", "Mean F1 of the values, so that rare ones count as much"),
    Column("kappa", "Cohen’s κ", "Agreement beyond chance over steps that both labelled"),
    Column("coverage", "Coverage", "Share of the reference’s steps that it labelled"),
)
OTHERS = (
    Column("failed", "Failed", "Trajectories of which it was asked, and has said nothing"),
    Column("missing", "Not asked", "Trajectories of the reference’s that it was not asked of"),
    Column("cost", "Per 1,000 steps", "What asking it cost, failed answers with it"),
    Column("seconds", "s / trajectory", "Time of its answers, one after another"),
)
NAME = Column("name", "Judge")
WITH_INTERVAL = ("step_acc", "first_err_acc", "macro_f1", "kappa")
SORTED = {one.name: one for one in (NAME, *FIGURES, *OTHERS)}
LOW_FIRST = frozenset(["name", "failed", "missing", "cost", "seconds"])
KINDS = {
    "human": "a person",
    "import": "imported",
    "consensus": "a consensus",
    "baseline": "constant answer",
    "ensemble": "nobody’s own labels",
}
MICRO = 1_000_000


def sorted_rows(result: Mapping[str, Any], sort: str) -> list[dict[str, Any]]:
    """Judges and constant answers together; "" is best first, a minus turns the order round. What has no number stands
    last either way."""
    rows = [*result["rows"], *result["baselines"]]
    name = sort.removeprefix("-")
    if name not in SORTED:
        name = "first_err_acc" if result["names_first"] else "step_acc"
    turned = (name not in LOW_FIRST) != (sort.startswith("-") and sort[1:] in SORTED)
    known = [row for row in rows if _key(row, name) is not None]
    ranked = sorted(known, key=lambda row: (_key(row, name), row["name"]), reverse=turned)
    return ranked + [row for row in rows if _key(row, name) is None]


def _key(row: Mapping[str, Any], name: str) -> Any:
    if name == "name":
        return str(row["name"]).casefold()
    if name in ("failed", "missing"):
        return row[name] if row["kind"] != "baseline" else None
    if name == "cost":
        return (row.get("cost") or {}).get("per_1000_steps")
    if name == "seconds":
        return (row.get("seconds") or {}).get("per_trajectory")
    return row["figures"][name]["value"]


def heads(sort: str) -> list[dict[str, Any]]:
    """The columns with the address that sorts by each, and how it is sorted now (for aria-sort)."""
    found = []
    for one in SORTED.values():
        here = sort.removeprefix("-") == one.name
        low = (one.name in LOW_FIRST) != sort.startswith("-")
        again = f"-{one.name}" if here and not sort.startswith("-") else one.name
        found.append({"column": one, "sort": again, "now": ("ascending" if low else "descending") if here else ""})
    return found


def cells(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures in the order of the columns; the interval only where the table has room for it."""
    found = []
    for one in FIGURES:
        figure = row["figures"][one.name]
        ends = {} if one.name in WITH_INTERVAL else {"low": None, "high": None}
        found.append({**figure, **ends})
    return found


def plot(rows: Sequence[Mapping[str, Any]]) -> Forest | None:
    """The shares that have an interval, in the order of the table."""
    drawn = [one for one in FIGURES if one.name in WITH_INTERVAL and one.name != "kappa"]
    points = [(row["name"], [row["figures"][one.name] for one in drawn]) for row in rows]
    return forest("Judges against the reference", [one.title for one in drawn], points)


def spent(row: Mapping[str, Any]) -> dict[str, Any]:
    """Cost and time of a row for a page: {"cost", "cost_reason", "seconds", "seconds_reason"}."""
    cost, seconds = row.get("cost") or {}, row.get("seconds") or {}
    micro = cost.get("per_1000_steps")
    return {
        "cost": None if micro is None else f"{micro / MICRO:.2f} {cost['currency']}".strip(),
        "cost_reason": cost.get("reason", ""),
        "seconds": seconds.get("per_trajectory"),
        "seconds_reason": seconds.get("reason", ""),
    }


def is_judge(row: Mapping[str, Any]) -> bool:
    return row["kind"] not in KINDS or row["kind"] == "import"


def warnings(result: Mapping[str, Any]) -> Iterator[str]:
    """What must not be overread, in sentences."""
    judges = [row for row in result["rows"] if is_judge(row)]
    measure = "FirstErr" if result["names_first"] else "StepAcc"
    below = [row for row in judges if row["below"]]
    for constant in {one["name"]: None for row in below for one in row["below"]}:
        those = ", ".join(row["name"] for row in below if constant in {one["name"] for one in row["below"]})
        yield f"No better by {measure} than “{constant}”, which knows nothing of any step: {those}."
    if unclear := [row for row in judges if row["unclear"] and not row["below"]]:
        names = ", ".join(row["name"] for row in unclear)
        yield f"Not clearly better by {measure} than a constant answer, for the difference may be chance: {names}."
    for row in judges:
        if row["taught"]:
            many = f"{row['taught']} trajector{'y' if row['taught'] == 1 else 'ies'}"
            yield f"{row['name']} was taught with {many} of the reference’s; its figures leave them out."
        if row["missing"]:
            yield (
                f"{row['name']} was asked of {row['tried']} of {row['trajectories']} trajectories. What it was not "
                "asked counts as wrong; its own page has the figures over those that it was."
            )


def chosen(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """Who was chosen to vote: {"folds", "judges", "whole": those who are on all labels}; None where nobody was."""
    found: dict[str, Any] | None = next((row["chosen"] for row in result["rows"] if row.get("chosen")), None)
    return found and {**found, "whole": [one for one in found["judges"] if one["whole"]]}


def told_chosen(of: Mapping[str, Any]) -> str:
    """Who they are, for a line of text."""
    names = ", ".join(one["name"] for one in of["whole"]) or "nobody"
    times = ", ".join(f"{one['name']} {one['folds']}" for one in of["judges"])
    return f"Chosen on all labels: {names}. In how many of {of['folds']} parts of the tasks each was chosen: {times}."


def command(report: Report) -> str:
    """What computes the same again at a terminal."""
    official = " --official" if report.config.get("official") else ""
    reference = report.config.get("reference") or report.result["reference"]
    return f"python manage.py leaderboard {report.project.slug} --reference {_quoted(reference)}{official}"


def _quoted(text: str) -> str:
    plain = all(one.isalnum() or one in ":._-" for one in text)
    return text if plain else "'" + text.replace("'", "'\\''") + "'"


def under_way(project: Project) -> RunQuerySet:
    return Run.objects.filter(project=project, kind=Run.Kind.LEADERBOARD).exclude(state=Run.State.DONE)


def table(result: Mapping[str, Any]) -> Iterator[list[Any]]:
    """The leaderboard as rows, the first with what the columns are."""
    names = [one.name for one in FIGURES]
    values = result["values"]
    by_class = [f"{what} {value}" for value in values for what in ("precision", "recall", "f1")]
    ends = [f"{name}_{end}" for name in names for end in ("low", "high")]
    counts = ["trajectories", "tried", "missing", "failed", "taught"]
    yield [
        "name",
        "kind",
        *names,
        *ends,
        *by_class,
        *counts,
        "cost_per_1000_steps",
        "currency",
        "seconds_per_trajectory",
    ]
    for row in [*result["rows"], *result["baselines"]]:
        figures = row["figures"]
        classes = {one["label"]: one for one in row["classes"]}
        yield [
            _cell(row["name"]),
            row["kind"],
            *(figures[name]["value"] for name in names),
            *(figures[name][end] for name in names for end in ("low", "high")),
            *(classes[value][what]["value"] for value in values for what in ("precision", "recall", "f1")),
            *(row[name] for name in counts),
            None if (micro := _key(row, "cost")) is None else micro / MICRO,
            (row.get("cost") or {}).get("currency", ""),
            _key(row, "seconds"),
        ]


def _cell(text: str) -> str:
    """A spreadsheet takes what begins so for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
