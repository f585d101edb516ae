"""Archives and folders as their files, whatever somebody put into them. Nothing is ever written under a name of theirs.

A file in an archive that cannot be read is a problem of its own; the others are read.
"""

from __future__ import annotations

import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from annotations.formats.lines import NUL
from annotations.formats.opening.sources import Folder, Opener, Source, of_path
from annotations.formats.opening.unpacking import BLOCK, BOMB_RATIO, BREAKS, ZSTD, Broken, checked, unpacked
from annotations.records import Problem

MOST = 200_000  # files in one archive
DEEPEST = 2  # archives within archives
ROOM = 2**30  # bytes that an archive may unpack to whatever its size
ZSTD_METHOD = 93  # Python's zipfile cannot read it before 3.14
TOO_MUCH = f"the archive unpacks to more than {BOMB_RATIO} times its size"
HIDDEN = (".", "__MACOSX")


@contextmanager
def opened(path: Path, name: str = "") -> Iterator[tuple[Folder, list[Problem]]]:
    """The files of an archive or a folder; of any other file, itself alone. With what could not be read of them."""
    work, called = _Opening(), _text(name or path.name)
    with work.stack:
        work.take(path, "", called, 0)
        yield Folder(called, dict(sorted(work.members.items()))), work.problems


def is_archive(path: Path) -> bool:
    return path.is_file() and (zipfile.is_zipfile(path) or _is_tar(of_path(path)))


