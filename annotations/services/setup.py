"""Changing a project's settings. The old state stays in the log."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from annotations.models import Event, Project, Rater, User
from annotations.schemes.schema import Scheme
from annotations.services import queue_policies_run, views
from annotations.services.outcomes import NotAccepted
from annotations.services.projects import scheme_of

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
    "queue_policy",
    "queue_scorer",
    "queue_view",
    "queue_random",
)


@transaction.atomic
def change(project: Project, by: User | None, **values: Any) -> dict[str, Any]:
    """Store the settings that differ; returns them with their new values, as they go into the log. Raises NotAccepted
    where the scheme in force needs another mode."""
    locked = Project.objects.select_for_update(of=("self",)).select_related("reference", "scheme")
    stored = locked.get(pk=project.pk)
    if reason := mode_refusal(scheme_of(stored.scheme), values.get("mode", stored.mode)):
        raise NotAccepted(reason, "mode", [Project.Mode.PROGRESSIVE])
    policy, view = (values.get(name, getattr(stored, name)) for name in ("queue_policy", "queue_view"))
    if reason := view_refusal(stored, policy, view):
        raise NotAccepted(reason, "queue_view", [one.name for one in views.of(stored)])
    before = {name: _plain(getattr(stored, name)) for name in SETTINGS}
    for name, value in values.items():
        setattr(stored, name, value)
    after = {name: _plain(getattr(stored, name)) for name in SETTINGS}
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        stored.save(update_fields=list(changed))
        old = {name: before[name] for name in changed}
        Event.objects.create(project=stored, actor=by, verb="project.changed", before=old, after=changed)
        queue_policies_run.settle(stored, changed, by)
    return changed


def mode_refusal(scheme: Scheme, mode: str) -> str:
    """Why a project cannot label by the scheme in that mode; empty where it can."""
    if not scheme.seals or mode == Project.Mode.PROGRESSIVE:
        return ""
    return (
        f"The scheme {scheme.title!r} seals what was said before the end was shown (rule hindsight-lock). Only the "
        f"progressive mode keeps the end back, and this project's mode is {mode}."
    )


def view_refusal(project: Project, policy: str, view: str) -> str:
    """Why the queue cannot follow that view; empty where it can, or follows something else."""
    if policy != Project.Queue.VIEW or any(one.name == view for one in views.of(project)):
        return ""
    return f"There is no kept view called “{view}”." if view else "Name the kept view that it follows."


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Rater) else None if value == "" else value
