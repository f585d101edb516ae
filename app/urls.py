"""Where the rooms hang."""

from __future__ import annotations

from django.urls import include, path

from annotations.api.traces import Traces
from app import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("v1/traces", Traces.as_view(), name="api-traces"),
    path("api/", include("annotations.api.urls")),
    path("", include("annotations.urls")),
]
