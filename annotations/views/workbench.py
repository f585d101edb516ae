"""The page where one annotator labels one trajectory, and the whole of a text that was too long to ride along."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Annotation, Project, Score
from annotations.rendering import markdown
from annotations.schemes.schema import FieldSpec, Scheme
from annotations.services import labels, projects, reading, scores, visibility
from annotations.services.visibility import Visible
from annotations.views import turns

PAGE = "workbench/page.html"
# What only some modes show stays in the database until the mode is known to show it.
HIDDEN = ("trajectory__task__reference", "trajectory__outcome", "trajectory__meta", "trajectory__extra")
DOORS = ("change", "accept", "undo", "redo", "submit", "skip", "reopen", "lease", "state")


@login_required
@require_GET
@never_cache
def page(request: Request, slug: str, annotation: int) -> HttpResponse:
    """The workbench of one of the user's own passes, under the mode it was begun in."""
    project = access.project_for(request, slug, access.LABEL)
    mine = _own(request, project, annotation)
    scheme = projects.scheme_of(mine.scheme)
    shown = _shown(mine, visibility.of(request.membership, mine))
    rows = turns.turns(mine.trajectory.steps.all(), shown.get("scores", {}))
    agent = [turn.index for turn in rows if turn.number]
    context = {
        "project": project,
        "annotation": mine,
        "task": mine.trajectory.task,
        "tools": turns.tools(mine.trajectory.task.tools),
        "turns": rows,
        "agent_steps": agent,
        "step_fields": [_control(spec) for spec in scheme.step_fields],
        "trajectory_fields": [_control(spec) for spec in scheme.trajectory_fields],
        "guidelines": markdown.to_html(mine.guideline.text) if mine.guideline else "",
        "shown": shown,
        "data": _data(request, mine, scheme, agent),
    }
    return render(request, PAGE, context)


@login_required
@require_GET
@never_cache
def text(request: Request, slug: str, annotation: int, step: int, part: str) -> HttpResponse:
    """One text of a step in full; `?raw=1` as it was written."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    row = get_object_or_404(mine.trajectory.steps.all(), index=step)
    found = turns.part(row, part, raw=request.GET.get("raw") == "1")
    if found is None:
        raise Http404
    return render(request, f"{PAGE}#text", {"block": found})


@login_required
@require_GET
@never_cache
def find(request: Request, slug: str, annotation: int) -> JsonResponse:
    """Which steps hold `q`, from `from` on: {"hits": [[index, how often], …], "next": where to go on, or null}."""
    mine = _own(request, access.project_for(request, slug, access.LABEL), annotation)
    wanted = request.GET.get("q", "")
    first = whole(request.GET.get("from", "")) or 0
    found = reading.find(mine.trajectory, wanted, first) if wanted else reading.Found([], None)
    return JsonResponse(found._asdict())


def _own(request: Request, project: Project, annotation: int) -> Annotation:
    mine = Annotation.objects.of_user(request.user).filter(rater__project=project)
    related = ("scheme", "guideline", "rater", "trajectory__task")
    return get_object_or_404(mine.select_related(*related).defer(*HIDDEN), pk=annotation)


def _control(spec: FieldSpec) -> dict[str, Any]:
    """A field as its buttons: each choice with its place, the sign of its value, and its tone."""
    choices = [
        {"place": place, "choice": choice, "sign": _sign(choice.value), "tone": tone}
        for place, (choice, tone) in enumerate(zip(spec.choices, _tones(spec), strict=True))
    ]
    return {"spec": spec, "choices": choices}


def _sign(value: int | str) -> str:
    """A number as it is written beside its title: +1, 0, −1."""
    return f"{value:+d}".replace("+0", "0").replace("-", "−") if isinstance(value, int) else ""


def _tones(spec: FieldSpec) -> list[str]:
    """What each answer looks like: right, neutral or wrong by the sign of its value where the answers are ordered and
    go below zero, by its place (the best first) where they are ordered otherwise, plain where they have no order."""
    values = [choice.value for choice in spec.choices]
    if spec.level != "ordinal":
        return ["plain"] * len(values)
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) == len(values) and min(numbers) < 0:
        return ["right" if number > 0 else "wrong" if number < 0 else "neutral" for number in numbers]
    return ["right", *["neutral"] * (len(values) - 2), "wrong"][: len(values)]


def _shown(mine: Annotation, may: Visible) -> dict[str, Any]:
    """What the mode shows beside the steps. What it does not show is not even read."""
    found: dict[str, Any] = {}
    if may.reference and mine.trajectory.task.reference is not None:
        found["reference"] = turns.shown_json(mine.trajectory.task.reference)
    if may.outcome and mine.trajectory.outcome is not None:
        found["outcome"] = turns.shown_json(mine.trajectory.outcome)
    if may.scores:
        found["scores"] = _scores(mine)
    return found


def _scores(mine: Annotation) -> dict[int, list[Score]]:
    """Index of a step → what each scorer says of it."""
    rows = (
        Score.objects.filter(trajectory=mine.trajectory, run__in=scores.latest(mine.rater.project_id).values())
        .select_related("run", "step")
        .only("value", "probability", "detail", "run__config", "step__index")
        .order_by("step__index", "run_id")
    )
    found: dict[int, list[Score]] = {}
    for score in rows:
        found.setdefault(score.step.index, []).append(score)
    return found


def _data(request: Request, mine: Annotation, scheme: Scheme, agent: list[int]) -> dict[str, Any]:
    """What the page's scripts start from."""
    slug = mine.rater.project.slug
    here = reverse("annotate", args=[slug, mine.pk])
    return {
        "annotation": mine.pk,
        "user": request.user.pk,
        "mode": mine.mode,
        "propagation": mine.propagation,
        "scheme": scheme.model_dump(mode="json"),
        "steps": agent,
        "state": labels.state(mine.pk, request.user).as_json(),
        "tones": {spec.name: _tones(spec) for spec in scheme.fields if spec.choices},
        "here": here,
        "doors": {door: f"{here}{door}" for door in DOORS} | {"text": f"{here}text/", "find": f"{here}find"},
        "login": f"{reverse('account_login')}?next={here}",
        "items": _neighbours(mine) | {"more": reverse("label_next", args=[slug])},
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
