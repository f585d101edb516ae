"""A model's folder as it lies on disk: what it says of itself, its tensors by name, and a fingerprint of it all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SMALL = 16 * 2**20  # files up to here go into the fingerprint whole, of longer ones the beginning and the length


class UnfitModel(ValueError):
    """The folder cannot be read as what it is to be. The message says what was found and what is accepted."""


class Checkpoint:
    """A local folder with config.json, a tokenizer and safetensors weights. Nothing is fetched, none of its code is
    run, and pickled weights are not opened."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UnfitModel(f"no folder {folder}")
        self.config = self._config()
        self.files = self._files()

    def _config(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / "config.json").read_text())
        except (OSError, ValueError) as exc:
            raise UnfitModel(f"{self.folder}: no readable config.json ({exc})") from exc
        if not isinstance(found, dict):
            raise UnfitModel(f"{self.folder}/config.json holds {type(found).__name__}; accepted is an object")
        return found

    def _files(self) -> dict[str, Path]:
        """Each tensor's file."""
        from safetensors import SafetensorError, safe_open

        found: dict[str, Path] = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            try:
                with safe_open(path, framework="pt") as file:
                    found |= dict.fromkeys(file.keys(), path)
            except SafetensorError as exc:
                raise UnfitModel(f"{path} is not a safetensors file ({exc})") from exc
        if not found:
            raise UnfitModel(f"{self.folder} holds no safetensors weights; pickled ones (.bin, .pt) are not opened")
        return found

    @property
    def name(self) -> str:
        return self.folder.name

    def tensor(self, *names: str) -> torch.Tensor:
        """The first of these tensors that is there."""
        from safetensors import safe_open

        name = self._first(names)
        with safe_open(self.files[name], framework="pt") as file:
            found: torch.Tensor = file.get_tensor(name)
        return found

    def rows(self, ids: Sequence[int], *names: str) -> torch.Tensor:
        """Single rows of the first of these matrices that is there, without reading the others."""
        import torch
        from safetensors import safe_open

        name = self._first(names)
        with safe_open(self.files[name], framework="pt") as file:
            matrix = file.get_slice(name)
            height = matrix.get_shape()[0]
            if beyond := [one for one in ids if not 0 <= one < height]:
                raise UnfitModel(f"{self.folder}: {name} has {height} rows, none for the tokens {beyond}")
            return torch.cat([matrix[one : one + 1] for one in ids])

    def holds(self, name: str) -> bool:
        return name in self.files

    def _first(self, names: Sequence[str]) -> str:
        for name in names:
            if name in self.files:
                return name
        some = ", ".join([one for one in self.files if "layers." not in one][:6])
        raise UnfitModel(f"{self.folder} holds no weights for {' or '.join(names)}; beside its layers it has {some}")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, lengths and beginnings of the files that decide what the model says: whole ones up to
        16 MiB. It changes with the revision, and a 70B model is told apart in a moment."""
        digest = hashlib.sha256()
        for path in sorted([*self.folder.glob("*.json"), *self.folder.glob("*.safetensors")]):
            digest.update(f"{path.name}:{path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(SMALL))
        return digest.hexdigest()
