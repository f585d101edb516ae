"""Before a judge is asked: every word that would be sent about one trajectory, and what that would take. Sends
nothing."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.judge_forms import ANSWERS, METHODS, READINGS, SIGHTS, PreviewForm
from annotations.models import Judge
from annotations.services import judge_preview
from annotations.services.judge_preview import Looked, NoSuchTrajectory

PAGE = "judges/preview.html"


@login_required
@require_GET
def saved(request: Request, slug: str, pk: int) -> HttpResponse:
    """What a judge that is made would be sent. ?trajectory= its number or its name, ?question= from 1, ?as=json the
    question as a file."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    rows = Judge.objects.select_related("server", "guideline", "project__scheme")
    judge = get_object_or_404(rows, project=project, pk=pk)
    return _answer(request, judge, request.GET, {"project": project, "judge": judge, "saved": True})


@login_required
@require_POST
def unsaved(request: Request, slug: str) -> HttpResponse:
    """The same of a judge that is being written: nothing is made."""
    project = access.project_for(request, slug, access.MANAGE)
    form = PreviewForm(request.POST, project=project)
    context: dict[str, Any] = {"project": project, "form": form}
    if not form.is_valid():
        return _shown(request, context, 422)
    judge = form.judge()
    return _answer(request, judge, request.POST, context | {"judge": judge})


def _answer(request: Request, judge: Judge, asked: Any, context: dict[str, Any]) -> HttpResponse:
    try:
        trajectory = judge_preview.chosen(judge, asked.get("trajectory", ""))
    except NoSuchTrajectory as no:
        return _shown(request, context | {"wrong": str(no)}, 404 if "saved" in context else 422)
    looked = judge_preview.of(judge, trajectory, whole(asked.get("question", "")) or 1)
    if asked.get("as") == "json" and looked.question:
        answer = JsonResponse(looked.question.body, json_dumps_params={"ensure_ascii": False, "indent": 1})
        name = f"question-{trajectory.pk}-{looked.number}.json"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
    return _shown(request, context | _told(judge, looked), 200)


def _told(judge: Judge, looked: Looked) -> dict[str, Any]:
    settings: dict[str, Any] = judge.settings
    return {
        "looked": looked,
        "trajectory": looked.trajectory,
        "preview": looked.preview,
        "question": looked.question,
        "settings": settings,
        "ways": [
            READINGS[settings["reading"]],
            SIGHTS[settings["sight"]],
            METHODS[settings["method"]],
            ANSWERS[settings["answer"]],
        ],
    }


def _shown(request: Request, context: dict[str, Any], status: int) -> HttpResponse:
    """The page; for a form that is being filled in a piece of it, which is there also where it names mistakes."""
    if request.htmx:
        return render(request, f"{PAGE}#sent", context)
    return render(request, PAGE, context, status=status)
