"""Writing a scheme: the YAML beside what it makes of a label page, and saving it as a version."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from annotations import access, schemes
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project
from annotations.schemes import Mistake, SchemeRefused
from annotations.services import guidelines, scheme_texts
from annotations.services.scheme_texts import Overtaken
from annotations.views import scheme_preview
from annotations.views.schemes import presets

PAGE, NEWER, PREVIEW = "schemes/edit.html", "schemes/_newer.html", "schemes/_preview.html"


class Sent(NamedTuple):
    """What came to be saved: the text, the version it was begun with, and whether a script asks."""

    text: str
    base: int | None
    script: bool


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    if request.method == "POST":
        return _save(request, project)
    newest = scheme_texts.newest(project)
    text, why = _begun(request, project)
    return _shown(request, project, text, newest.number if newest else 0, why=why)


@login_required
@require_POST
def preview(request: Request, slug: str) -> HttpResponse:
    """What the text makes of a label page, or what is wrong with it."""
    access.project_for(request, slug, access.MANAGE)
    return JsonResponse(_previewed(_sent(request).text))


def _begun(request: Request, project: Project) -> tuple[str, str]:
    """What the writer begins with, and where it comes from: the preset `?preset`, the version `?version`, else what is
    in force."""
    name = request.GET.get("preset", "")
    if name in schemes.shipped():
        return scheme_texts.preset(name).text, f"the preset {name}"
    number = whole(request.GET.get("version", ""))
    chosen = project.schemes.filter(number=number).first() if number else None
    version = chosen or scheme_texts.newest(project)
    if version is None:
        return scheme_texts.of_project(project).text, ""
    return scheme_texts.document_of(version).text, f"version {version.number}"


def _shown(request: Request, project: Project, text: str, base: int, *, status: int = 200, **more: Any) -> HttpResponse:
    found = _read(text)
    context = {
        "project": project,
        "text": text,
        "base": base,
        "presets": presets(),
        "mistakes": found if isinstance(found, list) else [],
        **(more | (scheme_preview.preview(found) if not isinstance(found, list) else {})),
    }
    return render(request, PAGE, context, status=status)


def _sent(request: Request) -> Sent:
    """The body, of a form or of a script. Text that no file could hold is told as a mistake when it is read."""
    if request.content_type == "application/json":
        try:
            said = json.loads(request.body)
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        text, base = said.get("text"), said.get("base")
        return Sent(_lines(text if isinstance(text, str) else ""), base if isinstance(base, int) else None, True)
    file = request.FILES.get("file")
    text = file.read().decode("utf-8-sig", "replace") if file else request.POST.get("text", "")
    return Sent(_lines(text), whole(request.POST.get("base", "")), False)


def _lines(text: str) -> str:
    """With the line ends of a file: a form sends other ones."""
    return text.replace("\r\n", "\n")


def _save(request: Request, project: Project) -> HttpResponse:
    sent = _sent(request)
    try:
        stored = scheme_texts.save(project, sent.text, request.user, base=sent.base)
    except SchemeRefused as no:
        return _refused(request, project, sent, no.mistakes)
    except Overtaken as no:
        return _overtaken(request, project, sent, no)
    said = f"Version {stored.number} is saved. It is a draft until it is put in force."
    messages.success(request, said)
    address = reverse("scheme_version", args=[project.slug, stored.number])
    return JsonResponse({"url": address}) if sent.script else redirect(address)


def _refused(request: Request, project: Project, sent: Sent, mistakes: list[Mistake]) -> HttpResponse:
    if sent.script:
        told = {"error": f"Not saved: {_count(mistakes)}.", "mistakes": [one._asdict() for one in mistakes]}
        return JsonResponse(told, status=422)
    return _shown(request, project, sent.text, sent.base or 0, status=422, refused=True)


def _overtaken(request: Request, project: Project, sent: Sent, no: Overtaken) -> HttpResponse:
    """Both texts are kept: the newer version is shown as a difference, and saving again puts this one after it."""
    begun = project.schemes.filter(number=sent.base or 0).first()
    told = {
        "newest": no.newest,
        "begun": begun,
        "lines": guidelines.difference(begun.text if begun else "", no.newest.text),
        "mine": guidelines.difference(no.newest.text, sent.text),
    }
    if sent.script:
        html = render_to_string(NEWER, told, request)
        return JsonResponse({"error": str(no), "newest": no.newest.number, "html": html}, status=409)
    return _shown(request, project, sent.text, no.newest.number, status=409, overtaken=True, **told)


def _previewed(text: str) -> dict[str, Any]:
    found = _read(text)
    if isinstance(found, list):
        return {"mistakes": [one._asdict() for one in found], "said": _count(found), "html": None}
    made = scheme_preview.preview(found)
    return {"mistakes": [], "said": "", "html": render_to_string(PREVIEW, made), "data": made["data"]}


def _read(text: str) -> schemes.Scheme | list[Mistake]:
    try:
        return schemes.read(text)
    except SchemeRefused as no:
        return no.mistakes


def _count(mistakes: list[Mistake]) -> str:
    return "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
