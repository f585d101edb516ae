"""How far to rely on each person: everybody's figures for those who lead, one's own for the rest."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import table_file
from annotations.services import gold, gold_feedback, gold_results, projects, quality, quality_words


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.LABEL)
    unfit = quality.unfit(projects.scheme_of(project.scheme))
    people = [] if unfit else _people(request)
    context = {
        "project": project,
        "unfit": unfit,
        "people": people,
        "plot": quality_words.plot([one for one, *_ in people]),
        "stops": gold.horizon(request.membership),
        "golden": gold.told(request.membership) and gold.has_gold(project),
        "repeated": any(again for *_, again in people),
        "mine": gold_feedback.golden(request.membership),
        "sees_all": access.may(request.membership, access.SEE_OTHERS_LABELS),
        "enough": quality.ENOUGH,
    }
    return render(request, "pace/quality.html", context)


@login_required
@require_GET
def as_csv(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.LABEL)
    fit = not quality.unfit(projects.scheme_of(project.scheme))
    rows = quality_words.of(request.membership) if fit else quality_words.table([])
    return table_file(f"{project.slug}-quality.csv", rows)


Beside = gold_results.Person | None


def _people(request: Request) -> list[tuple[quality.Person, Beside, Beside]]:
    """Each person's figures, with those on gold items and on items given again beside them."""
    on_gold, again = gold_results.figures(request.membership), gold_results.again(request.membership)
    return [(one, on_gold.get(one.rater.pk), again.get(one.rater.pk)) for one in quality.figures(request.membership)]
