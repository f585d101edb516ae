from __future__ import annotations

from django.apps import AppConfig


class StackConfig(AppConfig):
    """Only so that Django finds the command `up`."""

    name = "app.stack"
    label = "stack"
