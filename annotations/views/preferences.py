"""A person's own keys, and how the label page moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotations import keys
from annotations.access import Request
from annotations.keys import Action
from annotations.schemes import keys as scheme_keys
from annotations.services import preferences

PAGE = "account/preferences.html"
KEY = "key:"  # what the names of the key fields begin with


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request) -> HttpResponse:
    """Keys are written with spaces between: `j ArrowDown`. A sequence is written with an underscore: `g_g`."""
    problems: Mapping[str, str] = {}
    if request.method == "POST":
        try:
            preferences.change(request.user, own=_keys(request), advance=request.POST.get("advance") == "1")
        except preferences.Refused as refused:
            problems = refused.problems
        else:
            messages.success(request, "Saved. The label page works that way from now on.")
            return redirect("preferences")
    context = {"sections": _sections(request, problems), "advance": preferences.of(request.user).advance}
    return render(request, PAGE, context, status=422 if problems else 200)


def _keys(request: Request) -> dict[str, list[str]]:
    asked = {name.removeprefix(KEY): text for name, text in request.POST.items() if name.startswith(KEY)}
    return {name: [key.replace("_", " ") for key in str(text).split()][:8] for name, text in asked.items()}


def _sections(request: Request, problems: Mapping[str, str]) -> list[tuple[str, list[dict[str, Any]]]]:
    """(title, rows) of the page's own actions by group, then of each scheme the person meets."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    own = preferences.of(request.user).keys
    for action in keys.PAGE:
        found[action.group].append(_row(request, action, own, problems))
    for scheme in preferences.schemes_of(request.user):
        for action in scheme_keys.actions(scheme):
            found[scheme.title].append(_row(request, action, own, problems))
    return list(found.items())


def _row(request: Request, action: Action, own: Any, problems: Mapping[str, str]) -> dict[str, Any]:
    written = " ".join(key.replace(" ", "_") for key in own.get(action.name, action.keys))
    return {
        "name": f"{KEY}{action.name}",
        "title": action.title,
        "keys": request.POST.get(f"{KEY}{action.name}", written),
        "usual": " ".join(key.replace(" ", "_") for key in action.keys),
        "problem": problems.get(action.name, ""),
    }
