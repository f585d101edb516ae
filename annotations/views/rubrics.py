"""The lists of tasks: what each is asked, writing one, a word on what a judge made, and files of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project, Rubric, Task
from annotations.scheme_forms import RubricFileForm, RubricForm
from annotations.schemes.fields.rubric import RubricField
from annotations.services import projects, rubric_lists, rubric_waiting, rubrics
from annotations.services.rubric_lists import PER_PAGE
from annotations.views.rubric_writing import known_field, waiting_page

LIST, ONE = "rubrics/list.html", "rubrics/task.html"
LEADS = access.SEE_OTHERS_LABELS


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    """The tasks with their lists; sent, a file of lists."""
    project = access.project_for(request, slug, LEADS)
    fields = rubric_lists.fields_of(projects.scheme_of(project.scheme))
    form = RubricFileForm(request.POST or None, request.FILES or None)
    taken = None
    if request.method == "POST" and form.is_valid():
        scheme = projects.scheme_of(project.scheme)
        taken = rubric_lists.take_file(project, scheme, form.cleaned_data["file"], request.user)
        if not taken.problems:
            messages.success(request, f"{taken.stored} lists went in.")
            return redirect("rubrics", slug)
    context = {"project": project, "fields": fields, "form": form, "taken": taken, **_shown(request, project, fields)}
    return render(request, LIST, context, status=422 if form.errors or taken else 200)


def _shown(request: Request, project: Project, fields: list[RubricField]) -> dict[str, Any]:
    if not fields:
        return {"rows": []}
    chosen = next((one for one in fields if one.name == request.GET.get("field")), fields[0])
    waiting = request.GET.get("waiting") == "1"
    after = max(0, whole(request.GET.get("after", "")) or 0)
    found = list(rubric_lists.tasks(project, chosen.name, waiting=waiting, after=after)[: PER_PAGE + 1])
    return {
        "chosen": chosen,
        "waiting": waiting,
        "after": after,
        "next": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
        "rows": rubric_lists.listed(found[:PER_PAGE], chosen),
        "open": rubrics.waiting(project).filter(field=chosen.name).count(),
        "waits": rubric_waiting.among(project).count(),
    }


@login_required
@require_http_methods(["GET", "POST"])
def one(request: Request, slug: str, task: int, field: str) -> HttpResponse:
    """What a task is asked, and the lists of before; sent, another list."""
    project = access.project_for(request, slug, LEADS)
    spec, found = known_field(project, field), _task(project, task)
    current = rubrics.of_task(found, spec) or {one.name: one.model_dump(mode="json") for one in spec.items}
    form = RubricForm(request.POST or None, initial={"text": rubric_lists.as_text(list(current.values()))})
    if request.method == "POST" and form.is_valid():
        rubrics.store(found, field, form.items, source=Rubric.Source.PERSON, by=request.user)
        messages.success(request, "The list is in force for the rollouts of this task.")
        return redirect("rubric", slug, task, field)
    return _task_page(request, project, found, spec, form)


@login_required
@require_POST
def decide(request: Request, slug: str, pk: int) -> HttpResponse:
    """A word on a judge's list: approve it, as it is or edited, or reject it. Said on the page where lists wait, it
    leads to the next one."""
    project = access.project_for(request, slug, LEADS)
    made = get_object_or_404(Rubric.objects.select_related("task"), pk=pk, task__project=project)
    row = request.POST.get("to") == "waiting"
    back = _next(slug, made) if row else redirect("rubric", slug, made.task_id, made.field)
    if made.approved_at or made.rejected_at:
        messages.warning(request, "Somebody has said a word on that list already; it stands.")
        return back
    if request.POST.get("word") == "reject":
        rubrics.decide(made, request.user, approve=False)
        messages.success(request, "Rejected. Nobody is asked it.")
        return back
    form = RubricForm(request.POST)
    if not form.is_valid():
        if row:
            return waiting_page(request, project, made.pk, form)
        return _task_page(request, project, made.task, known_field(project, made.field), form, editing=made)
    same = rubric_lists.as_text(made.items).strip() == form.cleaned_data["text"].replace("\r\n", "\n").strip()
    rubrics.decide(made, request.user, approve=True, edited=None if same else form.items)
    how = "" if same else " as you wrote it"
    messages.success(request, f"Approved{how}. It is asked of the rollouts of this task from now on.")
    return back


def _next(slug: str, made: Rubric) -> HttpResponse:
    return redirect(reverse("rubrics_waiting", args=[slug]) + f"?at={made.pk + 1}")


def _task_page(
    request: Request, project: Project, task: Task, spec: RubricField, form: RubricForm, editing: Rubric | None = None
) -> HttpResponse:
    rows = task.rubrics.filter(field=spec.name).order_by("-number")
    lists = list(rows.select_related("made_by", "approved_by", "edited_from", "writing__judge__server", "writing__run"))
    waiting = [one for one in lists if not one.approved_at and not one.rejected_at]
    context = {
        "project": project,
        "task": task,
        "spec": spec,
        "form": form,
        "editing": editing,
        "listed": rubric_lists.listed([task], spec)[0],
        "current": rubrics.of_task(task, spec),
        "waiting": [(one, _text_of(one, form, editing)) for one in waiting],
        "lists": lists,
        "asked": max((one for one in lists if one.approved_at), key=rubrics.since, default=None),
        "edited": {one.edited_from_id for one in lists},
    }
    return render(request, ONE, context, status=422 if form.errors else 200)


def _text_of(made: Rubric, form: RubricForm, editing: Rubric | None) -> str:
    """What stands in the box of a judge's list: what was sent and refused, else the list."""
    sent: str = form.data.get("text", "")
    return sent if editing == made else rubric_lists.as_text(made.items)


def _task(project: Project, pk: int) -> Task:
    return get_object_or_404(Task.objects.defer("tools"), pk=pk, project=project)
