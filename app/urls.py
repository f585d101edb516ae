"""Where the rooms hang."""

from __future__ import annotations

from django.urls import include, path

from app import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("api/", include("annotations.api.urls")),
    path("", include("annotations.urls")),
]
