"""One module of urls per stage; each is included here once."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
