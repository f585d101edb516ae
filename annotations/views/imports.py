"""Taking files in: the form, and one run per file."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotations import access, formats
from annotations.access import Request
from annotations.import_forms import ImportForm
from annotations.models import Project, Run
from annotations.services import uploads
from annotations.views.runs import progress_rows


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = ImportForm(request.POST or None, request.FILES or None, formats=_formats(project))
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        named = asked.pop("hub")
        files = [*asked.pop("files"), *([named] if named else [])]
        runs = [uploads.start(project, request.user, one, **asked) for one in files]
        if len(runs) == 1:
            return redirect("run", slug, runs[0].pk)
        messages.success(request, f"{len(runs)} are on their way, each as a run of its own.")
        return redirect("runs", slug)
    earlier = Run.objects.filter(project=project, kind=Run.Kind.IMPORT).listed()[:10]
    own = project.formats.all()
    context = {"project": project, "form": form, "rows": progress_rows(earlier), "own": own}
    return render(request, "imports/page.html", context, status=422 if form.errors else 200)


def _formats(project: Project) -> list[tuple[str, str]]:
    """Those of the project's own, then ours by their titles."""
    mine = [(one.name, str(one)) for one in project.formats.all()]
    ours = [(name, formats.FORMATS[name].title) for name in formats.readable()]
    return [*mine, *sorted(ours, key=lambda one: one[1].lower())]
