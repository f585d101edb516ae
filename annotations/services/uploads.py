"""Taking an uploaded file in: kept under the run that will import it."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotations import jobs
from annotations.models import Project, Run, User
from annotations.segmenting import MESSAGE
from annotations.services.duplicates import KEEP


@transaction.atomic
def start(
    project: Project,
    by: User | None,
    file: UploadedFile,
    *,
    what: str = "trajectories",
    format: str = "auto",
    rater: str = "",
    rater_kind: str = "",
    segmentation: str = "",
    duplicates: str = "",
) -> Run:
    """Begin to import the file: trajectories, or the labels of one rater. The message to the worker leaves at commit,
    when the file is in its place."""
    config: dict[str, Any] = {"what": what, "format": format, "names": [file.name]}
    if what == "labels":
        config |= {"rater": rater, "rater_kind": rater_kind or "judge"}
    else:
        asked = {"segmentation": segmentation, "duplicates": duplicates}
        config |= {name: one for name, one in asked.items() if one not in ("", MESSAGE, KEEP)}
    run = jobs.start(Run.Kind.IMPORT, project, by, **config)
    run.file = default_storage.save(f"imports/{run.pk}/{file.name}", file, max_length=400)
    run.save(update_fields=["file"])
    return run
