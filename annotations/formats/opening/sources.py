"""A source: one file's unpacked bytes, wherever it lies: by itself, in a folder, in an archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from annotations.formats.opening.unpacking import unpacked

Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Source:
    """One file. `name` is what its owner calls it, with the archive before it: "runs.zip/a/1.json". `raw` opens its
    bytes as they lie there, packed or not."""

    name: str
    raw: Opener

    def open(self) -> IO[bytes]:
        """The unpacked bytes. Reading on may raise Broken."""
        stream = self.raw()
        try:
            return unpacked(stream)
        except BaseException:
            stream.close()
            raise

    def read(self, most: int) -> bytes:
        """Up to `most` bytes, unpacked. May raise Broken."""
        with self.open() as stream:
            return stream.read(most)

    @property
    def suffix(self) -> str:
        """How its name ends, without what it is packed with: ".json" of "a.json.gz"."""
        path = PurePosixPath(self.name.lower())
        return path.with_suffix("").suffix if path.suffix in {".gz", ".zst"} else path.suffix


def of_path(path: Path, name: str = "") -> Source:
    return Source(name or path.name, lambda: path.open("rb"))


@dataclass(frozen=True)
class Folder:
    """Files that belong together, by their paths within it: "a/1.json". An archive is a folder too."""

    name: str
    members: Mapping[str, Source] = field(default_factory=dict)

    def under(self, root: str) -> Folder:
        """The folder within, "" being this one."""
        inside = {path[len(root) + 1 :] if root else path: one for path, one in self.members.items() if _in(root, path)}
        return Folder(f"{self.name}/{root}" if root else self.name, inside)

    @property
    def roots(self) -> list[str]:
        """Every folder within that holds a file, the outermost first, itself ("") included."""
        found = {""} | {str(parent) for path in self.members for parent in PurePosixPath(path).parents} - {"."}
        return sorted(found, key=lambda root: (root.count("/") + bool(root), root))


def _in(root: str, path: str) -> bool:
    return not root or path.startswith(f"{root}/")
