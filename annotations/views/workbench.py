"""The page where one annotator labels one trajectory, and the whole of a text that was too long to ride along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Annotation, Project, Score, Step
from annotations.records import Json
from annotations.rendering import markdown
from annotations.schemes.fields import ChoiceField
from annotations.schemes.fields.base import FieldSpec, Value
from annotations.schemes.schema import Scheme
from annotations.services import (
    beside,
    calibrated,
    candidates,
    desk,
    preferences,
    projects,
    reading,
    rubrics,
    scores,
    successors,
    training,
    trees,
    visibility,
)
from annotations.services.visibility import Visible
from annotations.views import fields, labels, texts, turns

PAGE = "workbench/page.html"
# What only some modes show stays in the database until the mode is known to show it.
HIDDEN = ("trajectory__task__reference", "trajectory__outcome", "trajectory__meta", "trajectory__extra")
WINDOW = 20  # turns that come together
MOST_TURNS = 3 * WINDOW
NO_ITEMS: Mapping[str, list[Json]] = {}
DOORS = (*(door.__name__ for door in labels.DOORS), "cards", "desk", "find")


@login_required
@require_GET
@never_cache
def page(request: Request, slug: str, annotation: int) -> HttpResponse:
    """The workbench of one of the user's own passes, under the mode it was begun in, opened near the step `?at` or
    the first that has no answer."""
    project = access.project_for(request, slug, access.LABEL)
    try:
        mine = _own(request, project, annotation)
    except Http404:
        return _to_successor(request, slug, annotation)
    scheme = projects.scheme_of(mine.scheme)
    turns_in_all = desk.turns(mine)
    facts = desk.desk(mine) if turns_in_all <= desk.SMALL else None
    at = _start(request, mine, turns_in_all, facts)
    items = rubrics.by_field(mine, scheme.fields)
    context = {
        "project": project,
        "annotation": mine,
        "task": mine.trajectory.task,
        "tools": turns.tools(mine.trajectory.task.tools),
        "trajectory_fields": [_control(spec, scheme, items) for spec in scheme.trajectory_fields],
        "in_bar": fields.in_bar(scheme),
        "training": training.progress(mine),
        "guidelines": markdown.to_html(mine.guideline.text) if mine.guideline else "",
        "shown": _shown(mine, visibility.of(request.membership, mine)),
        "data": _data(request, mine, scheme, turns_in_all, at) | {"desk": facts},
        **_cards(request, mine, scheme, at // WINDOW * WINDOW, at // WINDOW * WINDOW + WINDOW),
        "earlier": (at // WINDOW - 1) * WINDOW if at >= WINDOW else None,
        "later": (at // WINDOW + 1) * WINDOW if (at // WINDOW + 1) * WINDOW < turns_in_all else None,
    }
    return render(request, PAGE, context)


def _to_successor(request: Request, slug: str, annotation: int) -> HttpResponse:
    """To the pass that took the place of this one. Http404 where none did."""
    moved = successors.live(annotation, request.user, slug=slug)
    if moved is None:
        raise Http404
    return redirect("annotate", slug, moved.pk)


@login_required
@require_GET
@never_cache
def cards(request: Request, slug: str, annotation: int) -> HttpResponse:
    """The turns `from` ≤ index < `to` as the page shows them."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    first = max(0, whole(request.GET.get("from", "")) or 0)
    last = min(whole(request.GET.get("to", "")) or first + WINDOW, first + MOST_TURNS)
    return render(request, f"{PAGE}#cards", _cards(request, mine, projects.scheme_of(mine.scheme), first, last))


