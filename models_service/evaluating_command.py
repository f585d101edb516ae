"""Label files of people, judges and models held against a reference's: no project, no trajectories, no database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.management import asking
from models_service import evaluating
from models_service.evaluating_many import NAMES
from models_service.evaluating_sums import ReferenceRefused
from models_service.statistics.consensus.comparing import ANCHORED, METHODS

COLUMNS = (("step_acc", "StepAcc"), ("first_err_acc", "FirstErr"), ("step_exact", "exact"), ("macro_f1", "macroF1"))
NAME = 36


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        files: dict[str, Any] = {"nargs": "+", "type": Path, "required": True, "metavar": "FILE"}
        parser.add_argument("--reference", help="label files that are held to be right: .jsonl, .json, .gz", **files)
        parser.add_argument("--predictions", help="label files of those who are compared with it", **files)
        parser.add_argument(
            "--official", action="store_true", help="the arithmetic of AgentProcessBench's released script"
        )
        asking.json_option(parser)

    def handle(self, *, reference: list[Path], predictions: list[Path], official: bool, **options: Any) -> None:
        for path in [*reference, *predictions]:
            _openable(path)
        try:
            result = evaluating.evaluate(reference, predictions, official)
        except (ReferenceRefused, OSError) as exc:
            raise CommandError(str(exc)) from exc
        asking.answer(self, result, list(table(result)), as_json=options["json"])
        for line in told(result):
            self.stderr.write(line)
        if not result["all"]:
            raise CommandError("No prediction could be used.")


def _openable(path: Path) -> None:
    """CommandError with what is there instead."""
    if path.is_dir():
        raise CommandError(f"{path} is a folder; accepted are files, as {path}/* names them.")
    if not path.is_file():
        beside = sorted(one.name for one in path.parent.iterdir())[: asking.SHOWN] if path.parent.is_dir() else None
        there = f"there is no folder {path.parent}" if beside is None else f"there is {', '.join(beside) or 'nothing'}"
        raise CommandError(f"There is no file {path}; {there}.")


def table(result: Mapping[str, Any]) -> Iterator[str]:
    """For a person: the sets, and where there are several all together; raters best first, then constant answers."""
    sets = result["sets"]
    for name, rows in sets.items():
        about = result["reference"][name]
        many = f"{about['trajectories']} trajectories, {about['steps']} steps"
        yield from _block(f"{name}: {many}, {about['clean']} without an error", rows, result["baselines"]["sets"][name])
    if len(sets) > 1:
        yield from _block(f"all: {', '.join(sets)}, pooled", result["all"], result["baselines"]["all"], sets)
    if len(result["all"]) > 1:
        yield from _many(result["many"])
        yield from _consensus(result["consensus"])
    if result["official"]:
        yield "StepAcc, FirstErr and exact as the released script counts them."


def _many(many: Mapping[str, Any]) -> Iterator[str]:
    """Among all raters, with the reference and without it."""
    counted = f"{many['units']} steps, {many['raters']} raters with the reference, {many['missing']} labels missing"
    yield f"among all: {counted}"
    yield f"  {'':{NAME}}{'with the reference':>25}{'without it':>25}"
    for name in NAMES:
        cells = "".join(f"{_between(one, name):>25}" for one in (many, many["without_reference"]))
        yield f"  {name.replace('_', ' '):{NAME}}{cells}"
    yield ""


def _consensus(consensus: Mapping[str, Any]) -> Iterator[str]:
    """What they say together, and the best of them below."""
    yield f"together: one label of {consensus['raters']} raters; a tie is none, and wrong"
    yield f"  {'':{NAME}}{'accuracy':>25}{'macroF1':>9}{'kappa':>9}{'coverage':>10}{'ties':>8}{'expected error':>16}"
    for name in (*METHODS, ANCHORED):
        one = consensus[name]
        if one["accuracy"] is None:
            yield f"  {name.replace('_', ' '):{NAME}}{'–':>25}  {one['reasons']['accuracy']}"
        else:
            expected = _number(one["expected_error"])
            yield f"{_together(name.replace('_', ' '), one)}{one['ties']:>8}{expected:>16}"
    best = consensus["best_rater"]
    yield _together(f"alone: {best['rater']}", best)
    yield ""


def _together(name: str, one: Mapping[str, Any]) -> str:
    numbers = f"{_number(one['macro_f1']):>9}{_number(one['kappa']):>9}{_number(one['coverage']):>10}"
    return f"  {_short(name)}{_between(one, 'accuracy'):>25}{numbers}"


def _block(
    title: str, raters: Mapping[str, Any], baselines: Mapping[str, Any], sets: Collection[str] = ()
) -> Iterator[str]:
    heads = "".join(f"{head:>9}" for _, head in COLUMNS)
    yield _clean(title)
    yield f"  {'':{NAME}}{heads}{'kappa':>25}{'coverage':>10}{'failed':>8}"
    ranked = sorted(raters.items(), key=lambda one: (-(one[1]["step_acc"] or 0), one[0]))
    for name, row in ranked:
        part = sets and set(row["sets"]) != set(sets)
        yield _line(name, row) + (f"  only {', '.join(row['sets'])}" if part else "")
    for value, row in baselines.items():
        yield _line(f"always {int(value):+d}" if int(value) else "always 0", row)
    yield ""


def _line(name: str, row: Mapping[str, Any]) -> str:
    cells = "".join(f"{_number(row[key]):>9}" for key, _ in COLUMNS)
    return f"  {_short(name)}{cells}{_between(row, 'kappa'):>25}{_number(row['coverage']):>10}{row['failed']:>8}"


def _short(name: str) -> str:
    return f"{_clean(name if len(name) <= NAME else f'{name[: NAME - 1]}…'):{NAME}}"


def _between(row: Mapping[str, Any], name: str) -> str:
    """The number with its interval, where there is one."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return _number(row[name]) + ("" if low is None else f" ({_number(low)}, {_number(high)})")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _clean(text: str) -> str:
    """Names come out of files: nothing in them may move a terminal's cursor."""
    return "".join(one if one.isprintable() else "·" for one in text)


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """What was not counted, and why."""
    if result["refused"]:
        yield f"Not used: {len(result['refused'])}"
        yield from map(_clean, asking.rejected(result["refused"]))
    for name, raters in result["unreferenced"].items():
        for rater, many in raters.items():
            yield _clean(f"{rater}, {name}: {many} predictions are of records that the reference does not have.")
    for name, rows in result["sets"].items():
        for rater, row in rows.items():
            if row["superseded"]:
                yield _clean(f"{rater}, {name}: {row['superseded']} predictions were made again; the newest counts.")
            if row["extra"]:
                yield _clean(f"{rater}, {name}: {row['extra']} labels are of steps that the reference does not have.")
    yield from map(_clean, result["notes"])
