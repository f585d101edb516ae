"""Taking data away: asking for an export, its files."""

from __future__ import annotations

import shlex
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access, formats, jobs, schemes
from annotations.access import Request
from annotations.formats.trl_stepwise import ZEROS
from annotations.forms import ExportForm
from annotations.http import zipped
from annotations.models import Project, Run
from annotations.services import export_as, export_fit, export_preview, projects
from annotations.services import exports as service
from annotations.services.export_preview import NoPreview
from annotations.views.runs import progress_rows

PAGE = "exports/page.html"
ZERO_TITLES = {
    "drop": "Cut the trajectory before it",
    "true": "Count it as true",
    "false": "Count it as false",
}


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.TAKE_DATA)
    scheme, ways = projects.scheme_of(project.scheme), export_as.ways(project)
    offered = export_fit.offered(scheme, [schemes.shipped()[name] for name, _ in ways])
    form = ExportForm(
        request.POST or request.GET.dict() or {"format": export_fit.fitting(scheme)[0]},
        formats=[(name, formats.FORMATS[name].title) for name in offered],
        zero=[(name, ZERO_TITLES[name]) for name in ZEROS],
        ways=ways,
        project=project,
    )
    if request.method == "POST" and form.is_valid() and _is_possible(project, form):
        config: dict[str, Any] = _config(form)
        run = jobs.start(Run.Kind.EXPORT, project, request.user, **config)
        return redirect("run", slug, run.pk)
    context = {"project": project, "form": form, "rows": [], **_preview(project, form)}
    if request.htmx:
        return render(request, f"{PAGE}#preview", context)
    earlier = Run.objects.filter(project=project, kind=Run.Kind.EXPORT).listed()[:20]
    context["rows"] = progress_rows(earlier)
    return render(request, PAGE, context, status=422 if form.errors else 200)


def _is_possible(project: Project, form: ExportForm) -> bool:
    """Whether the format holds what was asked for; the form says why it does not."""
    asked = _config(form)
    try:
        service.way(project, asked["format"], asked.get("as_scheme", ""))
    except service.ExportRefused as no:
        form.add_error("format", f"{str(no)[:1].upper()}{str(no)[1:]}.")
        return False
    return True


def _preview(project: Project, form: ExportForm) -> dict[str, Any]:
    """The first rows and the command line of what the form asks for; nothing where it asks for nonsense."""
    if not form.is_valid():
        return {}
    asked = _config(form)
    context: dict[str, Any] = {"command": _command(project, asked)}
    if wanted := asked.get("as_scheme"):
        context["loses"] = export_as.As(project, wanted).route.loses
    try:
        rows = export_preview.first_rows(project, **asked)
    except NoPreview as no:
        return context | {"no_preview": str(no)}
    return context | {"preview": rows}


def _config(form: ExportForm) -> dict[str, Any]:
    asked = form.cleaned_data
    found = {"format": asked["format"], "rater": asked["rater"] or None, "zero": asked["zero"] or "drop"}
    return found | ({"as_scheme": asked["as_scheme"]} if asked["as_scheme"] else {})


def _command(project: Project, asked: dict[str, Any]) -> str:
    """The command line that writes the same files."""
    words = ["python", "manage.py", "export", project.slug, "--format", str(asked["format"]), "--out", "DIR"]
    if asked["rater"]:
        words += ["--rater", asked["rater"]]
    if wanted := asked.get("as_scheme"):
        words += ["--as", wanted]
    if asked["format"] == "trl-stepwise":
        words += ["--zero", str(asked["zero"])]
    return shlex.join(words)


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


def _finished(request: HttpRequest, slug: str, pk: int) -> Run:
    project = access.project_for(request, slug, access.TAKE_DATA)
    done = Run.objects.filter(project=project, kind=Run.Kind.EXPORT, state=Run.State.DONE).select_related("project")
    return get_object_or_404(done, pk=pk)
