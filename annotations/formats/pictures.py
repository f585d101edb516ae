"""Pictures that lie beside a log, as the parts of messages that hold them."""

from __future__ import annotations

from base64 import b64encode
from pathlib import PurePosixPath
from typing import Any

from annotations.formats import folders
from annotations.formats.opening.sources import Folder
from annotations.records import Json

MOST = 20 * 2**20  # bytes of one picture
MOST_TOGETHER = 128 * 2**20  # bytes of all pictures of one record
SUFFIXES = frozenset([".png", ".jpg", ".jpeg", ".webp", ".gif"])
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class Pictures:
    """The pictures of a folder for one record. One that is not there, is none, or is too large stays an address."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.room = folder, MOST_TOGETHER

    def __contains__(self, path: str) -> bool:
        return self._member(path) is not None

    def part(self, path: str) -> dict[str, Json]:
        """The picture as OpenAI chat holds one."""
        return {"type": "image_url", "image_url": {"url": self.address(path)}}

    def address(self, path: str) -> str:
        """The picture as a data URL, else its path."""
        member = self._member(path)
        data = folders.bytes_of(self.folder.members[member], min(MOST, self.room)) if member else b""
        media = kind_of(data)
        if not media:
            return path
        self.room -= len(data)
        return f"data:{media};base64,{b64encode(data).decode()}"

    def placed(self, content: Json) -> Json:
        """The content of a message with every picture that lies in the folder in its place."""
        return [self._placed(part) for part in content] if isinstance(content, list) else content

    def _placed(self, part: Json) -> Json:
        if not isinstance(part, dict):
            return part
        for key in ("image_url", "image"):
            held = part.get(key)
            inner = held.get("url") if isinstance(held, dict) else held
            if isinstance(inner, str) and inner in self:
                found = self.address(inner)
                return part | {key: held | {"url": found} if isinstance(held, dict) else found}
        return part

    def _member(self, path: str) -> str | None:
        """The file of the folder that a log calls so: by its path, else by its name where only one has it."""
        if not path or len(path) > 1000 or path.startswith("data:"):
            return None
        clean = PurePosixPath(path.replace("\\", "/").removeprefix("file://"))
        if str(clean) in self.folder.members:
            return str(clean)
        same = [one for one in self.folder.members if PurePosixPath(one).name == clean.name]
        return same[0] if len(same) == 1 and clean.suffix.lower() in SUFFIXES else None


def kind_of(data: bytes) -> str:
    """The media type by the first bytes; "" for anything that is no picture that is shown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media for magic, media in _MAGIC if data.startswith(magic)), "")


def has_pictures(members: Any) -> bool:
    return any(PurePosixPath(path).suffix.lower() in SUFFIXES for path in members)
