"""The addresses of the viewer: a list of what stands in the file, a page each, the pieces these ask for.

All hang under a token that nobody can guess, and are answered to this machine's own name only: a page of another site
that finds the port learns nothing. The object is the URL configuration of its process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from annotations.http import whole
from annotations.models import Step
from annotations.rendering.parts import part
from annotations.services import gists, pictures
from annotations.services.axis import CELLS, Strip
from annotations.services.bodies import Body
from annotations.services.gists import Gist
from annotations.viewer.gathered import Gathered
from annotations.viewer.leaf import Leaf
from annotations.viewer.source import Entry, Source
from annotations.views import cards, texts, turns
from annotations.views.trajectory import HIDDEN

PER_PAGE = 20
LIST, PAGE, FRAGMENTS = "viewer/list.html", "viewer/page.html", "trajectories/page.html"
View = Callable[..., HttpResponse]


class Row(NamedTuple):
    """A line of the file in the list."""

    offset: int
    name: str = ""
    instruction: str = ""
    model: str = ""
    steps: int = 0
    strips: tuple[Strip, ...] = ()
    field: str = ""
    reason: str = ""
    where: str = ""


class Viewer:
    """One open file. `urlpatterns` is what Django asks of a URL configuration."""

    def __init__(self, source: Source | Gathered) -> None:
        self.source, self.token = source, secrets.token_urlsafe(16)
        self.leaf = lru_cache(maxsize=1)(self._leaf)  # pages ask for their pieces one after another
        own: list[tuple[str, View]] = [
            ("", self.index),
            ("t/<int:offset>/", self.page),
            ("t/<int:offset>/steps/", self.steps),
            ("t/<int:offset>/steps/<int:index>/<slug:name>/", self.text),
            ("t/<int:offset>/steps/<int:index>/<slug:name>/image/<int:number>/", self.image),
            ("t/<int:offset>/said/", self.said),
            ("t/<int:offset>/outline/", self.outline),
        ]
        self.urlpatterns: list[URLPattern] = [path(f"<str:token>/{route}", self._guarded(view)) for route, view in own]

        self.handler400 = self.handler403 = self.handler404 = self.handler500 = _nothing_here

    @property
    def home(self) -> str:
        return f"/{self.token}/"

    def _guarded(self, view: View) -> View:
        @require_GET
        @wraps(view)
        def guarded(request: HttpRequest, token: str, **arguments: Any) -> HttpResponse:
            if not secrets.compare_digest(token.encode(), self.token.encode()):
                raise Http404
            return view(request, **arguments)

        return guarded

    def _leaf(self, offset: int) -> Leaf:
        entry = self.source.entry(offset)
        if entry is None or entry.record is None:
            raise Http404
        return Leaf(entry.record, entry.format)

    def index(self, request: HttpRequest) -> HttpResponse:
        asked, rejected = request.GET.get("q", "").strip()[:200], request.GET.get("rejected") == "1"
        start = _offset(request.GET.get("from", ""))
        listing = self.source.page(start, PER_PAGE, _row, asked, rejected)
        filters = {name: value for name, value in (("q", asked), ("rejected", "1" if rejected else "")) if value}
        plain = not filters and start > 0
        context = {
            "source": self.source,
            "home": self.home,
            "rows": listing.rows,
            "asked": asked,
            "rejected": rejected,
            "paused": listing.paused,
            "share": self.source.share(listing.after) if listing.after is not None else 100,
            "start": start,
            "reached": listing.after,
            "next": None if listing.after is None else f"?{urlencode(filters | {'from': listing.after})}",
            "previous": f"?from={self.source.before(start, PER_PAGE)}" if plain else None,
            "first": f"?{urlencode(filters)}",
        }
        return render(request, LIST, context)

    def page(self, request: HttpRequest, offset: int) -> HttpResponse:
        leaf = self.leaf(offset)
        at = max(0, whole(request.GET.get("at", "")) or 0)
        task = leaf.record.task
        context = {
            **self._window(leaf, at // cards.WINDOW * cards.WINDOW),
            **_outline(leaf, at),
            **self._doors(offset),
            "source": self.source,
            "home": self.home,
            "long": len(leaf.axis) > CELLS,
            "reference": None if task.reference is None else turns.shown_json(task.reference),
            "outcome": None if leaf.record.outcome is None else turns.shown_json(leaf.record.outcome),
            "hidden": [name for name in request.GET.getlist("hide") if name in HIDDEN],
            "parts": HIDDEN,
        }
        return render(request, PAGE, context | ({} if context["long"] else _said(leaf)))

    def steps(self, request: HttpRequest, offset: int) -> HttpResponse:
        start, end = (whole(request.GET.get(name, "")) for name in ("from", "to"))
        first = max(0, start or 0) if end is None else max(0, end - cards.WINDOW)
        window = self._window(self.leaf(offset), first, "later" if end is None else "earlier")
        return render(request, f"{FRAGMENTS}#steps", window | self._doors(offset))

    def said(self, request: HttpRequest, offset: int) -> HttpResponse:
        return render(request, f"{FRAGMENTS}#said", _said(self.leaf(offset)) | self._doors(offset))

    def outline(self, request: HttpRequest, offset: int) -> HttpResponse:
        at = max(0, whole(request.GET.get("at", "")) or 0)
        return render(request, f"{FRAGMENTS}#outline", _outline(self.leaf(offset), at) | self._doors(offset))

    def text(self, request: HttpRequest, offset: int, index: int, name: str) -> HttpResponse:
        leaf = self.leaf(offset)
        found = part(leaf.record.steps[index], name) if index < len(leaf.record.steps) else None
        if found is None:
            raise Http404
        return texts.answer(request, Body(found), f"step-{index}-{name}.txt")

    def image(self, request: HttpRequest, offset: int, index: int, name: str, number: int) -> HttpResponse:
        steps = self.leaf(offset).record.steps
        media, data = pictures.in_step(steps[index], name, number) if index < len(steps) else ("", b"")
        if not media:
            raise Http404
        return texts.picture(media, data, f"step-{index}-{name}-{number}")

    def _doors(self, offset: int) -> dict[str, str]:
        door = f"{self.home}t/{offset}/"
        return {"door": door, "text_door": f"{door}steps/"}

    def _window(self, leaf: Leaf, start: int, only: str = "") -> dict[str, Any]:
        return cards.window(leaf, leaf.steps(start, start + cards.WINDOW), start, only)


def _nothing_here(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """In place of the site's error pages, which lead to a site."""
    status = 404 if isinstance(exception, Http404) else 400 if exception else 500
    return HttpResponse("There is nothing at this address.", status=status, content_type="text/plain")


def _row(entry: Entry) -> Row:
    if entry.record is None:
        return Row(entry.offset, field=entry.field, reason=entry.reason, where=entry.where)
    leaf = Leaf(entry.record, "")
    strips = tuple(one.strip for one in leaf.passes)
    said = leaf.record.task.instruction[:160]
    return Row(entry.offset, leaf.trajectory.external_id, said, leaf.record.policy_model, len(leaf.axis), strips)


def _offset(text: str) -> int:
    """A place in the file; it may be larger than a number of a database."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _said(leaf: Leaf) -> dict[str, Any]:
    telling = [one for one in leaf.passes if one.tells]
    return {"trajectory": leaf.trajectory, "file": leaf, "findings": leaf.findings(), "telling": telling}


def _outline(leaf: Leaf, at: int) -> dict[str, Any]:
    def read(first: int, end: int) -> list[Gist]:
        return [gists.of(step) for step in leaf.steps(first, end) if step.source == Step.Source.AGENT]

    return cards.outline(leaf, at, read)
