"""Making a project and setting it up."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction

from annotations import schemes
from annotations.models import Guideline, Membership, Project, Role, SchemeVersion, User
from annotations.schemes.schema import Scheme


def freeze(scheme: Scheme) -> SchemeVersion:
    """The stored version of exactly this document; made on first use."""
    document = scheme.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    frozen, _ = SchemeVersion.objects.get_or_create(
        sha256=digest, defaults={"name": scheme.name, "version": scheme.version, "document": document}
    )
    return frozen


def scheme_of(version: SchemeVersion) -> Scheme:
    """The scheme a frozen version declares."""
    return Scheme.model_validate(version.document)


@transaction.atomic
def create(
    *, slug: str, title: str = "", scheme: str = "agent-process", overlap: int = 2, owner: User | None = None
) -> Project:
    """A new project with the scheme's own guidelines as version 1. KeyError where no such scheme is shipped."""
    document = schemes.shipped()[scheme]
    project = Project.objects.create(slug=slug, title=title or slug, scheme=freeze(document), overlap=overlap)
    text = (schemes.HERE / document.guideline).read_text() if document.guideline else ""
    Guideline.objects.create(project=project, version=1, text=text, created_by=owner)
    if owner:
        Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project
