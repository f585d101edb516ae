"""Formats of a project's own: kept, found, tried on a file before they are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from annotations import formats
from annotations.formats import guessing
from annotations.formats.base import FolderFormat, Item, Reader, Refused
from annotations.formats.lines import dump
from annotations.formats.loose import loaded
from annotations.formats.mapped import Mapped
from annotations.formats.opening import archives, values
from annotations.formats.opening.sources import Source
from annotations.formats.pointers import USUAL, Pointers, pointers, several
from annotations.formats.pointing import at, places
from annotations.models import Event, NamedFormat, Project, User
from annotations.records import Json

SHOWN = 3  # records that a trial shows
TRIED = 200  # records that a trial reads
DISTINCT = 12  # roles, and values of labels, that are asked about


class NameTaken(ValueError):
    """A format that comes with Stepmark has the name."""


def of(project: Project) -> list[Mapped]:
    """The project's own formats, as readers."""
    return [Mapped(one.name, str(one), pointers(one.config)) for one in project.formats.all()]


def reader(project: Project, name: str) -> Reader | FolderFormat:
    """The format of that name, the project's own before ours. Raises formats.UnknownFormat."""
    mine = next((one for one in of(project) if one.name == name), None)
    return mine or formats.reader(name)


@transaction.atomic
def save(project: Project, by: User | None, name: str, config: Pointers, title: str = "") -> NamedFormat:
    """Keep the format under its name, in the place of one that had it. Raises NameTaken."""
    if name in formats.FORMATS or name == "auto":
        raise NameTaken(f"{name} is a format that comes with Stepmark; accepted is any other name")
    before = project.formats.filter(name=name).values_list("config", flat=True).first()
    said = config.model_dump(exclude_defaults=True)
    kept, _ = NamedFormat.objects.update_or_create(
        project=project,
        name=name,
        defaults={"config": said, "title": title},
        create_defaults={"config": said, "title": title, "created_by": by},
    )
    Event.objects.create(
        project=project, actor=by, verb="format.saved", before=before or {}, after={"name": name, **said}
    )
    return kept


@dataclass
class Sample:
    """The beginning of a file, for pointing at: its first value, the places in it, and a guess."""

    source: Source
    first: Json
    guess: dict[str, Any]
    places: list[tuple[str, str]] = field(default_factory=list)


def sample(path: Path, name: str) -> Iterator[Sample]:
    """The first file of JSON or of rows in what was uploaded; nothing where there is none. Close it when done."""
    with archives.opened(path, name) as (folder, _):
        for source in folder.members.values():
            look = values.look(source)
            if look.values and isinstance(look.values[0], dict):
                first = look.values[0]
                told = [(path, _short(one)) for path, one in places(first)]
                yield Sample(source, first, guessing.guess(first), told)
                return


@dataclass
class Trial:
    """What pointers make of a file: the first records and problems, how many there were, and the words it uses."""

    items: list[Item] = field(default_factory=list)
    good: int = 0
    bad: int = 0
    more: bool = False
    roles: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def attempt(source: Source, config: Pointers) -> Trial:
    """Read the beginning of the file by these pointers."""
    trial = Trial()
    form = Mapped("trial", "Trial", config)
    for item in islice(form.read(source), TRIED + 1):
        if trial.good + trial.bad == TRIED:
            trial.more = True
            break
        trial.good += item.record is not None
        trial.bad += item.record is None
        if len(trial.items) < SHOWN or (item.problems and sum(bool(one.problems) for one in trial.items) < SHOWN):
            trial.items.append(item)
    trial.roles, trial.labels = _words(source, config)
    return trial


def _words(source: Source, config: Pointers) -> tuple[list[str], list[str]]:
    """The roles that the file's turns have, and the labels it gives, the most frequent first."""
    roles: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for value in values.look(source).values:
        rows = loaded(at(value, config.records)) if config.records else [value]
        for row in list(rows.values() if isinstance(rows, dict) else rows if isinstance(rows, list) else ())[:TRIED]:
            _count(row, config, roles, labels)
    return [one for one, _ in roles.most_common(DISTINCT)], [one for one, _ in labels.most_common(DISTINCT)]


def _count(row: Json, config: Pointers, roles: Counter[str], labels: Counter[str]) -> None:
    turns = [row] if config.group else loaded(at(row, config.turns))
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict):
            if config.role and isinstance(said := at(turn, config.role), str) and said.lower() not in USUAL:
                roles[said] += 1
            if config.turn_label:
                _count_label(at(turn, config.turn_label), labels)
    columns = several(config.labels)
    given = [at(row, path) for path in columns] if len(columns) > 1 else loaded(at(row, config.labels or " "))
    for one in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        _count_label(one, labels)
    if config.final:
        _count_label(at(row, config.final), labels)


def _count_label(value: Json, labels: Counter[str]) -> None:
    if value not in (None, "") and not isinstance(value, dict | list):
        labels[value if isinstance(value, str) else str(value).lower()] += 1


def _short(value: Json) -> str:
    if isinstance(value, dict):
        return f"object of {len(value)}"
    if isinstance(value, list):
        return f"list of {len(value)}"
    told = value if isinstance(value, str) else dump(value)
    return told if len(told) <= 40 else f"{told[:40]}…"


def told(no: Refused) -> str:
    return f"{no.field}: {no.reason}" if no.field else no.reason
