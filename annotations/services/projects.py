"""Making a project and setting it up."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction
from django.utils import timezone

from annotations import schemes
from annotations.models import Guideline, Membership, Project, ProjectScheme, Role, SchemeVersion, User
from annotations.schemes.schema import Scheme, thawed


def freeze(scheme: Scheme) -> SchemeVersion:
    """The stored version of exactly this document; made on first use."""
    document = scheme.document()
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    frozen, _ = SchemeVersion.objects.get_or_create(
        sha256=digest, defaults={"name": scheme.name, "version": scheme.version, "document": document}
    )
    return frozen


def scheme_of(version: SchemeVersion) -> Scheme:
    """The scheme a frozen version declares."""
    return thawed(version.document)


@transaction.atomic
def create(
    *, slug: str, title: str = "", scheme: str = "agent-process", overlap: int = 2, owner: User | None = None
) -> Project:
    """A new project with the scheme's own guidelines as version 1. KeyError where no such scheme is shipped."""
    document = schemes.shipped()[scheme]
    frozen = freeze(document)
    project = Project.objects.create(slug=slug, title=title or slug, scheme=frozen, overlap=overlap)
    written = (schemes.PRESETS / f"{scheme}.yaml").read_text()
    ProjectScheme.objects.create(
        project=project, number=1, scheme=frozen, text=written, created_by=owner, used_at=timezone.now()
    )
    text = document.guidelines[0].text if document.guidelines else ""
    Guideline.objects.create(project=project, version=1, text=text, created_by=owner)
    if owner:
        Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project
