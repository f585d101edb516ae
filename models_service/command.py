"""The deployment's scorers: which there are, and whether one of them works here."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.management import asking
from models_service.scorers import trying
from models_service.scorers.base import CannotScore
from models_service.scorers.trying import Entry, Trial


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="list|check")
        asking.json_option(deeds.add_parser("list", help="all scorers, what each needs, and what of it is not here"))
        check = deeds.add_parser("check", help="load one, let it score an invented trajectory, and say what came of it")
        check.add_argument("name", metavar="NAME", help="a scorer's name, as SCORERS has it")
        asking.json_option(check)

    def handle(self, *, deed: str, **options: Any) -> None:
        if deed == "list":
            self._list(as_json=options["json"])
        else:
            self._check(options["name"], as_json=options["json"])

    def _list(self, *, as_json: bool) -> None:
        found = trying.entries()
        asking.answer(
            self,
            {"scorers": [_row(one) for one in found]},
            [line for one in found for line in _words(one)],
            as_json=as_json,
        )

    def _check(self, name: str, *, as_json: bool) -> None:
        if name not in settings.SCORERS:
            raise CommandError(f"There is no scorer {name!r}. There are: {', '.join(sorted(settings.SCORERS))}.")
        try:
            trial = trying.tried(name)
        except Exception as exc:  # noqa: BLE001 -- a scorer may be anybody's class; what it raises is the answer
            reason = str(exc) if isinstance(exc, ValueError) else f"{type(exc).__name__}: {exc}"
            asking.answer(self, {"name": name, "works": False, "reason": reason}, [], as_json=as_json)
            self.stderr.write(f"{name} does not work here: {reason}")
            sys.exit(1)
        asking.answer(self, _figures(name, trial), _lines(name, trial), as_json=as_json)
        if isinstance(trial.said, CannotScore):
            self.stderr.write(f"{name} cannot score the invented trajectory: {trial.said}")
            sys.exit(1)


def _row(one: Entry) -> dict[str, Any]:
    return {"name": one.name, "title": one.title, "class": one.kind, "needs": list(one.needs), "lacks": one.lacks}


def _words(one: Entry) -> list[str]:
    return [
        f"{one.name}: {one.title}",
        f"  class  {one.kind}",
        f"  needs  {', '.join(one.needs) or 'nothing'}",
        f"  here   {'no: ' + one.lacks if one.lacks else 'yes'}",
    ]


def _figures(name: str, trial: Trial) -> dict[str, Any]:
    cannot = isinstance(trial.said, CannotScore)
    return {
        "name": name,
        "works": not cannot,
        "reason": str(trial.said) if cannot else "",
        "provenance": trial.provenance,
        "values": [] if isinstance(trial.said, CannotScore) else [one.value for one in trial.said],
        "probabilities": [] if isinstance(trial.said, CannotScore) else [one.probability for one in trial.said],
        "seconds": {"loading": round(trial.loading, 3), "scoring": round(trial.scoring, 3)},
    }


def _lines(name: str, trial: Trial) -> list[str]:
    lines = [f"{name} loads here ({trial.loading:.1f} s)."]
    lines += [f"  {key}: {_said(value)}" for key, value in trial.provenance.items()]
    if not isinstance(trial.said, CannotScore):
        lines.append(f"It scored an invented trajectory of {len(trial.said)} steps ({trial.scoring:.2f} s):")
        lines += [f"  step {one.index}: {one.value:.4f}{_chance(one.probability)}" for one in trial.said]
    return lines


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value)
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def _chance(probability: float | None) -> str:
    return "" if probability is None else f", P(not wrong) {probability:.4f}"
