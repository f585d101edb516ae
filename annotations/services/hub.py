"""Datasets of the Hugging Face hub as something to import: their data files, as they are at one commit. Needs
`huggingface_hub`, which is an extra. No code of a dataset is fetched or run."""

from __future__ import annotations

import importlib.util
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from annotations.services.hub_choice import HubFile, chosen
from annotations.services.hub_choice import HubRefused as HubRefused  # for whoever calls
from annotations.services.hub_client import Hub
from annotations.services.runs import LOOK_EVERY, Claim

NAME = re.compile(r"(?!.*(?:\.\.|--))(?:\w[\w.-]{0,95}/)?\w[\w.-]{0,95}", re.ASCII)
REVISION = re.compile(r"(?!.*\.\.)\w[\w./-]{0,199}", re.ASCII)
LONGEST = 300  # characters that ask for a file or a split
PAUSES = (1, 3, 9)  # seconds before what broke off goes on


@dataclass(frozen=True)
class HubDataset:
    """A dataset, at a revision ("" is its main one), and which of its files; `commit` is what the revision was."""

    name: str
    revision: str = ""
    only: str = ""
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name

    def config(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Fetched:
    """What was fetched: the dataset at its commit, and the files by their paths in `folder`."""

    dataset: HubDataset
    folder: Path
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        return sum(one.size for one in self.files)


def installed() -> bool:
    return importlib.util.find_spec("huggingface_hub") is not None


def read(name: str, revision: str = "", only: str = "") -> HubDataset:
    """The dataset that is asked for, also as NAME@REVISION. Raises HubRefused; nothing is sent."""
    name, _, said = name.strip().partition("@")
    revision, only = revision.strip() or said, only.strip()
    if not NAME.fullmatch(name):
        raise HubRefused(f"found {name[:100]!r}; accepted is NAME or OWNER/NAME, of letters, digits, - _ and .")
    if revision and not REVISION.fullmatch(revision):
        raise HubRefused(f"found the revision {revision[:100]!r}; accepted is a branch, a tag or a commit")
    if len(only) > LONGEST:
        raise HubRefused(f"found {len(only)} characters for a file or split; accepted are at most {LONGEST}")
    if not installed():
        raise HubRefused("huggingface_hub is not installed on the server: pip install huggingface_hub")
    return HubDataset(name, revision, only)


def perform(claim: Claim) -> None:
    """Fetch what the run's configuration names and keep it as the run's file, unless that was done already. What it
    was, with its commit, is kept in the configuration: the same run asked again fetches the same."""
    run = claim.run
    if run.file or not (asked := run.config.get("hub")):
        return
    known = {one.name: asked[one.name] for one in fields(HubDataset) if one.name in asked}
    with fetched(HubDataset(**known), claim) as got:
        name = _name(got)
        stored = f"imports/{run.pk}/{name}"
        default_storage.delete(stored)
        with _packed(got) as path, path.open("rb") as stream:
            default_storage.save(stored, File(stream), max_length=400)
        claim.configure(names=[name])
        claim.attach(stored, "")


@contextmanager
def fetched(asked: HubDataset, claim: Claim | None = None) -> Iterator[Fetched]:
    """The dataset's data files in a folder that goes when the caller is done. Raises HubRefused."""
    with tempfile.TemporaryDirectory(prefix="stepmark-hub-") as name:
        yield _Fetching(asked, Path(name), claim).all()


class _Fetching:
    def __init__(self, asked: HubDataset, folder: Path, claim: Claim | None) -> None:
        self.asked, self.folder, self.claim = asked, folder, claim
        self.hub = Hub()

    def all(self) -> Fetched:
        info = self._trying(lambda: self.hub.info(self.asked.name, self.asked.commit or self.asked.revision))
        asked = replace(self.asked, commit=str(info.sha))
        found = [HubFile(one.rfilename, -1 if one.size is None else one.size) for one in info.siblings or ()]
        try:
            files = chosen(found, (info.card_data or {}).get("configs"), asked.only)
        except HubRefused as no:
            raise HubRefused(f"{asked}: {no}") from no
        if unknown := next((one for one in files if one.size < 0), None):
            raise HubRefused(f"{asked}: the hub does not say how large {unknown.path} is; accepted are sizes")
        got = Fetched(asked, self.folder, tuple(files))
        self._small_enough(got.size, len(files))
        if self.claim:
            self.claim.configure(hub={**asked.config(), "files": len(files), "bytes": got.size})
            self.claim.expect(got.size)
        for one in files:
            self._file(asked, one, self.folder / one.path)
        return got

    def _file(self, asked: HubDataset, one: HubFile, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            self._trying(lambda: self._rest(asked, one, target))
        if path.stat().st_size != one.size:
            raise HubRefused(
                f"{asked}: {one.path} came as {path.stat().st_size:,} bytes, not as {one.size:,}; try again"
            )

    def _rest(self, asked: HubDataset, one: HubFile, target: IO[bytes]) -> None:
        """What is not there yet, from where an earlier try broke off."""
        for block in self.hub.rest(asked.name, asked.commit, one, target.tell()):
            if target.tell() + len(block) > one.size:
                raise HubRefused(f"{asked}: {one.path} is longer than the {one.size:,} bytes that the hub says of it")
            target.write(block)
            if self.claim:
                self.claim.advance(len(block))

    def _small_enough(self, size: int, files: int) -> None:
        if size > settings.HUB_MAX_BYTES:
            raise HubRefused(
                f"{self.asked}: found {files:,} files of {_megabytes(size)} together; accepted are "
                f"{_megabytes(settings.HUB_MAX_BYTES)} (HUB_MAX_BYTES). Ask for a file, a folder or a split of it"
            )

    def _trying(self, work: Callable[[], Any]) -> Any:
        """Do it; where the network breaks off, wait and go on a few times. Raises HubRefused."""
        for pause in (*PAUSES, None):
            try:
                return work()
            except self.hub.breaks as exc:
                reason, passes = self.hub.told(exc, self.asked.name, self.asked.revision)
                if pause is None or not passes:
                    raise HubRefused(reason) from exc
                self._wait(pause)
        raise AssertionError("the last try returns or raises")

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY))
            if self.claim:
                self.claim.check()


def _name(got: Fetched) -> str:
    """What the file that holds it is called: its own name where it is one, else the dataset's."""
    if len(got.files) == 1:
        return PurePosixPath(got.files[0].path).name
    return f"{got.dataset.name.replace('/', '__')}.zip"


@contextmanager
def _packed(got: Fetched) -> Iterator[Path]:
    """All files as one: the only one itself, else an archive in which they lie as they are."""
    if len(got.files) == 1:
        yield got.folder / got.files[0].path
        return
    path = got.folder / ".packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for one in got.files:
            archive.write(got.folder / one.path, one.path)
    yield path


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
