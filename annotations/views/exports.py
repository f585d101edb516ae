"""Taking data away: asking for an export, its files."""

from __future__ import annotations

import shlex
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access, formats, jobs, schemes
from annotations.access import Request
from annotations.export_forms import ExportForm
from annotations.formats.base import Purpose
from annotations.http import zipped
from annotations.models import Project, Run
from annotations.services import export_as, export_asked, export_fit, export_preview, export_push, projects
from annotations.services import exports as service
from annotations.views.runs import progress_rows

PAGE = "exports/page.html"
PURPOSES: dict[Purpose, str] = {
    "reward": "Train a reward model",
    "preferences": "Preferences",
    "fine-tuning": "Fine-tuning",
    "rl": "Reinforcement learning",
    "benchmark": "Benchmark",
    "everything": "Everything",
    "elsewhere": "Look and annotate elsewhere",
    "trajectories": "Trajectories for other tools",
}


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.TAKE_DATA)
    scheme = projects.scheme_of(project.scheme)
    offered = export_fit.offered(scheme, [schemes.shipped()[name] for name, _ in export_as.ways(project)])
    form = ExportForm(_data(request, export_fit.fitting(scheme)[0]), project=project, offered=offered)
    form.is_valid()
    if request.method == "POST" and form.asked:
        run = jobs.start(Run.Kind.EXPORT, project, request.user, **form.asked.config())
        return redirect("run", slug, run.pk)
    context = {"project": project, "form": form, "chosen": formats.FORMATS.get(form.format), **_preview(project, form)}
    if request.htmx:
        context["swapped"] = request.GET.get("shown") != form.format
        response = render(request, f"{PAGE}#preview", context)
        response["HX-Replace-Url"] = f"{request.path}{form.query()}"
        return response
    earlier = Run.objects.filter(project=project, kind=Run.Kind.EXPORT).listed()[:20]
    context |= {"rows": progress_rows(earlier), "groups": groups(offered)}
    status = 422 if request.method == "POST" else 200
    return render(request, PAGE, context, status=status)


def _data(request: HttpRequest, usual: str) -> QueryDict:
    """What the form is filled with: of an address that names no format, the usual one."""
    data = (request.POST if request.method == "POST" else request.GET).copy()
    if not data.get("format"):
        data["format"] = usual
    return data


def groups(offered: list[str]) -> list[dict[str, Any]]:
    """The formats by what they are for, each with the words that find it."""
    found: dict[str, list[dict[str, Any]]] = {purpose: [] for purpose in PURPOSES}
    for name in offered:
        one = formats.FORMATS[name]
        words = " ".join((name, one.title, one.keeps, one.loses, PURPOSES[one.purpose])).lower()
        found[one.purpose].append({"format": one, "words": words})
    return [{"title": PURPOSES[purpose], "formats": some} for purpose, some in found.items() if some]  # type: ignore[index]


def _preview(project: Project, form: ExportForm) -> dict[str, Any]:
    """The first rows and the command line of what the form asks for; nothing where it asks for nonsense."""
    asked = form.asked
    if asked is None:
        return {"no_preview": " ".join(str(text) for texts in form.errors.values() for text in texts)}
    words = ["python", "manage.py", "export", project.slug, *asked.words(), "--out", "DIR"]
    context: dict[str, Any] = {"command": shlex.join(words)}
    if asked.as_scheme:
        context["loses"] = export_as.As(project, asked.as_scheme).route.loses
    try:
        return context | {"preview": export_preview.of(project, asked)}
    except export_asked.ExportRefused as no:
        return context | {"no_preview": f"{str(no)[:1].upper()}{str(no)[1:]}."}


@login_required
@require_GET
def download(request: Request, slug: str, pk: int, name: str) -> FileResponse:
    """One file of an export, streamed."""
    run = _finished(request, slug, pk)
    if name not in service.files_of(run):
        raise Http404
    stored = f"exports/{run.pk}/{name}"
    if not default_storage.exists(stored):
        raise Http404
    return FileResponse(default_storage.open(stored), as_attachment=True, filename=name.rsplit("/", 1)[-1])


@login_required
@require_GET
def archive(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """All files of an export as one zip, made while it is sent."""
    run = _finished(request, slug, pk)
    names = list(service.files_of(run))
    if not names:
        raise Http404
    opened = ((name, default_storage.open(f"exports/{run.pk}/{name}")) for name in names)
    response = StreamingHttpResponse(zipped(opened), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{run.project.slug}-export-{run.pk}.zip"'
    return response


@login_required
@require_POST
def push(request: Request, slug: str, pk: int) -> HttpResponse:
    """Send the files of an export to the Hugging Face hub, with the server's token."""
    access.project_for(request, slug, access.BEGIN[Run.Kind.PUSH])
    run = _finished(request, slug, pk)
    try:
        sent = export_push.begin(run, request.POST.get("to", ""), private="private" in request.POST, by=request.user)
    except export_push.NotPushed as no:
        messages.error(request, str(no))
        return redirect("run", slug, pk)
    return redirect("run", slug, sent.pk)


def _finished(request: HttpRequest, slug: str, pk: int) -> Run:
    project = access.project_for(request, slug, access.TAKE_DATA)
    done = Run.objects.filter(project=project, kind=Run.Kind.EXPORT, state=Run.State.DONE).select_related("project")
    return get_object_or_404(done, pk=pk)
