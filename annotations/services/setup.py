"""Changing a project's settings. The old state stays in the log."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from annotations.models import Event, Project, Rater, User

SETTINGS = (
    "title",
    "overlap",
    "lease_minutes",
    "mode",
    "prefill",
    "prefill_confidence",
    "blind_share",
    "propagation",
    "reference",
)


@transaction.atomic
def change(project: Project, by: User | None, **values: Any) -> dict[str, Any]:
    """Store the settings that differ; returns them with their new values, as they go into the log."""
    stored = Project.objects.select_for_update(of=("self",)).select_related("reference").get(pk=project.pk)
    before = {name: _plain(getattr(stored, name)) for name in SETTINGS}
    for name, value in values.items():
        setattr(stored, name, value)
    after = {name: _plain(getattr(stored, name)) for name in SETTINGS}
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        stored.save(update_fields=list(changed))
        old = {name: before[name] for name in changed}
        Event.objects.create(project=stored, actor=by, verb="project.changed", before=old, after=changed)
    return changed


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Rater) else None if value == "" else value
