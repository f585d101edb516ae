"""A causal language model on this machine: token ids in, log-probabilities over its vocabulary out, in float32."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.heads import CHUNK
from models_service.scorers.trunk import CLOSE, PROBE, loaded, number_type

if TYPE_CHECKING:
    import torch


class Causal:
    """Runs the trunk in its own number type and the head in float32, at the places that are asked for. That the two
    say what the whole model says is tried when it is loaded. All calls are to be made in inference mode."""

    def __init__(self, checkpoint: Checkpoint, device: str = "", dtype: str = "auto") -> None:
        import torch

        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        kind = number_type(dtype, self.device)
        self.model = loaded(checkpoint, kind, "AutoModelForCausalLM").to(self.device).eval()
        self.dtype = next(self.model.parameters()).dtype
        self.limit: int | None = getattr(self.model.config, "max_position_embeddings", None)
        head = self.model.get_output_embeddings()
        self.weight = head.weight.float()
        self.bias = None if getattr(head, "bias", None) is None else head.bias.float()
        with torch.inference_mode():
            self._try(checkpoint)

    @property
    def ends(self) -> set[int]:
        """The tokens after which the model has no more to say."""
        told = getattr(self.model.generation_config, "eos_token_id", None)
        return {told} if isinstance(told, int) else set(told or ())

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """(…, hidden) → (…, vocabulary), with what some architectures do to them behind the head."""
        from torch.nn.functional import linear

        config = self.model.config
        found = linear(states.float(), self.weight, self.bias)
        found = found * getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)
        cap = getattr(config, "final_logit_softcapping", None)
        return cap * (found / cap).tanh() if cap else found

    def begin(self, rows: Sequence[Sequence[int]]) -> tuple[Any, torch.Tensor, torch.Tensor]:
        """Runs beginnings to be gone on from: the cache of keys and values, its mask (rows, tokens), and the logits
        (rows, vocabulary) of what comes next. Rows are padded on the left, with the mask that this needs."""
        import torch

        width = max(map(len, rows))
        ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows], device=self.device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=self.device)
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        out = self.model.base_model(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=True)
        return out.past_key_values, mask, self.logits(out.last_hidden_state[:, -1])

    def go_on(self, tokens: Sequence[int], cache: Any, mask: torch.Tensor) -> torch.Tensor:
        """The logits (rows, vocabulary) after one more token a row; `mask` counts that token already."""
        import torch

        ids = torch.tensor(tokens, device=self.device)[:, None]
        places = mask.sum(-1, keepdim=True) - 1
        out = self.model.base_model(
            input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        )
        return self.logits(out.last_hidden_state[:, -1])

    def given(self, rows: Sequence[Sequence[int]], starts: Sequence[int], shared: int = 0) -> list[list[float]]:
        """For each row log P(token | all before it) of its tokens from `start` on, which is at least 1 and behind
        `shared`: so many tokens all rows begin with, and they are run once. Rows are padded on the right; logits over
        the vocabulary are never held for more than CHUNK places."""
        import torch

        states = self._states([row[shared:] for row in rows], rows[0][:shared])
        spans = [(start, len(row)) for row, start in zip(rows, starts, strict=True)]
        before = torch.cat([states[at, s - 1 - shared : end - 1 - shared] for at, (s, end) in enumerate(spans)])
        told = [token for row, (s, _) in zip(rows, spans, strict=True) for token in row[s:]]
        tokens = torch.tensor(told, device=self.device)
        found = [self._chances(*part) for part in zip(_parts(before), _parts(tokens), strict=True)]
        values: list[float] = torch.cat(found).tolist()
        ends = list(accumulate(end - s for s, end in spans))
        return [values[end - (stop - s) : end] for end, (s, stop) in zip(ends, spans, strict=True)]

    def _states(self, rows: Sequence[Sequence[int]], beginning: Sequence[int]) -> torch.Tensor:
        """The states (rows, tokens, hidden) of rows that are padded on the right, behind a beginning of all of them."""
        import torch

        width, past = max(map(len, rows)), len(beginning)
        ids = torch.tensor([list(row) + [0] * (width - len(row)) for row in rows], device=self.device)
        mask = torch.tensor([[1] * (past + len(row)) + [0] * (width - len(row)) for row in rows], device=self.device)
        if not past:
            return self._run(input_ids=ids, attention_mask=mask, use_cache=False)
        first = torch.tensor([list(beginning)], device=self.device)
        cache = self.model.base_model(input_ids=first, use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(rows))
        places = torch.arange(past, past + width, device=self.device)[None].expand(len(rows), -1)
        return self._run(input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True)

    def _run(self, **options: Any) -> torch.Tensor:
        states: torch.Tensor = self.model.base_model(**options).last_hidden_state
        return states

    def _chances(self, states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        logits = self.logits(states)
        return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(-1)

    def _try(self, checkpoint: Checkpoint) -> None:
        import torch

        ids = torch.tensor([PROBE[0]], device=self.device)
        whole = self.model(input_ids=ids, use_cache=False).logits.float()
        ours = self.logits(self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state)
        if whole.shape != ours.shape or (whole - ours).norm() > CLOSE[self.dtype.itemsize] * whole.norm():
            raise UnfitModel(
                f"{checkpoint.folder}: its head is more than one layer behind its trunk, and not known here"
            )


def _parts(rows: torch.Tensor) -> list[torch.Tensor]:
    return [rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)]