@login_required
@require_GET
@never_cache
def desk_of(request: Request, slug: str, annotation: int) -> JsonResponse:
    """All that is said, offered and worth a warning, for a page that came without it."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    return JsonResponse(desk.desk(mine))


def _start(request: Request, mine: Annotation, turns_in_all: int, facts: Json | None) -> int:
    at = whole(request.GET.get("at", ""))
    if at is None:
        at = desk.first_open(mine) if facts is None else desk.first_open_of(facts, projects.scheme_of(mine.scheme))
    return min(max(0, at or 0), max(0, turns_in_all - 1))


def _cards(request: Request, mine: Annotation, scheme: Scheme, first: int, last: int) -> dict[str, Any]:
    """What the partial `cards` draws: turns first ≤ index < last, as far as the pass shows them."""
    if mine.frontier is not None:
        last = min(last, mine.frontier + 1)
    may = visibility.of(request.membership, mine)
    items = rubrics.by_field(mine, scheme.step_fields)
    said = _scores(mine, first, last) if may.scores else {}
    steps = reading.window(mine.trajectory, first, last)
    told = beside.of(trees.of(mine.trajectory_id), steps, may, mine.frontier)
    shown = turns.turns(steps, said, desk.numbered(mine, first), told)
    by_sentence = any(spec.target == "sentence" for spec in scheme.step_fields)
    return {
        "project": mine.rater.project,
        "annotation": mine,
        "turns": [turns.with_whole_message(*one) for one in zip(shown, steps, strict=True)] if by_sentence else shown,
        **{f"{target}_fields": _asked(target, scheme, items) for target in ("step", "call", "sentence")},
        "firsts": [int(first) for first in candidates.told(mine, scheme) if first],
        "pointing": [_control(spec, scheme) for spec in fields.pointing(scheme)],
        "explains": fields.explains(scheme),
        "text_door": f"{reverse('annotate', args=[mine.rater.project.slug, mine.pk])}text/",
    }


@login_required
@require_GET
@never_cache
def text(request: Request, slug: str, annotation: int, step: int, part: str) -> HttpResponse:
    """One text of a step the pass shows, in the ways views/texts.py names."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    return texts.text(request, _readable(mine), step, part)


@login_required
@require_GET
def image(request: Request, slug: str, annotation: int, step: int, part: str, number: int) -> HttpResponse:
    """A picture in a text of a step the pass shows."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    return texts.image(request, _readable(mine), step, part, number)


@login_required
@require_GET
@never_cache
def find(request: Request, slug: str, annotation: int) -> JsonResponse:
    """Which steps hold `q`, from `from` on: {"hits": [[index, how often], …], "next": where to go on, or null}."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    wanted = request.GET.get("q", "")
    first = whole(request.GET.get("from", "")) or 0
    last = None if mine.frontier is None else mine.frontier + 1
    found = reading.find(mine.trajectory, wanted, first, last) if wanted else reading.Found([], None)
    return JsonResponse(found._asdict())


def _readable(mine: Annotation) -> QuerySet[Step]:
    """The steps that the pass shows."""
    steps = mine.trajectory.steps.all()
    return steps if mine.frontier is None else steps.filter(index__lte=mine.frontier)


def _own(request: Request, project: Project, annotation: int) -> Annotation:
    mine = Annotation.objects.of_user(request.user).filter(rater__project=project)
    related = ("scheme", "guideline", "rater__project", "trajectory__task")
    return get_object_or_404(mine.select_related(*related).defer(*HIDDEN), pk=annotation)


def _asked(target: str, scheme: Scheme, items: Mapping[str, list[Json]]) -> list[dict[str, Any]]:
    """The controls of what is asked of each step, call or sentence."""
    target = {"call": "tool_call"}.get(target, target)
    return [_control(spec, scheme, items) for spec in scheme.step_fields if spec.target == target]


def _control(spec: FieldSpec, scheme: Scheme, items: Mapping[str, list[Json]] = NO_ITEMS) -> dict[str, Any]:
    """A field as its controls: each fixed answer with its place, the sign of its value, and its tone; how it is called
    where it stands alone; and what its kind wants. `items` are the rubric items of the task, by field."""
    tones = spec.tones if isinstance(spec, ChoiceField) else [choice.tone or "plain" for choice in spec.options]
    choices = [
        {"place": place, "choice": choice, "sign": _sign(choice.value), "tone": tone}
        for place, (choice, tone) in enumerate(zip(spec.options, tones, strict=True))
    ]
    name = "Label" if spec.name == scheme.main and isinstance(spec, ChoiceField) else spec.title
    drawn = {"spec": spec, "name": name, "choices": choices, "template": f"workbench/fields/{spec.kind}.html"}
    return drawn | {"groups": fields.grouped(spec, choices)} | fields.more(spec, scheme, items)


