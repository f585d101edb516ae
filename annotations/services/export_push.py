"""Sending an export to the Hugging Face hub, as a dataset of its own. Needs `huggingface_hub`, which is an extra."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage

from annotations import jobs
from annotations.models import Event, Run, User
from annotations.services import exports, hub_client
from annotations.services.runs import Claim

NAME = re.compile(r"(?!.*(?:\.\.|--))\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)


class NotPushed(Exception):
    """Why nothing, or not all, is on the hub; the message says what to do."""


def ready(to: str) -> str:
    """The token, where a push to that name can be tried. Raises NotPushed; nothing is sent."""
    if not NAME.fullmatch(to):
        raise NotPushed(f"found {to[:100]!r}; accepted is OWNER/NAME, of letters, digits, - _ and .")
    _hub()
    if not (token := hub_client.token()):
        raise NotPushed(
            "There is no token: put one that may write in HF_TOKEN (https://huggingface.co/settings/tokens)."
        )
    return token


def push(folder: Path, names: Sequence[str], to: str, *, private: bool = False) -> str:
    """Upload these files of the folder as one commit, making the dataset where there is none; `private` is about a new
    one. Returns its address. Raises NotPushed."""
    token, hub = ready(to), _hub()
    api = hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token, library_name="stepmark")
    try:
        api.create_repo(to, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=to,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=[_literally(name) for name in names],
            commit_message="Export from Stepmark",
        )
    except Exception as exc:
        raise NotPushed(_said(exc, to, token)) from exc
    return f"{api.endpoint}/datasets/{to}"


def able() -> str:
    """Why nothing can be sent from this server, and what to do about it; empty where something can."""
    try:
        ready("owner/name")
    except NotPushed as no:
        return str(no)
    return ""


def begin(run: Run, to: str, *, private: bool, by: User) -> Run:
    """Send the files of a finished export as a run of its own. Raises NotPushed."""
    to = to.strip()
    if not exports.files_of(run):
        raise NotPushed(f"Run {run.pk} brought no files.")
    ready(to)
    return jobs.start(Run.Kind.PUSH, run.project, by, export=run.pk, to=to, private=private)


def perform(claim: Claim) -> None:
    """Do a run that sends an export. Sent twice, the same files change nothing there."""
    run, asked = claim.run, claim.run.config
    done = Run.objects.filter(project=run.project, kind=Run.Kind.EXPORT, pk=asked["export"]).first()
    if done is None:
        raise NotPushed(f"The export {asked['export']} is not there any more.")
    claim.keep(pushed=push_run(done, asked["to"], private=asked["private"], by=run.created_by, claim=claim))


def push_run(run: Run, to: str, *, private: bool = False, by: User | None = None, claim: Claim | None = None) -> str:
    """The same as push, with the files of a finished export."""
    names = list(exports.files_of(run))
    if not names:
        raise NotPushed(f"Run {run.pk} brought no files.")
    ready(to)
    if claim:
        claim.expect(len(names))
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(names):
            if claim and number:
                claim.advance()
            with default_storage.open(f"exports/{run.pk}/{name}") as source, (Path(folder) / name).open("wb") as target:
                shutil.copyfileobj(source, target)
        url = push(Path(folder), names, to, private=private)
    if claim:
        claim.advance()
    Event.objects.create(project=run.project, actor=by, verb="export.pushed", after={"run": run.pk, "to": url})
    return url


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as exc:
        raise NotPushed("huggingface_hub is not installed: pip install huggingface_hub") from exc
    return huggingface_hub


def _literally(name: str) -> str:
    """The name as a pattern that no other name fits."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _said(exc: Exception, to: str, token: str) -> str:
    status = getattr(getattr(exc, "response", None), "status_code", None)
    if status in (401, 403):
        return f"The hub refuses to let this token write to {to} ({status}): it needs the right to write there."
    if status:
        reason = str(exc).strip().splitlines()
        return f"The hub answered {status}: {(reason[0] if reason else type(exc).__name__)[:300]}".replace(token, "…")
    return f"The hub cannot be reached ({type(exc).__name__}): try again, or upload the files by hand."
