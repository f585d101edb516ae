"""Lists that judges write: asking for them, and a person's word on one after the other."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project, Run
from annotations.rubric_forms import WriteForm
from annotations.scheme_forms import RubricForm
from annotations.schemes.fields.rubric import RubricField
from annotations.services import projects, rubric_lists, rubric_waiting, rubric_writing
from annotations.services.outcomes import NotAccepted

WRITE, SURE, WAITING = "rubrics/write.html", "rubrics/sure.html", "rubrics/waiting.html"


@login_required
@require_http_methods(["GET", "POST"])
def write(request: Request, slug: str, field: str) -> HttpResponse:
    """What a judge is to write, what that takes, and, once somebody is sure, its beginning."""
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.RUBRICS])
    spec = known_field(project, field)
    chosen = [pk for one in request.GET.getlist("task") if (pk := whole(one))]
    form = WriteForm(request.POST or None, project=project, field=field, initial={"tasks": ",".join(map(str, chosen))})
    context: dict[str, Any] = {"project": project, "spec": spec, "form": form}
    if request.method == "POST" and form.is_valid():
        judge = form.cleaned_data["judge"]
        estimate = rubric_writing.estimate(judge, form.config)
        if not estimate.tasks:
            form.add_error(None, "There is nothing to write: each of these tasks has a list, or one that waits.")
        elif "sure" in request.POST:
            return redirect("run", slug, rubric_writing.start(judge, request.user, form.config).pk)
        elif "change" not in request.POST:
            return render(request, SURE, context | {"judge": judge, "estimate": estimate, "config": form.config})
    named = form["tasks"].value() or ""
    config: dict[str, Any] = {"field": field}
    config |= {"tasks": [int(one) for one in named.split(",") if one.isdecimal()]} if named else {}
    context |= {"named": bool(named), "count": len(rubric_writing.chosen(project, config))}
    return render(request, WRITE, context, status=422 if form.errors else 200)


@login_required
@require_GET
def waiting(request: Request, slug: str) -> HttpResponse:
    """The next list that waits (?at=), by itself."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    return waiting_page(request, project, whole(request.GET.get("at", "")) or 0)


def waiting_page(request: Request, project: Project, at: int, form: RubricForm | None = None) -> HttpResponse:
    """That page; with a form that was refused, as it was sent."""
    looked = rubric_waiting.looked(project, at)
    context: dict[str, Any] = {"project": project, "looked": looked, "form": form}
    if looked:
        scheme = projects.scheme_of(project.scheme)
        text = form.data.get("text", "") if form else rubric_lists.as_text(looked.made.items)
        rollouts = looked.made.task.trajectories.filter(superseded_at=None).order_by("rollout")
        context |= {"spec": rubric_lists.field_of(scheme, looked.made.field), "text": text, "rollouts": rollouts[:8]}
    return render(request, WAITING, context, status=422 if form else 200)


def known_field(project: Project, name: str) -> RubricField:
    """The rubric field of that name whose items are a task's own."""
    try:
        return rubric_lists.field_of(projects.scheme_of(project.scheme), name)
    except NotAccepted as no:
        raise Http404(str(no)) from no
