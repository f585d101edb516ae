"""The transformer beneath a head: ids in, hidden states out, with as little waste as the model allows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models_service.scorers.checkpoints import Checkpoint, UnfitModel

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

PROBE = [[3, 1, 4, 1, 5], [9, 2, 6]]  # tokens that every vocabulary has
CLOSE = {4: 1e-4, 2: 0.03}  # bytes of a number → how far two states may be apart, as a share of their length


class Trunk:
    """`causal`: a state depends on nothing behind it, so that right padding needs no mask and a beginning can be
    shared; `packs`: sequences laid end to end do not see each other. Both are tried on this very model when it is
    loaded, since what cannot be relied on differs between models and releases."""

    def __init__(self, checkpoint: Checkpoint, device: str = "", dtype: str = "auto") -> None:
        import torch

        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model = loaded(checkpoint, number_type(dtype, self.device)).to(self.device).eval()
        self.dtype = next(self.model.parameters()).dtype
        self.limit: int | None = getattr(self.model.config, "max_position_embeddings", None)
        with torch.inference_mode():
            self.causal = self._looks_back_only()
            self.packs = self.causal and self._keeps_apart()

    def read(self, rows: Sequence[list[int]], shared: int = 0, packed: bool = False) -> list[torch.Tensor]:
        """The states (tokens, hidden) of each row from token `shared` on: so many tokens all rows begin with, and they
        are run once. To be called in inference mode."""
        if shared:
            return self._after(rows[0][:shared], [row[shared:] for row in rows])
        if packed:
            return self._packed(rows)
        states = self._run(self._padded(rows), attention_mask=None if self.causal else self._mask(rows))
        return [states[place, : len(row)] for place, row in enumerate(rows)]

    def _run(self, ids: torch.Tensor, **options: Any) -> torch.Tensor:
        states: torch.Tensor = self.model(input_ids=ids, use_cache=False, **options).last_hidden_state
        return states

    def _padded(self, rows: Sequence[list[int]]) -> torch.Tensor:
        import torch

        padded = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)  # ten times as quick as torch's own
        for place, row in enumerate(rows):
            padded[place, : len(row)] = row
        return torch.from_numpy(padded).to(self.device)

    def _mask(self, rows: Sequence[list[int]], before: int = 0) -> torch.Tensor:
        import torch

        lengths = torch.tensor([before + len(row) for row in rows], device=self.device)
        return (torch.arange(before + max(map(len, rows)), device=self.device) < lengths[:, None]).long()

    def _after(self, beginning: list[int], rows: Sequence[list[int]]) -> list[torch.Tensor]:
        """One pass over the beginning, whose keys and values then serve all rows."""
        import torch

        ids = torch.tensor([beginning], device=self.device)
        cache = self.model(input_ids=ids, use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(rows))
        padded = self._padded(rows)
        places = torch.arange(len(beginning), len(beginning) + padded.shape[1], device=self.device)[None]
        states = self.model(input_ids=padded, past_key_values=cache, position_ids=places, use_cache=True)
        return [states.last_hidden_state[place, : len(row)] for place, row in enumerate(rows)]

    def _packed(self, rows: Sequence[list[int]]) -> list[torch.Tensor]:
        """All rows as one, positions beginning anew with each: that is what tells the model where one ends. It holds
        only without a cache."""
        import torch

        ids = torch.tensor([[token for row in rows for token in row]], device=self.device)
        places = torch.tensor([[place for row in rows for place in range(len(row))]], device=self.device)
        states = self._run(ids, position_ids=places)[0]
        ends = [sum(len(row) for row in rows[: place + 1]) for place in range(len(rows))]
        return [states[end - len(row) : end] for end, row in zip(ends, rows, strict=True)]

    def _looks_back_only(self) -> bool:
        if any(getattr(part, "is_causal", None) is False for part in self.model.modules()):
            return False
        long, _ = PROBE
        whole = self._run(self._padded([long]))[0, :3]
        return _close(whole, self._run(self._padded([long[:3]]))[0])

    def _keeps_apart(self) -> bool:
        apart = [self._run(self._padded([row]))[0] for row in PROBE]
        same = all(_close(one, other) for one, other in zip(apart, self._packed(PROBE), strict=True))
        if not same:
            logger.warning("%s mixes packed sequences: they are padded instead", type(self.model).__name__)
        return same


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    apart = (one.float() - other.float()).norm()
    return bool(apart <= CLOSE[one.element_size()] * one.float().norm())


def number_type(name: str, device: torch.device) -> torch.dtype:
    """What a model computes in: "auto" is bfloat16 on a GPU, else float32."""
    import torch

    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise UnfitModel(f"dtype: found {name!r}; accepted are auto, float32, bfloat16, float16")
    return found


def loaded(checkpoint: Checkpoint, dtype: torch.dtype, auto: str = "AutoModel") -> Any:
    """The model, from transformers' own code: its trunk alone, or what another of its auto classes makes of it. One of
    which a weight is missing would be made up: refused."""
    import transformers

    try:
        model, loading = getattr(transformers, auto).from_pretrained(
            str(checkpoint.folder),
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError) as exc:
        raise UnfitModel(f"{checkpoint.folder} is not a model that can be loaded ({exc})") from exc
    if missing := sorted(loading["missing_keys"]):
        raise UnfitModel(f"{checkpoint.folder} holds no weights for {', '.join(missing[:4])}")
    return model


def tokenizer(checkpoint: Checkpoint) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(checkpoint.folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as exc:
        raise UnfitModel(f"{checkpoint.folder} holds no tokenizer that can be loaded ({exc})") from exc
