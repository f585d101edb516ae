"""Pointing at where things are in a file that no format knows: its beginning beside what the pointers make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotations import access, jobs, schemes
from annotations.access import Request
from annotations.formats.base import Item, Refused
from annotations.formats.lines import dump, load
from annotations.formats.pointers import Pointers, pointers
from annotations.models import NamedFormat, Project, Run
from annotations.models.formats import NAME
from annotations.records import Json, TrajectoryRecord
from annotations.services import files, named_formats, projects
from annotations.services.named_formats import NameTaken, Sample, Trial

PAGE = "imports/map.html"
MEANINGS = (("agent", "the agent"), ("user", "the user"), ("system", "the system"), ("tool", "what a tool said"))
STEPS, LONGEST = 8, 160


class Pointer(NamedTuple):
    """A field of the form: what it points at, and how that is said."""

    name: str
    title: str
    help: str = ""


TURNS = (
    Pointer(
        "records", "List of records", "Where a file that is one object has them. Empty: the file is a list or lines."
    ),
    Pointer("group", "Rows of one rollout", "In a table with one row a step: the column that names the rollout."),
    Pointer(
        "turns",
        "Turns or steps",
        "A list of objects or of texts; one text, which is then the only step; or several columns with commas between.",
    ),
    Pointer("role", "Who speaks", "Within a turn or row. Empty: every turn is a step of the agent's."),
    Pointer("content", "What is said", "Within a turn."),
    Pointer("reasoning", "Reasoning", "Within a turn."),
    Pointer("tool_calls", "Tool calls", "Within a turn."),
)
TASK = (
    Pointer("prompt", "Question", "A text that stands before the turns."),
    Pointer("system", "System prompt"),
    Pointer("task", "Task", "Its name. Rollouts of one task share it; empty: those that begin alike do."),
    Pointer("id", "Name of the rollout"),
    Pointer("rollout", "Number of the rollout"),
    Pointer("model", "Model"),
    Pointer("source", "Dataset"),
    Pointer("tools", "Tools"),
    Pointer("reference", "Right answer"),
    Pointer("answer", "The agent's answer"),
    Pointer("reward", "Reward"),
)
LABELS = (
    Pointer(
        "labels", "Labels of steps", "A list, one a step; an object keyed by numbers; or a column for each of a step."
    ),
    Pointer("turn_label", "Label of a turn", "Within a turn."),
    Pointer("first_error", "First wrong step", "Its number. Steps before it are right; null or -1: all are."),
    Pointer("final", "Label of the whole"),
)
GROUPS = (("Turns", TURNS), ("Task and rollout", TASK), ("Labels", LABELS))


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str, pk: int) -> HttpResponse:
    """The file of that import, and a format for it."""
    project = access.project_for(request, slug, access.MANAGE)
    run = get_object_or_404(Run, project=project, kind=Run.Kind.IMPORT, pk=pk)
    name = request.POST.get("name", request.GET.get("format", "")).strip()
    with _sample(run) as sample:
        if request.method == "GET":
            said = _kept(project, name) or sample.guess
            return _shown(request, project, run, sample, said, name=name)
        said = _said(request)
        if request.htmx:
            return render(request, f"{PAGE}#trial", _tried(project, sample, said))
        try:
            return _save(request, project, run, name, pointers(said))
        except (Refused, ValidationError, NameTaken) as no:
            reason = (
                named_formats.told(no) if isinstance(no, Refused) else "; ".join(getattr(no, "messages", [str(no)]))
            )
            return _shown(request, project, run, sample, said, name=name, error=reason, status=422)


@login_required
@require_POST
def forget(request: Request, slug: str, name: str) -> HttpResponse:
    """Take a format out of the project. What came in by it stays."""
    project = access.project_for(request, slug, access.MANAGE)
    get_object_or_404(NamedFormat, project=project, name=name).delete()
    messages.success(request, f"{name} is gone. What came in by it stays.")
    return redirect("imports", slug)


@contextmanager
def _sample(run: Run) -> Iterator[Sample]:
    try:
        with files.stored(run) as (paths, names):
            found = named_formats.sample(paths[0], names[0])
            one = next(found, None)
            if one is None:
                raise Http404("The file holds no JSON objects and no rows to point at.")
            yield one
            found.close()  # type: ignore[attr-defined]
    except (OSError, IndexError) as exc:
        raise Http404("The file of this import is not there any more.") from exc


def _kept(project: Project, name: str) -> dict[str, Any] | None:
    kept = project.formats.filter(name=name).first() if name else None
    return dict(kept.config) if kept else None


def _said(request: Request) -> dict[str, Any]:
    names = [pointer.name for _, group in GROUPS for pointer in group]
    said: dict[str, Any] = {name: text for name in names if (text := request.POST.get(name, "").strip())}
    posted = list(request.POST.items())
    said["roles"] = {key[6:]: str(one) for key, one in posted if key.startswith("roles:") and one}
    said["values"] = {key[7:]: _json(str(one)) for key, one in posted if key.startswith("values:") and one}
    said |= {"numbers": request.POST.get("numbers") or "steps", "base": 1 if request.POST.get("base") == "1" else 0}
    return said | {"scheme": request.POST.get("scheme", "")}


def _json(text: str) -> Json:
    try:
        return load(text)
    except ValueError:
        return text


def _save(request: Request, project: Project, run: Run, name: str, config: Pointers) -> HttpResponse:
    NAME(name)
    kept = named_formats.save(project, request.user, name, config, request.POST.get("title", "").strip()[:120])
    asked = {key: run.config[key] for key in ("names", "segmentation", "duplicates") if key in run.config}
    held = list(run.config.get("files") or [run.file])
    again = jobs.start(
        Run.Kind.IMPORT, project, request.user, what="trajectories", format=kept.name, files=held, **asked
    )
    messages.success(request, f"The format {kept.name} is kept; files like this one are recognised from now on.")
    return redirect("run", project.slug, again.pk)


def _shown(
    request: Request,
    project: Project,
    run: Run,
    sample: Sample,
    said: dict[str, Any],
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "project": project,
        "run": run,
        "file": sample.source.name,
        "groups": [(title, [(one, said.get(one.name, "")) for one in group]) for title, group in GROUPS],
        "places": sample.places,
        "inner": _inner(sample, said),
        "first": json.dumps(_shortened(sample.first), ensure_ascii=False, indent=1),
        "said": said,
        "schemes": [(one.name, one.title) for one in schemes.shipped().values()],
        **_tried(project, sample, said),
        **more,
    }
    return render(request, PAGE, context, status=status)


def _inner(sample: Sample, said: dict[str, Any]) -> list[tuple[str, str]]:
    """Places within a turn, by their last names."""
    if said.get("group") or not said.get("turns"):
        return sample.places
    parts = [part for part in (said.get("records"), said.get("turns")) if part]
    begins = f"{'.0.'.join(parts)}.0." if parts else ""
    return [(path.removeprefix(begins), told) for path, told in sample.places if begins and path.startswith(begins)]


def _tried(project: Project, sample: Sample, said: dict[str, Any]) -> dict[str, Any]:
    """What the pointers make of the file."""
    try:
        config = pointers(said)
    except Refused as no:
        return {
            "trial": None,
            "why": named_formats.told(no)
            if said.get("turns") or said.get("group")
            else "Say where the turns are, or which column names the rollout.",
        }
    trial = named_formats.attempt(sample.source, config)
    main = projects.scheme_of(project.scheme).main_field
    return {
        "trial": trial,
        "shown": [_record(item) for item in trial.items if item.record],
        "problems": [problem for item in trial.items for problem in item.problems],
        "roles": [(one, config.roles.get(one, "")) for one in trial.roles],
        "meanings": MEANINGS,
        "labels": _labels(trial, config),
        "answers": [(dump(one.value), one.title) for one in main.options],
    }


def _labels(trial: Trial, config: Pointers) -> list[tuple[str, str]]:
    return [(one, dump(config.values[one]) if one in config.values else "") for one in trial.labels]


def _record(item: Item) -> dict[str, Any]:
    record = item.record
    assert isinstance(record, TrajectoryRecord)
    said = record.rating.steps if record.rating else {}
    steps = [
        {
            "source": step.source,
            "text": _cut(step.message or step.reasoning),
            "calls": [call["name"] or "a call" for call in step.tool_calls],
            "seen": len(step.observations),
            "label": said.get(step.source_index),
        }
        for step in record.steps[:STEPS]
    ]
    return {"line": item.line, "record": record, "steps": steps, "more": max(0, len(record.steps) - STEPS)}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _shortened(value: Json) -> Json:
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, dict):
        return {key: _shortened(one) for key, one in list(value.items())[:40]}
    if isinstance(value, list):
        return [*map(_shortened, value[:4]), *([f"… {len(value) - 4:,} more"] if len(value) > 4 else [])]
    return value
