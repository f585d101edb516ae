"""Taking in what is to be imported: a file, kept under the run that will import it, or a dataset's name."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotations import jobs
from annotations.models import Project, Run, User
from annotations.segmenting import MESSAGE
from annotations.services.duplicates import KEEP
from annotations.services.hub import HubDataset


@transaction.atomic
def start(
    project: Project,
    by: User | None,
    file: UploadedFile | HubDataset,
    *,
    what: str = "trajectories",
    format: str = "auto",
    rater: str = "",
    rater_kind: str = "",
    segmentation: str = "",
    duplicates: str = "",
) -> Run:
    """Begin to import the file, or the dataset of the hub: trajectories, or the labels of one rater. The message to the
    worker leaves at commit, when the file is in its place; a dataset is fetched by the worker."""
    config: dict[str, Any] = {"what": what, "format": format, "names": [file.name]}
    if isinstance(file, HubDataset):
        config["hub"] = file.config()
    if what == "labels":
        config |= {"rater": rater, "rater_kind": rater_kind or "judge"}
    else:
        asked = {"segmentation": segmentation, "duplicates": duplicates}
        config |= {name: one for name, one in asked.items() if one not in ("", MESSAGE, KEEP)}
    run = jobs.start(Run.Kind.IMPORT, project, by, **config)
    if isinstance(file, HubDataset):
        return run
    run.file = default_storage.save(f"imports/{run.pk}/{file.name}", file, max_length=400)
    run.save(update_fields=["file"])
    return run
