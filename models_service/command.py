"""The deployment's scorers: which there are, whether one of them works here, and adding others."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from annotations.management import asking
from annotations.services import scorer_entries
from annotations.services.scorer_entries import ScorerRefused
from models_service import command_adding, deployable
from models_service.scorers import trying
from models_service.scorers.base import CannotScore
from models_service.scorers.trying import Entry, Trial

ADDED = "Added; `scorers check {name}` says whether it works. Workers know it at once, in every project."


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="list|check|add|remove")
        asking.json_option(deeds.add_parser("list", help="all scorers, what each needs, and what of it is not here"))
        check = deeds.add_parser("check", help="load one, let it score an invented trajectory, and say what came of it")
        check.add_argument("name", metavar="NAME", help="a scorer's name, as `list` has it")
        asking.json_option(check)
        add = deeds.add_parser("add", help="add one for all projects; workers know it at once")
        command_adding.arguments(add)
        asking.json_option(add)
        remove = deeds.add_parser("remove", help="take away one that was added; what it scored stays")
        remove.add_argument("name", metavar="NAME")

    def handle(self, *, deed: str, **options: Any) -> None:
        if deed == "list":
            self._list(as_json=options["json"])
        elif deed == "check":
            self._check(options["name"], as_json=options["json"])
        elif deed == "add":
            self._add(**options)
        else:
            self._remove(options["name"])

    def _add(self, name: str, **given: Any) -> None:
        if slugify(name) != name:
            raise CommandError(f"{name!r} is no name: accepted are small letters, digits and hyphens.")
        entry = command_adding.entry(name, **given)
        try:
            scorer_entries.add(name, entry, None)
        except ScorerRefused as no:
            raise CommandError(str(no)) from no
        found = trying.entry_of(name, entry)
        asking.answer(self, _row(found), [ADDED.format(name=name), *_words(found)], as_json=given["json"])

    def _remove(self, name: str) -> None:
        try:
            scorer_entries.remove(name)
        except ScorerRefused as no:
            raise CommandError(str(no)) from no
        self.stdout.write(f"Removed. What {name} scored stays.")

    def _list(self, *, as_json: bool) -> None:
        found = [trying.entry_of(name, one) for name, one in scorer_entries.all_of_them().items()]
        asking.answer(
            self,
            {"scorers": [_row(one) for one in found]},
            [line for one in found for line in _words(one)],
            as_json=as_json,
        )

    def _check(self, name: str, *, as_json: bool) -> None:
        entries = scorer_entries.all_of_them()
        if name not in entries:
            raise CommandError(f"There is no scorer {name!r}. There are: {', '.join(sorted(entries))}.")
        try:
            if entries[name].get("added"):
                deployable.checked(entries[name])
            trial = trying.tried(name, entries)
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
