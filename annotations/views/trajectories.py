"""The list of trajectories: what the address asks for, page by page."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.schemes.schema import Scheme
from annotations.services import asked as answered
from annotations.services import browse, duplicates, filters, projects, views
from annotations.services.answers import Voice
from annotations.services.filters import Filters
from annotations.services.wrongs import Wrong

LIST = "trajectories/list.html"
# Columns that sort, each with the order of a first press and the one of the next.
SORTED = {
    "id": ("oldest", "newest"),
    "steps": ("-steps", "steps"),
    "first_error": ("first_error", "-first_error"),
    "differ": ("-differ", "differ"),
    "low": ("doubt", "-doubt"),
}


class Heading(NamedTuple):
    """What a press on a column's title asks for, and how the list is sorted by it now."""

    url: str
    now: str  # as aria-sort says it; empty where it is not sorted by this


@login_required
@require_GET
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug)
    scheme = projects.scheme_of(project.scheme)
    sees_all = access.may(request.membership, access.SEE_OTHERS_LABELS)
    asked, complaints = filters.read(
        request.GET.dict(), scheme, sees_all=sees_all, answers=request.GET.getlist(filters.ANSWER)
    )
    cursors = {name: request.GET.get(name, "")[:100] for name in ("after", "before")}
    page = browse.Browser(request.membership, asked).page(**cursors)
    context = {
        "project": project,
        "page": page,
        "here": request.path,
        "filters": asked,
        "complaints": complaints,
        "chips": list(filters.chips(asked, scheme)),
        "sees_all": sees_all,
        "views": views.of(project) if sees_all else [],
        **_answers(scheme, asked),
        "states": filters.STATES,
        "duplicates": duplicates.KINDS,
        "orders": filters.orders(sees_all),
        "headings": {name: _heading(asked, *orders) for name, orders in SORTED.items()},
        "next": asked.query(after=page.after) if page.after else "",
        "previous": asked.query(before=page.before) if page.before else "",
        "first": asked.query(),
        "more_filters": bool(asked.active.keys() - {"q", "source", "model", "label", "answers"}),
    }
    return render(request, LIST, context)


def _answers(scheme: Scheme, asked: Filters) -> dict[str, Any]:
    """What the form offers of answers, and which columns the scheme has any use for."""
    main = scheme.main_field
    voice = Voice(main)
    chosen, *others = [one.spelled for one in asked.answers if not one.name] or [""]
    return {
        "values": [(value, voice.mark(value)) for value in main.values] if main.kind == "choice" else [],
        "answers": answered.options(scheme),
        "chosen": chosen,
        "also": others,
        "ranges": answered.ranges(scheme, asked.answers),
        "finds_wrong": Wrong(scheme).known,
        "compares": main.level != "none",
        "has_strips": main.of_step or main.kind == "first_error",
        "verdict": main.title,
    }


def _heading(asked: Filters, first: str, second: str) -> Heading:
    chosen = second if asked.sort == first else first
    now = ""
    if asked.sort in (first, second):
        now = "descending" if filters.SORTS[asked.sort].descending else "ascending"
    return Heading(asked.sorted_by(chosen).query(), now)


@login_required
@require_GET
def choices(request: Request, slug: str, of: str) -> HttpResponse:
    """The options of a filter, for when somebody goes into it."""
    access.project_for(request, slug)
    if of not in ("source", "model", "tool", "rater"):
        raise Http404
    return render(request, f"{LIST}#choices", {"choices": browse.choices(request.membership, of)})
