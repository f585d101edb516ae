"""The documents a project labels by: which is in force, what a preset says, and a new version that somebody wrote."""

from __future__ import annotations

from typing import NamedTuple

import yaml
from django.db import transaction
from django.utils import timezone

from annotations import schemes
from annotations.models import Annotation, Event, Project, ProjectScheme, SchemeVersion, User
from annotations.schemes.schema import Scheme
from annotations.services import projects, setup
from annotations.services.outcomes import Refusal


class Document(NamedTuple):
    """A scheme and the YAML it was read from."""

    scheme: Scheme
    text: str


class Overtaken(Refusal):
    """Somebody saved a newer version since this one was begun. `newest` is that version."""

    def __init__(self, newest: ProjectScheme) -> None:
        who = newest.created_by.username if newest.created_by else "somebody"
        super().__init__(f"Version {newest.number} was saved by {who} while you wrote.", newest=newest.number)
        self.newest = newest


def preset(name: str) -> Document:
    """A scheme that comes with Stepmark. KeyError where there is none of that name."""
    return Document(schemes.shipped()[name], schemes.preset_text(name))


def in_force(project: Project) -> ProjectScheme | None:
    """The version the project labels by; of several that ask the very same, the one that came last."""
    used = project.schemes.filter(scheme=project.scheme_id, used_at__isnull=False)
    return used.select_related("scheme", "created_by").order_by("-used_at", "-number").first()


def newest(project: Project) -> ProjectScheme | None:
    return project.schemes.select_related("scheme", "created_by").first()


def document_of(version: ProjectScheme) -> Document:
    """What the version says, guidelines and sample too. One that an older Stepmark froze is read from what it froze."""
    try:
        return Document(schemes.read(version.text), version.text)
    except schemes.SchemeRefused:
        return frozen(version.scheme)


def frozen(version: SchemeVersion) -> Document:
    """A frozen scheme, written out as YAML."""
    scheme = projects.scheme_of(version)
    return Document(scheme, yaml.safe_dump(scheme.document(), sort_keys=False, allow_unicode=True))


def of_project(project: Project) -> Document:
    """What the project labels by."""
    version = in_force(project)
    return document_of(version) if version else frozen(project.scheme)


@transaction.atomic
def save(project: Project, text: str, by: User | None, *, base: int | None = None) -> ProjectScheme:
    """The text as the project's next version, in force for nobody yet; the newest one where it says just that.

    `base` is the version the writer began with. Raises SchemeRefused with every mistake, Overtaken where a newer
    version than that is there by now.
    """
    scheme = schemes.read(text)
    Project.objects.select_for_update().get(pk=project.pk)
    last = newest(project)
    if last and last.text == text:
        return last
    if last and base is not None and last.number > base:
        raise Overtaken(last)
    stored = ProjectScheme.objects.create(
        project=project,
        number=last.number + 1 if last else 1,
        scheme=projects.freeze(scheme),
        text=text,
        created_by=by,
    )
    Event.objects.create(project=project, actor=by, verb="scheme.saved", after={"version": stored.number})
    return stored


def is_labelled(project: Project) -> bool:
    """Whether somebody has begun to label, so that another scheme has to take along what was said."""
    return Annotation.objects.live().filter(rater__project=project).exists()


def in_the_way(project: Project, version: ProjectScheme) -> str:
    """Why the version cannot come into force now; empty where it can."""
    return setup.mode_refusal(projects.scheme_of(version.scheme), project.mode)


def mark_used(version: ProjectScheme) -> None:
    """The version is in force from now on."""
    version.used_at = timezone.now()
    version.save(update_fields=["used_at"])
