"""Why a judge said that: the questions, word for word, behind what it says of one trajectory."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.judge_forms import ANSWERS, METHODS, READINGS, SIGHTS
from annotations.models import Judge, JudgeVerdict, Project
from annotations.services import judge_why, judge_why_said, projects
from annotations.services.judge_preview import Text

PAGE = "judges/why.html"


@login_required
@require_GET
def page(request: Request, slug: str, annotation: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    found = _verdict(project, annotation)
    step, first = whole(request.GET.get("step", "")), whole(request.GET.get("from", "")) or 1
    spent, calls = judge_why.spent(found), judge_why.calls(found, first)
    context = {
        "project": project,
        "verdict": found,
        "trajectory": found.annotation.trajectory,
        "step": step,
        "said": judge_why_said.rows(request.membership, found, projects.scheme_of(project.scheme), step),
        "spent": spent,
        "calls": calls,
        "before": max(1, first - judge_why.CALLS) if first > 1 else None,
        "after": first + len(calls) if calls and first + len(calls) <= spent.calls else None,
        "cuts": judge_why.cuts(found),
        "unanswered": judge_why.unanswered(found),
        "votes": judge_why.votes(found, step),
        "layers": list(judge_why.layers(found)),
        "rest": judge_why.rest(found),
        **_asked(found.judge),
    }
    return render(request, PAGE, context)


@login_required
@require_GET
def text(request: Request, slug: str, annotation: int, call: int, name: str) -> HttpResponse:
    """One text of a question: what is between its beginning and end for the page that shows these, else all of it."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    found = judge_why.whole(_verdict(project, annotation), call, name)
    if found is None:
        raise Http404("There is no such text behind that verdict.")
    if request.htmx:
        return render(request, f"{PAGE}#between", {"text": Text(name, found)})
    return HttpResponse(found, content_type="text/plain; charset=utf-8")


def _verdict(project: Project, annotation: int) -> JudgeVerdict:
    found = judge_why.verdict(project, annotation)
    if found is None:
        raise Http404("There is no verdict of a judge of this project behind that.")
    return found


def _asked(judge: Judge) -> dict[str, Any]:
    """How the judge is asked, in words."""
    settings = judge.settings
    ways = (
        READINGS[settings["reading"]],
        SIGHTS[settings["sight"]],
        METHODS[settings["method"]],
        ANSWERS[settings["answer"]],
    )
    told = {**settings, "examples": len(settings["examples"])}
    return {
        "judge": judge,
        "settings": settings,
        "ways": ways,
        "examples": len(settings["examples"]),
        "all_settings": json.dumps(told, ensure_ascii=False, indent=1),
    }
