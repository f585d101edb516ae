"""The deployment's scorers, for the server's administrator: which there are, adding one, taking one away."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotations.access import Request
from annotations.formats.lines import dump
from annotations.models import DeployedScorer
from annotations.scorer_forms import ScorerForm
from annotations.services import scorer_entries
from annotations.services.scorer_entries import ScorerRefused


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request) -> HttpResponse:
    _refuse_unless_administrator(request)
    form = ScorerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            scorer_entries.add(form.cleaned_data["name"], form.entry(), request.user)
        except ScorerRefused as no:
            form.add_error("name", str(no))
        else:
            messages.success(
                request, f"{form.cleaned_data['name']} is added. A first try on a project says if it works."
            )
            return redirect("scorers")
    added = DeployedScorer.objects.filter(removed_at__isnull=True).select_related("added_by").order_by("pk")
    context = {
        "form": form,
        "added": [(one, dump(one.options)) for one in added],
        "entries": scorer_entries.all_of_them(),
    }
    return render(request, "scorers/page.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    _refuse_unless_administrator(request)
    row = get_object_or_404(DeployedScorer, pk=pk, removed_at__isnull=True)
    scorer_entries.remove(row.name)
    messages.success(request, f"{row.name} is removed. What it scored stays.")
    return redirect("scorers")


def _refuse_unless_administrator(request: Request) -> None:
    if not request.user.is_superuser:
        raise Http404
