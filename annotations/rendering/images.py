"""Pictures in what was said and seen: where they stand, what they are by their first bytes, and a mark in their place.

Only PNG, JPEG, GIF and WebP that are in the data are ever shown. What is elsewhere is named and not fetched.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from annotations.records import Json

MOST = 20 * 2**20  # bytes of one picture
MOST_PIXELS = 100_000_000  # a small file can ask for more memory than a browser has
_HEAD = 64 * 1024  # bytes in which the size of a JPEG is looked for
_DEEPEST = 4
_ADDRESS = 500


class Source(NamedTuple):
    """A picture as it stands in the data: `data` in base64, or an `address` where it is elsewhere."""

    data: str = ""
    address: str = ""


class Image(NamedTuple):
    """What can be said of a picture without showing it. `media` is "" where it is not one that is shown: `address`
    then says where it is, or what it claims to be. `size` is in bytes; `digest` tells it from others."""

    media: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    digest: str = ""
    address: str = ""

    @property
    def mark(self) -> str:
        """What stands for it in a text."""
        if self.media:
            return f"[{self.media}, {self.width} × {self.height}, {self.size:,} bytes, {self.digest}]"
        return f"[image: {self.address}]"


def source_of(part: Json) -> Source | None:
    """The picture that a part of a message is, in the spellings of OpenAI, Anthropic, Gemini, MCP and Inspect."""
    if not isinstance(part, dict):
        return None
    for inner in (part.get("inline_data"), part.get("inlineData")):
        if isinstance(inner, dict) and _is_image(inner.get("mime_type") or inner.get("mimeType")):
            return Source(data=_text(inner.get("data")))
    if part.get("type") not in ("image", "image_url", "input_image", "output_image", "computer_screenshot"):
        return None
    if isinstance(source := part.get("source"), dict):
        return Source(_text(source.get("data")), _text(source.get("url"))) if source.get("type") != "file" else None
    if _is_image(part.get("mimeType")) and isinstance(part.get("data"), str):
        return Source(data=part["data"])
    address = part.get("image_url", part.get("image"))
    address = address.get("url") if isinstance(address, dict) else address
    return _of_address(address) if isinstance(address, str) and address else None


def sources(content: Json, depth: int = 0) -> Iterator[Source]:
    """The pictures of a message's content, in order."""
    if isinstance(content, list) and depth < _DEEPEST:
        for part in content:
            yield from sources(part, depth + 1)
    elif (found := source_of(content)) is not None:
        yield found
    elif isinstance(content, dict) and isinstance(content.get("content"), list):
        yield from sources(content["content"], depth + 1)


def described(source: Source) -> Image:
    """What the picture is, from its first bytes."""
    if not source.data:
        return Image(address=source.address[:_ADDRESS])
    digest = hashlib.blake2b(source.data.encode(errors="replace"), digest_size=4).hexdigest()
    size = len(source.data) * 3 // 4 - source.data[-2:].count("=")
    media, width, height = kind_of(_decoded(source.data[: _HEAD * 4 // 3 // 4 * 4]))
    if not media or size > MOST or not 0 < width * height <= MOST_PIXELS:
        why = "too large to be shown" if media else "not PNG, JPEG, GIF or WebP"
        return Image(size=size, digest=digest, address=f"{why}, {size:,} bytes, {digest}")
    return Image(media, size, width, height, digest)


def bytes_of(source: Source) -> bytes:
    """The whole picture; b"" where it is none that is shown."""
    return _decoded(source.data) if described(source).media else b""


def kind_of(data: bytes) -> tuple[str, int, int]:
    """Media type, width and height by the first bytes; "" and zeros for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) >= 24:
        return ("image/png", *struct.unpack(">II", data[16:24]))
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        return ("image/gif", *struct.unpack("<HH", data[6:10]))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ("image/webp", *_webp(data))
    if data.startswith(b"\xff\xd8\xff"):
        return ("image/jpeg", *_jpeg(data))
    return "", 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """The size stands in the frame's heading, behind segments of other things."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return 0, 0


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (ValueError, binascii.Error):
        return b""


def _of_address(address: str) -> Source:
    if address[:5].lower() != "data:":
        return Source(address=address)
    head, _, data = address.partition(",")
    if head.lower().endswith(";base64"):
        return Source(data=data)
    return Source(address=f"{head[:60]}, not shown")


def _is_image(media: Json) -> bool:
    return isinstance(media, str) and media.startswith("image/")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
