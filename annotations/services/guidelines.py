"""Guidelines: publishing a version, what changed between two, and a pass that goes over to a newer one."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max

from annotations.models import Annotation, Event, Guideline, Project, Thread, User
from annotations.services import changes, history
from annotations.services.outcomes import NotAccepted


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


class Line(NamedTuple):
    """A line and what became of it: "+" came, "-" went, " " stayed, "@" a gap."""

    mark: str
    text: str


def difference(before: str, after: str) -> list[Line]:
    """What changed, with a few lines around it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return [Line(line[0], line[1:]) for line in list(lines)[2:]]


def newer(annotation: Annotation) -> Guideline | None:
    """The version in force, where the pass shows an older one or none."""
    newest = Guideline.objects.filter(project=annotation.rater.project_id).first()
    return newest if newest and newest.version > _shown(annotation) else None


@transaction.atomic
def adopt(annotation_id: int, user: User, version: int, *, slug: str = "") -> Annotation:
    """Show that version from now on: labels given so far keep the version they name, later ones name this one.

    Raises Closed where the pass is not being worked on, NotAccepted where there is no such newer version. To take up
    what is shown already changes nothing.
    """
    annotation = changes.own(annotation_id, user, slug, lock=True)
    changes.must_be_open(annotation)
    before = _shown(annotation)
    if version == before:
        return annotation
    versions = annotation.rater.project.guidelines.filter(version__gt=before)
    chosen = versions.filter(version=version).first()
    if chosen is None:
        accepted = list(versions.order_by("version").values_list("version", flat=True))
        raise NotAccepted(f"The guidelines have no newer version {version}.", "version", accepted)
    # Labels of before labels named a version were given under the one that was shown.
    annotation.labels.filter(guideline=None).update(guideline=annotation.guideline)
    annotation.guideline = chosen
    annotation.save(update_fields=["guideline", "updated_at"])
    history.record(annotation, history.GUIDELINE, user, before={"version": before or None}, after={"version": version})
    return annotation


def _shown(annotation: Annotation) -> int:
    return annotation.guideline.version if annotation.guideline else 0


def drafted_from(thread: Thread, text: str) -> str:
    """The guidelines with what was asked and answered in the thread as a section at their end, to be edited. It does
    not say who asked."""
    said = list(thread.messages.all())
    asked = "\n".join(f"> {line}".rstrip() for line in said[0].text.splitlines())
    answers = [one.text for one in said if one.author_id != thread.begun_by_id]
    return "\n\n".join([text.rstrip(), "## A question that came up", asked, *answers]).lstrip() + "\n"
