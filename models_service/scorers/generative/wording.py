"""What verifiers are told, in files beside the code: parts with blanks, which texts of trajectories fill in."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from string import Template

from models_service.scorers.checkpoints import UnfitModel

PART = re.compile(r"^=== (\w+)\n", re.M)
OURS = re.compile(r"<(?=/?(?:task|earlier|judged|tools|summary|checklist|parts)\b)", re.I)


class Wording:
    """The wording of that name and version: prompts/NAME/VERSION.txt, or the file that `version` names, where it ends
    in .txt. A part begins with a line "=== NAME"; "$blank" is filled in, "$$" is a dollar."""

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.own = version.endswith(".txt")
        self.version = Path(version).name if self.own else version
        self.text = _file(version) if self.own else _shipped(name, version)
        _, *found = PART.split(self.text)
        self.parts = {part: text.rstrip("\n") for part, text in zip(found[::2], found[1::2], strict=True)}

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def need(self, parts: tuple[str, ...]) -> None:
        """UnfitModel where a part is missing."""
        if missing := [part for part in parts if part not in self.parts]:
            raise UnfitModel(
                f"wording {self.name}/{self.version}: found the parts {', '.join(self.parts) or 'none'}; "
                f"{', '.join(missing)} missing"
            )

    def fill(self, part: str, **blanks: str) -> str:
        """The part with its blanks filled in. What is filled in is no part of the frame: our tags in it are broken."""
        return Template(self.parts[part]).safe_substitute({name: OURS.sub("< ", one) for name, one in blanks.items()})


def _file(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise UnfitModel(f"wording: {path} cannot be read ({exc})") from exc


def _shipped(name: str, version: str) -> str:
    folder = files(__package__) / "prompts" / name
    every = {one.name.removesuffix(".txt"): one for one in folder.iterdir()} if folder.is_dir() else {}
    if version not in every:
        accepted = ", ".join(sorted(every)) or "none"
        raise UnfitModel(f"wording: found {version!r}; accepted are {accepted}, or the path of a .txt file")
    return every[version].read_text()
