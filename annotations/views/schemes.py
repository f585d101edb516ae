"""How a project labels: what is in force, the versions and what changed, and the presets to begin from."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotations import access, schemes
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project, ProjectScheme
from annotations.rendering import markdown
from annotations.schemes.schema import Scheme
from annotations.services import guidelines, rubric_lists, scheme_texts
from annotations.views import scheme_force, scheme_preview, scheme_words


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug)
    current = scheme_texts.in_force(project)
    scheme = scheme_texts.of_project(project).scheme
    context = {
        "project": project,
        "current": current,
        "versions": project.schemes.defer("text").select_related("created_by", "scheme"),
        "presets": presets(),
        "changes": scheme_force.log(project),
        "rubric_fields": rubric_lists.fields_of(scheme),
        "wrong_mode": scheme_texts.in_the_way(project, current) if current else "",
        **told(scheme),
    }
    return render(request, "schemes/page.html", context)


@login_required
@require_GET
def version(request: Request, slug: str, number: int) -> HttpResponse:
    """One version, and what changed since the one before it, or since the older one that `?since` names."""
    project = access.project_for(request, slug)
    shown = _version(project, number)
    current = scheme_texts.in_force(project)
    before = _before(project, shown, request.GET.get("since", ""))
    document = scheme_texts.document_of(shown)
    context = {
        "project": project,
        "shown": shown,
        "current": current,
        "in_force": current is not None and current.pk == shown.pk,
        "before": before,
        "lines": guidelines.difference(before.text, shown.text) if before else [],
        "labelled": scheme_texts.is_labelled(project),
        "in_the_way": scheme_texts.in_the_way(project, shown),
        "text": document.text,
        **told(document.scheme),
    }
    return render(request, "schemes/version.html", context)


@login_required
@require_GET
def download(request: Request, slug: str, number: int) -> HttpResponse:
    """The version as the file it was written in."""
    project = access.project_for(request, slug)
    document = scheme_texts.document_of(_version(project, number))
    return yaml_file(document.text, f"{project.slug}-scheme-{number}")


@login_required
@require_GET
def preset(request: Request, name: str) -> HttpResponse:
    """A scheme that comes with Stepmark: what it asks, as text and as an annotator sees it."""
    if name not in schemes.shipped():
        raise Http404("No scheme of that name comes with Stepmark.")
    document = scheme_texts.preset(name)
    if "file" in request.GET:
        return yaml_file(document.text, name)
    context = {"text": document.text, **told(document.scheme), **scheme_preview.preview(document.scheme)}
    return render(request, "schemes/preset.html", context)


def told(scheme: Scheme) -> dict[str, Any]:
    """What the pages say of a scheme."""
    return {
        "scheme": scheme,
        "kinds": scheme_words.kinds(scheme),
        "fields": scheme_words.fields(scheme),
        "rules": scheme_words.rule_sentences(scheme),
        "guidelines": [(one, markdown.to_html(one.text)) for one in scheme.guidelines],
    }


def presets() -> list[dict[str, Any]]:
    """The schemes that come with Stepmark, for a list to choose from."""
    return [
        {"scheme": one, "kinds": scheme_words.kinds(one), "words": _searched(one)}
        for one in sorted(schemes.shipped().values(), key=lambda one: one.title.lower())
    ]


def _searched(scheme: Scheme) -> str:
    """The words that find it."""
    told = [scheme.name, scheme.title, scheme.summary, *scheme_words.kinds(scheme)]
    told += [source.title for source in scheme.sources] + [spec.title for spec in scheme.fields]
    return " ".join(told).lower()


def yaml_file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return response


def _version(project: Project, number: int) -> ProjectScheme:
    return get_object_or_404(project.schemes.select_related("created_by", "scheme"), number=number)


def _before(project: Project, shown: ProjectScheme, since: str) -> ProjectScheme | None:
    older = project.schemes.filter(number__lt=shown.number)
    return older.filter(number=whole(since) or 0).first() or older.first()
