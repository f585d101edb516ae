"""Taking files in: the form, and one run per file."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotations import access, formats
from annotations.access import Request
from annotations.forms import ImportForm
from annotations.models import Run
from annotations.services import uploads
from annotations.views.runs import progress_rows


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = ImportForm(request.POST or None, request.FILES or None, formats=_formats())
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        files = asked.pop("files")
        runs = [uploads.start(project, request.user, one, **asked) for one in files]
        if len(runs) == 1:
            return redirect("run", slug, runs[0].pk)
        messages.success(request, f"{len(runs)} files are on their way, each as a run of its own.")
        return redirect("runs", slug)
    earlier = Run.objects.filter(project=project, kind=Run.Kind.IMPORT).listed()[:10]
    context = {"project": project, "form": form, "rows": progress_rows(earlier)}
    return render(request, "imports/page.html", context, status=422 if form.errors else 200)


def _formats() -> list[tuple[str, str]]:
    return [(name, formats.FORMATS[name].title) for name in formats.readable()]