class _Opening:
    def __init__(self) -> None:
        self.stack = ExitStack()
        self.members: dict[str, Source] = {}
        self.problems: list[Problem] = []
        self._spare: Path | None = None
        self._made = 0

    def take(self, path: Path, at: str, name: str, depth: int) -> None:
        """The file at `path`, which the opened folder calls `at`; "" is the folder itself."""
        if path.is_dir():
            self._folder(path, name)
        elif depth <= DEEPEST and zipfile.is_zipfile(path):
            self._zip(path, at, name, depth)
        elif depth <= DEEPEST and _is_tar(of_path(path)):
            self._tar(path, at, name, depth)
        else:
            self.members[at or PurePosixPath(name).name] = of_path(path, name)

    def _folder(self, path: Path, name: str) -> None:
        for one in sorted(path.rglob("*")):
            at = _text(one.relative_to(path).as_posix())
            if _hidden(at) or one.is_dir():
                continue
            if one.is_symlink() or not one.is_file():
                self._problem(f"{name}/{at}", "found a link or a device; accepted are files")
            else:
                self.take(one, at, f"{name}/{at}", 1)

    def _zip(self, path: Path, at: str, name: str, depth: int) -> None:
        try:
            archive = self.stack.enter_context(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
            self._problem(name, f"the archive cannot be read: {exc}")
            return
        room = max(ROOM, BOMB_RATIO * path.stat().st_size)
        for number, entry in enumerate(archive.infolist()):
            called = _text(entry.filename)
            inside = f"{name}/{called}"
            if number == MOST:
                self._problem(name, f"found more than {MOST:,} files in one archive")
                return
            if entry.filename.endswith("/") or _hidden(entry.filename):
                continue
            room -= entry.file_size
            mode = entry.external_attr >> 16
            if reason := _refused(entry.filename, link=stat.S_ISLNK(mode), locked=bool(entry.flag_bits & 1), room=room):
                self._problem(inside, reason)
            else:
                self._member(Source(inside, _of_zip(archive, path, entry)), _joined(at, called), depth)

    def _tar(self, path: Path, at: str, name: str, depth: int) -> None:
        """Files are unpacked under numbers of ours: a tar has no way to one of them but through those before it."""
        room = max(ROOM, BOMB_RATIO * path.stat().st_size)
        try:
            with of_path(path).open() as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                for entry in archive:
                    called = _text(entry.name)
                    inside = f"{name}/{called}"
                    room -= max(entry.size, archive.offset - entry.offset_data)  # a sparse file is said to be smaller
                    if room < 0:  # nothing after it has room, and to pass over what it says to hold may take for ever
                        self._problem(inside, TOO_MUCH)
                        return
                    if entry.isdir() or _hidden(entry.name):
                        continue
                    if reason := _refused(entry.name, link=not entry.isreg(), locked=False, room=room):
                        self._problem(inside, reason)
                        continue
                    spare = self._room()
                    with spare.open("wb") as target:
                        shutil.copyfileobj(archive.extractfile(entry) or BytesIO(), target, BLOCK)
                    self._member(of_path(spare, inside), _joined(at, called), depth)
        except (tarfile.TarError, OSError, ValueError, OverflowError, *BREAKS) as exc:
            self._problem(name, f"the archive breaks off: {exc}")

    def _member(self, source: Source, at: str, depth: int) -> None:
        """A file of an archive; an archive itself where it is one."""
        if not source.name.lower().endswith((".zip", ".tar", ".tgz", ".tar.gz", ".tar.zst", ".eval")):
            self.members[at] = source
            return
        spare = self._room()
        try:
            with source.raw() as stream, spare.open("wb") as target:
                shutil.copyfileobj(stream, target, BLOCK)
        except (OSError, *BREAKS) as exc:
            self._problem(source.name, f"the archive cannot be read: {exc}")
            return
        self.take(spare, at, source.name, depth + 1)

    def _room(self) -> Path:
        """A path of ours to unpack to, which goes when the archive is closed."""
        if self._spare is None:
            self._spare = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self._made += 1
        return self._spare / str(self._made)

    def _problem(self, name: str, reason: str) -> None:
        self.problems.append(Problem(name, 0, "", _text(reason)))


def _text(said: str) -> str:
    """Names need not be UTF-8, and reasons quote them. Two that differ stay different."""
    return said.replace("\x00", NUL).encode(errors="backslashreplace").decode()


def _refused(name: str, *, link: bool, locked: bool, room: int) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.name:
        return "the file has no name"
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        return "the name leads out of the archive; accepted are names within it"
    if link:
        return "found a link or a device; accepted are files"
    if locked:
        return "the file is encrypted; accepted are files without a password"
    return "" if room >= 0 else TOO_MUCH


def _of_zip(archive: zipfile.ZipFile, path: Path, entry: zipfile.ZipInfo) -> Opener:
    return lambda: _entry(archive, path, entry)


def _entry(archive: zipfile.ZipFile, path: Path, entry: zipfile.ZipInfo) -> IO[bytes]:
    """A damaged directory may say anything of where the file lies and of how it is packed."""
    try:
        return _zstd_entry(path, entry) if entry.compress_type == ZSTD_METHOD else checked(archive.open(entry))
    except (OSError, ValueError, RuntimeError, struct.error) as exc:
        raise Broken(f"the file in the archive cannot be read: {exc}") from exc


def _zstd_entry(path: Path, entry: zipfile.ZipInfo) -> IO[bytes]:
    """PKWARE APPNOTE 4.3.7: a local header of 30 bytes, the name, the extra field, then the data."""
    with path.open("rb") as stream:
        stream.seek(entry.header_offset)
        header = stream.read(30)
        if len(header) < 30:
            raise Broken("the archive breaks off within a file's header")
        name, extra = struct.unpack("<HH", header[26:30])
        stream.seek(name + extra, 1)
        packed = stream.read(min(entry.compress_size, path.stat().st_size))
    if not packed.startswith(ZSTD):
        raise Broken("the compressed file breaks off here (it is no Zstandard)")
    made = tempfile.SpooledTemporaryFile(2**24)  # noqa: SIM115  # the caller closes it
    try:
        with unpacked(BytesIO(packed)) as inner:
            while block := inner.read(BLOCK):
                made.write(block)
                if made.tell() > entry.file_size:
                    raise Broken("the file in the archive unpacks to more than the archive says")
    except BaseException:
        made.close()
        raise
    made.seek(0)
    return made


def _is_tar(source: Source) -> bool:
    """By the magic of POSIX tar at byte 257 of its first block, unpacked."""
    try:
        return source.read(512)[257:262] == b"ustar"
    except (OSError, *BREAKS):
        return False


def _hidden(name: str) -> bool:
    return any(part.startswith(HIDDEN) and part not in ("..", ".") for part in PurePosixPath(name).parts)


def _joined(at: str, name: str) -> str:
    return f"{at}/{name}" if at else name
