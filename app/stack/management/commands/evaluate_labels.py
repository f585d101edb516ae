"""The workers' own command, by name: no web process loads them."""

from __future__ import annotations

from django.utils.module_loading import import_string

Command = import_string("models_service.evaluating_command.Command")
