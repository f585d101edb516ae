"""Changing a project's settings and guidelines. Both leave the old state in the log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from annotations.models import Event, Guideline, Project, Rater, User

SETTINGS = ("title", "overlap", "lease_minutes", "mode", "propagation", "reference")


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
    return value.name if isinstance(value, Rater) else value


@transaction.atomic
def publish(project: Project, text: str, by: User | None) -> Guideline:
    """The text as the guidelines' next version; the version in force where it says just that."""
    Project.objects.select_for_update().get(pk=project.pk)
    current = project.guidelines.first()
    if current and current.text == text:
        return current
    last = project.guidelines.aggregate(last=Max("version"))["last"] or 0
    new = Guideline.objects.create(project=project, version=last + 1, text=text, created_by=by)
    Event.objects.create(
        project=project,
        actor=by,
        verb="guideline.published",
        before={"version": current.version} if current else None,
        after={"version": new.version},
    )
    return new
