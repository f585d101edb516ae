"""Where raters differ: the list of what waits, and the page on which it is decided, place by place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Adjudication, Project, Standing, Trajectory
from annotations.records import Json
from annotations.services import adjudication, adjudication_places, sight
from annotations.services.adjudication import NotSettled
from annotations.services.adjudication_places import Spot
from annotations.services.dossier import Dossier
from annotations.services.outcomes import NotAccepted
from annotations.views import adjudication_talk as talking
from annotations.views import cards
from annotations.views.adjudication_panels import Panel, panel

PAGE = "adjudicate/page.html"
LISTED = 50
WHO = access.SEE_OTHERS_LABELS


@login_required
@require_GET
def index(request: Request, slug: str) -> HttpResponse:
    """What waits, what is begun, what is settled."""
    project = access.project_for(request, slug, WHO)
    everybody = _everybody(request, project)
    waiting = adjudication.waiting(project, everybody=everybody).select_related("trajectory")
    context = {
        "project": project,
        "everybody": everybody,
        "counts": adjudication.counted(project),
        "waiting": waiting[:LISTED],
        "open": adjudication.open_ones(project)[:LISTED],
        "settled": adjudication.settled(project)[:LISTED],
        "listed": LISTED,
        "agreed": adjudication.agreed(project, everybody=everybody).count(),
        "labelled": Standing.objects.filter(project=project, everybody__gt=1).exists(),
    }
    return render(request, "adjudicate/list.html", context)


@login_required
@require_POST
def following(request: Request, slug: str) -> HttpResponse:
    """Take up what comes next."""
    project = access.project_for(request, slug, WHO)
    everybody = request.POST.get("who") == "everybody"
    found = adjudication.following(project, request.user, everybody=everybody)
    if found is None:
        messages.success(request, "Nothing waits: wherever raters differ it is decided.")
        return redirect("adjudicate", slug)
    return _begun(request, project, found, everybody)


@login_required
@require_POST
def take_agreed(request: Request, slug: str) -> HttpResponse:
    """Take over what all agree on."""
    project = access.project_for(request, slug, WHO)
    everybody = request.POST.get("who") == "everybody"
    count = adjudication.settle_agreed(project, request.user, everybody=everybody)
    left = adjudication.agreed(project, everybody=everybody).count()
    messages.success(request, f"{count} taken over." + (f" {left} are left; press again." if left else ""))
    return redirect(f"{reverse('adjudicate', args=[slug])}?who={'everybody' if everybody else 'people'}")


@login_required
@require_POST
def begin(request: Request, slug: str, pk: int) -> HttpResponse:
    """Take this one up."""
    project = access.project_for(request, slug, WHO)
    return _begun(request, project, pk, request.POST.get("who") == "everybody")


def _begun(request: Request, project: Project, pk: int, everybody: bool) -> HttpResponse:
    trajectory = get_object_or_404(Trajectory, project=project, pk=pk)
    adjudication.begin(trajectory, request.user, everybody=everybody, blind="open" not in request.POST)
    return redirect("adjudicate_one", project.slug, pk)


@login_required
@require_GET
def page(request: Request, slug: str, pk: int) -> HttpResponse:
    """The trajectory with what is to be decided beside its steps. Nothing of what raters said is in it until that place
    is decided, or their words were asked for."""
    found = _found(request, slug, pk)
    start = max(0, whole(request.GET.get("at", "")) or 0) // cards.WINDOW * cards.WINDOW
    spots = adjudication.spots(found)
    context = _steps(request, found, spots, start) | _head(request, found, spots)
    context |= {"whole": [panel(found, spot) for spot in spots if spot.place[0] is None and spot.differs]}
    return render(request, PAGE, context)


@login_required
@require_GET
def steps(request: Request, slug: str, pk: int) -> HttpResponse:
    """The next window of steps."""
    found = _found(request, slug, pk)
    start = max(0, whole(request.GET.get("from", "")) or 0)
    context = _steps(request, found, adjudication.spots(found), start, "later")
    return render(request, f"{PAGE}#steps", context | {"project": found.project})


@login_required
@require_POST
def decide(request: Request, slug: str, pk: int) -> HttpResponse:
    """Say what holds at a place."""

    def deed(found: Adjudication, place: Any) -> Adjudication:
        why = request.POST.get("why", "").strip()
        value, of = _value(request.POST.get("value", "")), request.POST.get("of", "")
        return adjudication.decide(found, request.user, place, value, why=why, of=of)

    return _changed(request, slug, pk, deed)


@login_required
@require_POST
def show(request: Request, slug: str, pk: int) -> HttpResponse:
    """Hear the raters at a place without deciding first."""
    return _changed(request, slug, pk, lambda found, place: adjudication.show(found, request.user, place))


@login_required
@require_POST
def settle(request: Request, slug: str, pk: int) -> HttpResponse:
    found = _found(request, slug, pk)
    try:
        adjudication.settle(found, request.user)
    except NotSettled as no:
        messages.error(request, str(no))
        return redirect("adjudicate_one", slug, pk)
    messages.success(request, f"{found.trajectory.external_id} is settled.")
    following = adjudication.following(found.project, request.user, everybody=found.everybody)
    if following is None:
        return redirect("adjudicate", slug)
    return _begun(request, found.project, following, found.everybody)


@login_required
@require_POST
def reopen(request: Request, slug: str, pk: int) -> HttpResponse:
    try:
        adjudication.reopen(_found(request, slug, pk), request.user, request.POST.get("reason", ""))
    except NotAccepted as no:
        messages.error(request, str(no))
    return redirect("adjudicate_one", slug, pk)


@login_required
@require_http_methods(["POST"])
def take_over(request: Request, slug: str, pk: int) -> HttpResponse:
    adjudication.take_over(_found(request, slug, pk), request.user)
    return redirect("adjudicate_one", slug, pk)


def _everybody(request: Request, project: Project) -> bool:
    """Whether judges and files are heard too: as asked, else where people alone have nothing to differ about."""
    if (asked := request.GET.get("who", "")) in ("people", "everybody"):
        return asked == "everybody"
    return not Standing.objects.filter(project=project, people__gt=1).exists()


def _found(request: Request, slug: str, pk: int) -> Adjudication:
    project = access.project_for(request, slug, WHO)
    rows = Adjudication.objects.select_related("project__scheme", "trajectory__task", "by", "annotation")
    return get_object_or_404(rows, project=project, trajectory=pk)


def _changed(request: Request, slug: str, pk: int, deed: Callable[[Adjudication, Any], Adjudication]) -> HttpResponse:
    """Do it, and answer with the place as it is then, and the head of the page."""
    found = _found(request, slug, pk)
    place = adjudication_places.read(request.POST.get("place", ""))
    if place is None:
        raise Http404
    problem = ""
    try:
        deed(found, place)
    except (NotAccepted, NotSettled) as no:
        problem = str(no)
    found.refresh_from_db()
    spots = adjudication.spots(found)
    spot = next((one for one in spots if one.place == place), None)
    if not request.htmx or spot is None:
        if problem:
            messages.error(request, problem)
        return redirect(f"{reverse('adjudicate_one', args=[slug, pk])}#place-{adjudication_places.path(place)}")
    here = talking.said(request.membership, found, spots)[place[0]]
    context = _head(request, found, spots) | {"panel": panel(found, spot), "problem": problem, "said": here}
    return render(request, f"{PAGE}#changed", context, status=422 if problem else 200)


def _value(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotAccepted("The answer is no JSON.", "value", []) from None


def _head(request: Request, found: Adjudication, spots: Sequence[Spot]) -> dict[str, Any]:
    """How far it is."""
    differing = [spot for spot in spots if spot.differs]
    decided = [spot for spot in differing if spot.decided]
    return {
        "project": found.project,
        "adjudication": found,
        "trajectory": found.trajectory,
        "differing": [(spot, _number(spot)) for spot in differing],
        "decided": len(decided),
        "left": len(differing) - len(decided),
        "agreed": sum(spot.agreed is not None for spot in spots),
        "mine": found.by_id == request.user.pk and found.settled_at is None,
    }


def _number(spot: Spot) -> str:
    step, _ = spot.place
    return f"#{step}" if step is not None else "the whole"


def _steps(request: Request, found: Adjudication, spots: Sequence[Spot], start: int, only: str = "") -> dict[str, Any]:
    """A window of steps, nobody's labels among them, each with its places."""
    file = Dossier(request.membership, found.trajectory, raters=())
    shown = sight.window(request.membership, found.trajectory, start, start + cards.WINDOW)
    window = cards.window(file, shown, start, only)
    said = talking.said(request.membership, found, spots)
    of_step: dict[int | None, list[Panel]] = {}
    for spot in spots:
        if spot.differs and spot.place[0] in {step.index for step in shown}:
            of_step.setdefault(spot.place[0], []).append(panel(found, spot))
    for card in window["cards"]:
        card["scores"] = ()
        card["panels"] = of_step.get(card["turn"].index, [])
        card["said"] = said.get(card["turn"].index)
    door = reverse("adjudicate_one", args=[found.project.slug, found.trajectory_id])
    texts = reverse("trajectory_steps", args=[found.project.slug, found.trajectory_id])
    return window | {"adjudication": found, "door": door, "text_door": texts, "earlier": None, "of_whole": said[None]}
