"""Making a project and setting it up."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction
from django.utils import timezone

from annotations import schemes
from annotations.models import Guideline, Membership, Project, ProjectScheme, Role, SchemeVersion, User
from annotations.schemes.schema import Scheme, thawed

DEFAULT = "agent-process"  # the preset of a project that asks for none


def freeze(scheme: Scheme) -> SchemeVersion:
    """The stored version of exactly this document; made on first use."""
    frozen, _ = SchemeVersion.objects.get_or_create(
        sha256=digest(scheme), defaults={"name": scheme.name, "version": scheme.version, "document": scheme.document()}
    )
    return frozen


def digest(scheme: Scheme) -> str:
    """What tells a scheme's stored version from any other."""
    return hashlib.sha256(json.dumps(scheme.document(), sort_keys=True).encode()).hexdigest()


def scheme_of(version: SchemeVersion) -> Scheme:
    """The scheme a frozen version declares."""
    return thawed(version.document)


@transaction.atomic
def create(
    *,
    slug: str,
    title: str = "",
    scheme: str = DEFAULT,
    text: str = "",
    guideline: str = "",
    overlap: int = 2,
    owner: User | None = None,
) -> Project:
    """A new project that labels by the YAML `text`, or by the preset `scheme`, with the guidelines of that name (the
    scheme's first where none is named) as version 1. KeyError where no such scheme is shipped, SchemeRefused."""
    document = schemes.read(text) if text else schemes.shipped()[scheme]
    frozen = freeze(document)
    mode = Project.Mode.PROGRESSIVE if document.seals else Project.Mode.BLIND
    project = Project.objects.create(slug=slug, title=title or slug, scheme=frozen, overlap=overlap, mode=mode)
    written = text or schemes.preset_text(scheme)
    ProjectScheme.objects.create(
        project=project, number=1, scheme=frozen, text=written, created_by=owner, used_at=timezone.now()
    )
    chosen = [one for one in document.guidelines if guideline in ("", one.name)]
    Guideline.objects.create(project=project, version=1, text=chosen[0].text if chosen else "", created_by=owner)
    if owner:
        Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project
