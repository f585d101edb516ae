"""The rollouts that a label page compares, each by itself: what its agent said and did, not where it comes from."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Annotation, Trajectory
from annotations.services import beside, candidates, desk, projects, reading, trees
from annotations.services.visibility import Visible
from annotations.views import texts, turns

PAGE = "workbench/candidate.html"
WINDOW = 20  # turns that come together


@login_required
@require_GET
@never_cache
def candidate(request: Request, slug: str, annotation: int, rollout: int) -> HttpResponse:
    """A window of its turns: from the turn `from` on, or the last ones where it is "last"."""
    mine, found = _found(request, slug, annotation, rollout)
    newest = found.steps.order_by("-index").values_list("index", flat=True).first()
    all_turns = 0 if newest is None else newest + 1
    asked = request.GET.get("from", "")
    first = max(0, all_turns - WINDOW) if asked == "last" else max(0, whole(asked) or 0)
    here = reverse("annotate_candidate", args=[slug, mine.pk, rollout])
    steps = reading.window(found, first, first + WINDOW)
    told = beside.of(trees.of(found.pk), steps, Visible())
    shown = turns.turns(steps, {}, desk.agent_steps_before(found, first), told)
    context = {
        "turns": shown,
        "text_door": f"{here}text/",
        "earlier": max(0, first - WINDOW) if first else None,
        "later": first + WINDOW if first + WINDOW < all_turns else None,
    }
    return render(request, PAGE, context)


@login_required
@require_GET
@never_cache
def text(request: Request, slug: str, annotation: int, rollout: int, step: int, part: str) -> HttpResponse:
    """One text of it, in the ways views/texts.py names."""
    return texts.text(request, _found(request, slug, annotation, rollout)[1].steps.all(), step, part)


@login_required
@require_GET
def image(
    request: Request, slug: str, annotation: int, rollout: int, step: int, part: str, number: int
) -> HttpResponse:
    """A picture in a text of it."""
    return texts.image(request, _found(request, slug, annotation, rollout)[1].steps.all(), step, part, number)


def _found(request: Request, slug: str, annotation: int, rollout: int) -> tuple[Annotation, Trajectory]:
    """The user's own pass, and the rollout if it is one that the pass compares. Raises Http404."""
    project = access.project_for(request, slug, access.LABEL)
    own = Annotation.objects.of_user(request.user).filter(rater__project=project)
    mine = get_object_or_404(own.select_related("scheme", "trajectory"), pk=annotation)
    found = candidates.rollout(mine, projects.scheme_of(mine.scheme), rollout)
    if found is None:
        raise Http404
    return mine, found
