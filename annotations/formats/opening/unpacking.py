"""Unpacking gzip and Zstandard, told apart by their first bytes, with one error for all that can break."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from typing import IO, Any, cast

import zstandard

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
BLOCK = 2**20
BOMB_FROM, BOMB_RATIO = 4 * 2**30, 250  # bytes; what unpacks beyond both is no data file


class Broken(Exception):
    """The packed data ends too early, is damaged, or unpacks to more than any data file would."""


BREAKS = (Broken, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError)  # what reading a source may raise


def unpacked(stream: IO[bytes]) -> IO[bytes]:
    """The stream itself, or what it unpacks to. Takes a stream that can seek."""
    head = stream.read(4)
    stream.seek(0)
    if head.startswith(GZIP):
        return _buffered(_Guarded(gzip.open(stream), stream))
    if head == ZSTD:
        return _buffered(_Guarded(cast(IO[bytes], _Zstd(stream)), stream))
    return stream


def checked(stream: IO[bytes]) -> IO[bytes]:
    """The stream, which can seek, with all that can break in reading it as Broken."""
    return _buffered(_Checked(stream))


def _buffered(raw: io.RawIOBase) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(raw, BLOCK))


class _Guarded(io.RawIOBase):
    """What a decompressor gives, counted, with its errors as Broken."""

    def __init__(self, inner: Any, packed: IO[bytes]) -> None:
        self.inner, self.packed, self.given = inner, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        try:
            found: bytes = (
                self.inner.read1(len(target)) if hasattr(self.inner, "read1") else self.inner.read(len(target))
            )
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as exc:
            raise Broken(f"the compressed file breaks off here ({exc})") from exc
        self.given += len(found)
        if self.given > BOMB_FROM and self.given > BOMB_RATIO * self.packed.tell():
            raise Broken(f"the file unpacks to more than {BOMB_RATIO} times its size; unpack it yourself to import it")
        target[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self.packed.close()
        super().close()


class _Checked(io.RawIOBase):
    def __init__(self, inner: IO[bytes]) -> None:
        self.inner = inner

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.inner.seek(offset, whence)

    def readinto(self, target: Any) -> int:
        try:
            found = self.inner.read(len(target))
        except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as exc:
            raise Broken(f"the compressed file breaks off here ({exc})") from exc
        target[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self.inner.close()
        super().close()


class _Zstd:
    """Zstandard frames one after the other; unlike the library's reader it tells a file that breaks off from an end."""

    def __init__(self, packed: IO[bytes]) -> None:
        self.packed, self.rest = packed, b""
        self.frame: zstandard.ZstdDecompressionObj | None = None
        self.held = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self.held:
            block = self.rest or self.packed.read(BLOCK // 8)
            self.rest = b""
            if not block:
                if self.frame is not None:
                    raise EOFError("it ends within a frame")
                return b""
            if self.frame is None:
                self.frame = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
            self.held = memoryview(self.frame.decompress(block))
            if self.frame.eof:
                self.rest, self.frame = self.frame.unused_data, None
        found, self.held = self.held[:size], self.held[size:]
        return bytes(found)
