"""The settings of the app, with two bare views beside its pages to measure these against."""

from __future__ import annotations

from app.settings import *  # noqa: F403

ROOT_URLCONF = "bench.web.urls"
