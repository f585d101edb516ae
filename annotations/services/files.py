"""Files that go in and out: named as their owner named them, read and written in the default storage."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import default_storage

from annotations.models import Run

Sources = list[tuple[Path, str]]  # where it is, and what its owner calls it


def sources(paths: Sequence[Path], names: Sequence[str] = ()) -> Sources:
    """The files and folders with their names. FileNotFoundError names the missing one and what is there instead;
    OSError one that may not be read."""
    called = list(names) or [Path(path).name for path in paths]
    for path in map(Path, paths):
        if path.is_dir():
            continue
        if not path.is_file():
            folder = path.parent
            beside = sorted(one.name for one in folder.iterdir())[:20] if folder.is_dir() else []
            there = f"{folder} holds {', '.join(beside) or 'nothing'}" if folder.is_dir() else ""
            raise FileNotFoundError(f"no file {path}; {there or f'there is no folder {folder}'}")
        path.open("rb").close()
    return [(Path(path), name) for path, name in zip(paths, called, strict=True)]


@contextmanager
def stored(run: Run) -> Iterator[tuple[list[Path], list[str]]]:
    """The input files of a run as local paths, with the names they were uploaded under."""
    held = list(run.config.get("files") or [run.file])
    names = list(run.config.get("names") or [Path(one).name for one in held])
    with tempfile.TemporaryDirectory() as folder:
        yield [_local(name, Path(folder) / str(number)) for number, name in enumerate(held)], names


def _local(name: str, spare: Path) -> Path:
    """The stored file's own path, or a copy at `spare` where the storage has no paths. FileNotFoundError where it is no
    file: no name at all would be the whole storage."""
    if not name or not default_storage.exists(name):
        raise FileNotFoundError(f"the file {name!r} is not there any more")
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        with default_storage.open(name, "rb") as source, spare.open("wb") as target:
            shutil.copyfileobj(source, target)
        return spare
