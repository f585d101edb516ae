"""What is to be read of the files that were handed in: each file with the format that reads it, folders that belong
together as one, archives as the files in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotations import formats
from annotations.formats.base import FolderFormat, Item, Reader
from annotations.formats.opening import archives, values
from annotations.formats.opening.sources import Folder, Source
from annotations.formats.opening.unpacking import BREAKS
from annotations.formats.opening.values import Shape
from annotations.records import Problem

PICTURES = frozenset([".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".svg", ".mp4", ".webm"])
DATA = frozenset([".json", ".jsonl", ".ndjson", ".traj", ".parquet", ".csv", ".tsv", ".tab", ".log", ".eval"])


@dataclass(frozen=True)
class Unit:
    """Something to read: a source or a folder, with its format; or only why there is nothing to read."""

    name: str
    format: Reader | FolderFormat | None = None
    source: Source | None = None
    folder: Folder | None = None
    shape: Shape | None = None
    reason: str = ""

    @property
    def total(self) -> int:
        """How many values it has, for showing progress."""
        return values.count(self.source, self.shape or "lines") if self.source and self.format else 1

    def items(self) -> Iterator[Item]:
        if isinstance(self.format, FolderFormat) and self.folder:
            yield from self.format.read_folder(self.folder)
        elif isinstance(self.format, Reader) and self.source:
            yield from self.format.read(self.source, self.shape)
        else:
            yield Item(1, None, (Problem(self.name, 1, "", self.reason),))


@contextmanager
def opened(
    sources: Sequence[tuple[Path, str]],
    chosen: Reader | FolderFormat | None = None,
    holds: str = "trajectories",
    more: Iterable[Reader] = (),
) -> Iterator[list[Unit]]:
    """What the files hold, in an order that is the same each time. `chosen` reads them all; else each file says what
    it is. `more`: formats of the project's own."""
    with ExitStack() as stack:
        units: list[Unit] = []
        for path, name in sources:
            folder, problems = stack.enter_context(archives.opened(path, name))
            units += [Unit(one.file, reason=one.reason) for one in problems]
            units += _Units(chosen, holds, tuple(more), alone=len(folder.members) == 1).of(folder)
        yield units


class _Units:
    def __init__(self, chosen: Reader | FolderFormat | None, holds: str, more: tuple[Reader, ...], alone: bool) -> None:
        self.chosen, self.holds, self.more, self.alone = chosen, holds, more, alone

    def of(self, folder: Folder) -> Iterator[Unit]:
        taken: set[str] = set()
        for root in folder.roots:
            if any(root == one or not one or root.startswith(f"{one}/") for one in taken):
                continue
            if form := self._together(folder.under(root)):
                taken.add(root)
                inner = folder.under(root)
                yield Unit(inner.name, form, folder=inner)
        left = {
            path: one
            for path, one in folder.members.items()
            if not any(not root or path.startswith(f"{root}/") for root in taken)
        }
        yield from self._alone(folder.name, left)

    def _together(self, folder: Folder) -> FolderFormat | None:
        if self.holds != "trajectories" or isinstance(self.chosen, Reader) or len(folder.members) < 2:
            return None
        if self.chosen:
            return self.chosen if self.chosen.recognises_folder(folder) else None
        return formats.detect_folder(folder)

    def _alone(self, name: str, members: dict[str, Source]) -> Iterator[Unit]:
        """Files that stand for themselves. Of others beside them, pictures and texts, only how many there are."""
        other: Counter[str] = Counter()
        for source in members.values():
            unit = self._unit(source)
            if unit.reason and not self.alone and source.suffix not in DATA:
                other[source.suffix or PurePosixPath(source.name).name] += 1
            else:
                yield unit
        if other:
            listed = ", ".join(f"{suffix} ({many})" for suffix, many in other.most_common(8))
            yield Unit(name, reason=f"passed over files that are no data of a known format: {listed}")

    def _unit(self, source: Source) -> Unit:
        try:
            if isinstance(self.chosen, FolderFormat):
                raise formats.UnknownFormat(f"{self.chosen.name} takes a folder or an archive, not this file")
            if self.chosen:
                return Unit(source.name, self.chosen, source, shape=values.shape_of(source))
            form, look = formats.detect(source, self.holds, self.more)
            return Unit(source.name, form, source, shape=look.shape)
        except formats.UnknownFormat as exc:
            return Unit(source.name, reason=str(exc))
        except (OSError, *BREAKS) as exc:
            if self.alone and isinstance(exc, OSError):
                raise
            return Unit(source.name, reason=f"the file cannot be read: {exc}")
