"""Where the rooms hang."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include("annotations.api.urls")),
    path("", include("annotations.urls")),
]
