"""The lists of tasks, for rubric fields whose items are a task's own: which there are, and files of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from django.db.models import Exists, OuterRef, QuerySet

from annotations.formats import lines
from annotations.models import Project, Rubric, Task, User
from annotations.records import Json
from annotations.schemes.fields.rubric import RubricField
from annotations.schemes.fields.scale import tidy
from annotations.schemes.reading import line_of
from annotations.schemes.schema import Scheme
from annotations.services import rubrics
from annotations.services.outcomes import NotAccepted

PER_PAGE = 50
MOST_LINES = 5_000
ITEM = ("name", "title", "help", "weight", "checks")
SHAPE = ["one JSON object a line: task, field, items"]


class Listed(NamedTuple):
    """What is asked of a task's rollouts: `source` is file, person, judge, reference (of the task), scheme, or nothing;
    `waiting` a judge's list that nobody has looked at yet."""

    task: Task
    source: str
    items: int
    waiting: Rubric | None


@dataclass
class Taken:
    """What came of a file: how many lists went in, and {line, field, reason} of each line that did not."""

    stored: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


def fields_of(scheme: Scheme) -> list[RubricField]:
    """The rubric fields whose items are a task's own."""
    found = [spec for spec in scheme.fields if isinstance(spec, RubricField)]
    return [spec for spec in found if spec.items_from != "scheme"]


def field_of(scheme: Scheme, name: str) -> RubricField:
    """The field of that name. Raises NotAccepted where its items are no task's own."""
    known = {spec.name: spec for spec in fields_of(scheme)}
    if name not in known:
        raise NotAccepted(f"No rubric of the scheme in force with items of tasks is called {name!r}.", "field", known)
    return known[name]


def tasks(project: Project, name: str, *, waiting: bool = False, after: int = 0) -> QuerySet[Task]:
    """The project's tasks from that key on, all or those with a judge's list that waits."""
    found = Task.objects.filter(project=project, pk__gt=after).order_by("pk")
    if waiting:
        open_lists = Rubric.objects.filter(task=OuterRef("pk"), field=name, approved_at=None, rejected_at=None)
        found = found.filter(Exists(open_lists))
    return found.defer("tools")


def listed(found: Sequence[Task], spec: RubricField) -> list[Listed]:
    """What each of these tasks asks."""
    lists: dict[int, list[Rubric]] = {}
    for one in Rubric.objects.filter(task__in=found, field=spec.name).order_by("-number"):
        lists.setdefault(one.task_id, []).append(one)
    return [_listed(task, spec, lists.get(task.pk, [])) for task in found]


def _listed(task: Task, spec: RubricField, lists: Sequence[Rubric]) -> Listed:
    current = max((one for one in lists if one.approved_at), key=rubrics.since, default=None)
    waiting = next((one for one in lists if not one.approved_at and not one.rejected_at), None)
    if current:
        return Listed(task, current.source, len(current.items), waiting)
    if brought := rubrics.of_reference(task.reference, spec.name):
        return Listed(task, "reference", len(brought), waiting)
    return Listed(task, "scheme" if spec.items else "", len(spec.items), waiting)


def as_text(items: Json) -> str:
    """The items as YAML to edit: plain texts where they are nothing more."""
    plain = all(map(_is_plain, items))
    said = [one["title"] for one in items] if plain else [_short(one) for one in items]
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100) if said else ""


def _is_plain(item: Json) -> bool:
    named = item["name"].startswith("q") and item["name"][1:].isdecimal()
    return named and not item.get("help") and item.get("weight", 1) == 1 and not item.get("checks")


def _short(item: Json) -> Json:
    """Without what says nothing, in the order one reads it in."""
    idle = {"help": "", "weight": 1, "checks": []}
    kept = {key: item[key] for key in ITEM if key in item and (key not in idle or item[key] != idle[key])}
    if "weight" in kept:
        kept["weight"] = tidy(kept["weight"])
    return kept | ({"checks": [_short(one) for one in kept["checks"]]} if "checks" in kept else {})


def read(text: str) -> Json:
    """The list that the YAML spells, ready to be stored. Raises NotAccepted naming the line."""
    try:
        node, said = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"Line {mark.line + 1}: this" if mark else "This"
        raise NotAccepted(f"{where} is no YAML.", "items", ["a list of items, one a line after a dash"]) from None
    try:
        rubrics.checked(said)
    except NotAccepted as no:
        keys = [int(key) if key.isdecimal() else key for key in str(no.answer["field"]).split(".")[1:]]
        line = line_of(node, keys) if node else 1
        raise NotAccepted(f"Line {line}: {no}", "items", no.answer["accepted"]) from None
    return said


def take_file(project: Project, scheme: Scheme, raw: Iterable[bytes], by: User | None) -> Taken:
    """Lists from a file of {"task", "field", "items"}, one a line: good ones go in, the others are told."""
    taken = Taken()
    for number, line in enumerate(raw, start=1):
        if number > MOST_LINES:
            taken.problems.append(_problem(number, None, f"a file has up to {MOST_LINES:,} lines; send the rest apart"))
            break
        if text := (line.removeprefix(lines.BOM) if number == 1 else line).strip():
            _take(project, scheme, lines.parse(number, text), by, taken)
    return taken


def _take(project: Project, scheme: Scheme, line: lines.Line, by: User | None, taken: Taken) -> None:
    if line.reason:
        taken.problems.append(_problem(line.number, None, line.reason))
        return
    try:
        store(project, scheme, line.value, by, source=Rubric.Source.FILE)
        taken.stored += 1
    except NotAccepted as no:
        accepted = ", ".join(map(str, no.answer["accepted"]))
        reason = f"{no} Accepted: {accepted}." if accepted else str(no)
        taken.problems.append(_problem(line.number, no.answer["field"], reason))


def _problem(line: int, field: Json, reason: str) -> dict[str, Any]:
    return {"line": line, "field": field, "reason": reason}


def store(project: Project, scheme: Scheme, said: Json, by: User | None, *, source: str) -> Rubric:
    """The list that {"task", "field", "items"} says. Raises NotAccepted."""
    if not isinstance(said, dict) or set(said) != {"task", "field", "items"}:
        raise NotAccepted("This is no list of a task.", "", SHAPE)
    spec = field_of(scheme, str(said["field"]))
    task = Task.objects.filter(project=project, external_id=str(said["task"])).first()
    if task is None:
        raise NotAccepted(f"The project has no task {said['task']!r}.", "task", [])
    return rubrics.store(task, spec.name, said["items"], source=source, by=by)
