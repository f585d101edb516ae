"""Asking the Hugging Face hub: one endpoint, HF_ENDPOINT or the public one, and no address that anybody else names."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any

from annotations.services.hub_choice import HubFile

TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
TIMEOUT = 20  # seconds without a byte
PASSING = {408, 429, 500, 502, 503, 504}  # the hub may answer otherwise soon


def token() -> str:
    """The server's own, from its environment; empty where it has none."""
    return next((value for name in TOKENS if (value := os.environ.get(name, "").strip())), "")


class Hub:
    """The hub's client, with the server's token."""

    def __init__(self) -> None:
        self.hub, self.token = importlib.import_module("huggingface_hub"), token()
        endpoint = os.environ.get("HF_ENDPOINT") or None
        self.api = self.hub.HfApi(endpoint=endpoint, token=self.token or False, library_name="stepmark")

    @property
    def breaks(self) -> tuple[type[Exception], ...]:
        """What the client raises where the hub says no, or cannot be understood or reached."""
        errors = _module("errors")
        return errors.HTTPError, errors.HFValidationError, errors.OfflineModeIsEnabled, JSONDecodeError

    @property
    def endpoint(self) -> str:
        return str(self.api.endpoint)

    def info(self, name: str, revision: str) -> Any:
        """Its commit, the files with their sizes, and its card."""
        return self.api.dataset_info(name, revision=revision or None, files_metadata=True, timeout=TIMEOUT)

    def rest(self, name: str, commit: str, file: HubFile, at: int) -> Iterator[bytes]:
        """The file's bytes from there on."""
        if at >= file.size:
            return
        utils = _module("utils")
        url = self.hub.hf_hub_url(name, file.path, repo_type="dataset", revision=commit, endpoint=self.endpoint)
        headers = utils.build_hf_headers(token=self.token or False, library_name="stepmark")
        headers |= {"Range": f"bytes={at}-", "Accept-Encoding": "identity"}
        with utils.http_stream_backoff("GET", url, headers=headers, timeout=TIMEOUT, max_retries=0) as response:
            utils.hf_raise_for_status(response)
            passed = 0 if response.status_code == 206 else at  # one that knows no ranges sends all of it
            for block in response.iter_bytes():
                kept = block[passed:]
                passed -= len(block) - len(kept)
                if kept:
                    yield kept

    def told(self, exc: Exception, name: str, revision: str) -> tuple[str, bool]:
        """What went wrong, for people, and whether it may pass."""
        errors = _module("errors")
        at, status = self.endpoint, getattr(getattr(exc, "response", None), "status_code", None)
        token = "the server's token (HF_TOKEN)"
        mine = f"{token} may not see it" if self.token else f"private: put a token that may read it in HF_TOKEN of {at}"
        if isinstance(exc, errors.GatedRepoError):
            return (
                f"{name} is gated: somebody has to accept its terms at {at}/datasets/{name}, and {token} has to be "
                f"theirs; found {'one that may not' if self.token else 'none'}"
            ), False
        if isinstance(exc, errors.RevisionNotFoundError):
            return f"{name} at {at} has no revision {revision!r}; accepted are {self._revisions(name)}", False
        if isinstance(exc, errors.RepositoryNotFoundError):
            return (
                f"found no dataset {name} at {at}: the name is wrong (accepted is OWNER/NAME), or it is {mine}",
                False,
            )
        if isinstance(exc, errors.OfflineModeIsEnabled):
            return "the hub is switched off on this server (HF_HUB_OFFLINE); accepted are files", False
        if status in (401, 403):
            return f"{at} refuses {name} ({status}): {mine}", False
        if status:
            return f"{at} answered {status} about {name}; try again later", status in PASSING
        reason = str(exc).strip().splitlines() or [""]
        said = f"{type(exc).__name__}: {reason[0][:200]}"
        said = said.replace(self.token, "…") if self.token else said
        return f"{at} cannot be reached, or broke off ({said}); accepted are files, or try again", True

    def _revisions(self, name: str) -> str:
        try:
            refs = self.api.list_repo_refs(name, repo_type="dataset")
        except Exception:  # noqa: BLE001  # it only says what else there is
            return "a branch, a tag or a commit of it"
        return ", ".join([one.name for one in [*refs.branches, *refs.tags]][:20]) or "none"


def _module(name: str) -> Any:
    return importlib.import_module(f"huggingface_hub.{name}")
