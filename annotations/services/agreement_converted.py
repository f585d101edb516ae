"""Answers of passes made under another scheme than the project's, as agreement reads them: in the project's words."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from annotations.models import Project
from annotations.models.labels import AnnotationQuerySet
from annotations.schemes.schema import Scheme
from annotations.services.converting import Converting, Row


def of_others(project: Project, scheme: Scheme, passes: AnnotationQuerySet, fields: Collection[str]) -> Iterator[Row]:
    """What those of the passes that were made under another scheme version say in these fields, by the declared maps.
    What no map leads to is said by nobody."""
    others = passes.exclude(scheme=project.scheme_id)
    if others.exists():
        for row in Converting(scheme).rows(others):
            if row.field.partition("@")[0] in fields:
                yield row