def _sign(value: Value) -> str:
    """A number as it is written beside its title: +1, 0, −1."""
    return f"{value:+d}".replace("+0", "0").replace("-", "−") if isinstance(value, int) else ""


def _shown(mine: Annotation, may: Visible) -> dict[str, Any]:
    """What the mode shows beside the steps. What it does not show is not even read."""
    found: dict[str, Any] = {}
    if may.reference and mine.trajectory.task.reference is not None:
        found["reference"] = turns.shown_json(mine.trajectory.task.reference)
    if may.outcome and mine.trajectory.outcome is not None:
        found["outcome"] = turns.shown_json(mine.trajectory.outcome)
    return found


def _scores(mine: Annotation, first: int, last: int) -> dict[int, list[Score]]:
    """Index of a step → what each scorer says of it."""
    newest = scores.latest(mine.rater.project_id).values()
    held = calibrated.in_force(mine.rater.project_id, newest)
    rows = (
        Score.objects.filter(trajectory=mine.trajectory, run__in=newest, step__index__range=(first, last - 1))
        .annotate(sure=calibrated.probability(held), calibrated=calibrated.probability(held, only=True))
        .select_related("run", "step")
        .only("value", "detail", "run__config", "step__index")
        .order_by("step__index", "run_id")
    )
    found: dict[int, list[Score]] = {}
    for score in rows:
        found.setdefault(score.step.index, []).append(score)
    return found


def _data(request: Request, mine: Annotation, scheme: Scheme, turns_in_all: int, at: int) -> dict[str, Any]:
    """What the page's scripts start from, but for the desk: null where it comes later."""
    slug = mine.rater.project.slug
    here = reverse("annotate", args=[slug, mine.pk])
    liked = preferences.of(request.user)
    return {
        "annotation": mine.pk,
        "user": request.user.pk,
        "username": request.user.username,
        "mode": mine.mode,
        "revealed": mine.revealed_at is not None,
        "propagation": mine.propagation,
        "scheme": _told(scheme),
        "keys": [action._asdict() for action in preferences.keys_for(request.user, scheme).actions],
        "advance": liked.advance,
        "state": mine.state,
        "turns": turns_in_all,
        "window": WINDOW,
        "at": at,
        "here": here,
        "candidates": candidates.told(mine, scheme),
        "doors": {door: f"{here}{door}" for door in DOORS} | {"text": f"{here}text/"},
        "login": reverse("account_login"),
        "preferences": reverse("preferences"),
        "items": _neighbours(mine) | {"more": reverse("label_next", args=[slug])},
    }


def _told(scheme: Scheme) -> dict[str, Json]:
    """The scheme as the page's scripts read it."""
    rule = scheme.propagation
    return scheme.model_dump(mode="json", exclude={"guidelines", "sources", "check", "sample"}) | {
        "propagation": rule and {"field": rule.field, "value": rule.value, "until": rule.until, "fills": rule.fills},
        "wrong": scheme.wrong,
    }


def _neighbours(mine: Annotation) -> dict[str, str | None]:
    """The pages of the person's passes before and after this one, in the order they were begun."""
    own = Annotation.objects.live().filter(rater=mine.rater)
    before = own.filter(pk__lt=mine.pk).order_by("-pk").values_list("pk", flat=True).first()
    after = own.filter(pk__gt=mine.pk).order_by("pk").values_list("pk", flat=True).first()
    slug = mine.rater.project.slug
    return {
        name: reverse("annotate", args=[slug, pk]) if pk else None
        for name, pk in (("previous", before), ("next", after))
    }
