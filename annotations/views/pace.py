"""How labelling goes: everybody's numbers for leads, one's own for the rest, and the rows behind each number."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.forms import PaceForm
from annotations.http import whole
from annotations.services import blind_share, pace
from annotations.services.pace import Asked

FARTHEST = 10_000  # pages of rows


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug)
    sees_all = access.may(request.membership, access.SEE_OTHERS_LABELS)
    form, asked = _asked(request)
    everybody, people = pace.figures(request.membership, asked)
    context = {
        "project": project,
        "sees_all": sees_all,
        "form": form,
        "asked": asked,
        "everybody": everybody,
        "people": people,
        "comparison": blind_share.compare(project) if sees_all else None,
    }
    return render(request, "pace/page.html", context)


@login_required
@require_GET
def rows(request: Request, slug: str) -> HttpResponse:
    """What one number was counted from."""
    project = access.project_for(request, slug)
    form, asked = _asked(request)
    kind = request.GET.get("of", "steps")
    if kind not in pace.KINDS:
        raise Http404(f"There are no rows of {kind!r}: ask for {', '.join(pace.KINDS)}.")
    at = min(max(0, whole(request.GET.get("page", "")) or 0), FARTHEST)
    found, total = pace.rows(request.membership, asked, kind, at)
    context: dict[str, Any] = {
        "project": project,
        "asked": asked,
        "what": pace.KINDS[kind],
        "rows": found,
        "total": total,
        "first": at * pace.PER_PAGE + 1,
        "previous": at - 1 if at else None,
        "next": at + 1 if (at + 1) * pace.PER_PAGE < total else None,
        "sees_all": access.may(request.membership, access.SEE_OTHERS_LABELS),
    }
    return render(request, "pace/rows.html", context)


def _asked(request: Request) -> tuple[PaceForm, Asked]:
    """The filters of the address; what of them cannot be read is said by the form, and the usual holds."""
    names = list(pace.people(request.membership).order_by("name").values_list("name", flat=True))
    form = PaceForm({"under": pace.UNDER, "t": pace.HASTY, **request.GET.dict()}, people=names)
    form.is_valid()
    data = {name: value for name, value in form.cleaned_data.items() if value is not None}
    limits = data.get("under", pace.UNDER), data.get("t", pace.HASTY)
    return form, Asked(data.get("since"), data.get("person", ""), *limits)
