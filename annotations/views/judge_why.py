"""Why a judge said that: the questions, word for word, behind what it says of one trajectory."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Label
from annotations.services import judge_why, projects
from annotations.services.answers import Voices


@login_required
@require_GET
def page(request: Request, slug: str, annotation: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    found = judge_why.verdict(project, annotation)
    if found is None:
        raise Http404("There is no verdict of a judge of this project behind that.")
    step = whole(request.GET.get("step", ""))
    labels = Label.objects.current().filter(annotation=annotation).select_related("step").order_by("step__index", "pk")
    labels = labels.defer("step__message", "step__reasoning", "step__tool_calls", "step__observations", "step__extra")
    if step is not None:
        labels = labels.filter(step__index=step)
    voices = Voices(projects.scheme_of(project.scheme))
    context = {
        "project": project,
        "verdict": found,
        "judge": found.judge,
        "trajectory": found.annotation.trajectory,
        "step": step,
        "said": [(one, voices.mark(one.field, one.value)) for one in labels[:500]],
        "calls": list(judge_why.calls(found)),
        "votes": judge_why.votes(found, step),
        "layers": judge_why.layers(found),
        "rest": judge_why.rest(found),
    }
    return render(request, "judges/why.html", context)
