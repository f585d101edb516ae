"""Small pictures, made here: bytes of each kind that is shown, and as messages hold them."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from typing import Any


def png(width: int = 8, height: int = 6, color: tuple[int, int, int] = (53, 70, 184)) -> bytes:
    """A PNG of one colour that a browser draws."""
    rows = (b"\x00" + bytes(color) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def as_openai(data: bytes | None = None, media: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": as_address(data, media)}}


def as_anthropic(data: bytes | None = None, media: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media, "data": _base64(data)}}


def as_address(data: bytes | None = None, media: str = "image/png") -> str:
    return f"data:{media};base64,{_base64(data)}"


def _base64(data: bytes | None) -> str:
    return b64encode(png() if data is None else data).decode()
