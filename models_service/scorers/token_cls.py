"""Process reward models that are token classifiers, read as TRL's PRM trainer leaves them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Scored
from models_service.scorers.batches import batches
from models_service.scorers.rendering import Rendered, stepwise

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


class UnfitModel(ValueError):
    """The folder holds no two-class token classifier whose weights are all there."""


class TokenClassScorer:
    """P(right) of each step, from one forward per trajectory.

    `model` is a local folder with safetensors weights; nothing is fetched and none of its code is run. `separator`
    is the text it was trained to be judged at, `right` the class that means right. A trajectory of more than
    `max_tokens` (by default what the model was made for) cannot be scored: cutting it would lose steps in silence.
    `calibrated` says that its numbers hold as probabilities. `batch_tokens` bounds what is forwarded at once.
    """

    siblings = False

    def __init__(
        self,
        model: str,
        separator: str = "\n",
        right: int = 1,
        max_tokens: int | None = None,
        batch_tokens: int | None = None,
        device: str = "",
        dtype: str = "auto",
        calibrated: bool = False,
    ) -> None:
        import torch

        if not Path(model).is_dir():
            raise UnfitModel(f"no folder {model}")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.tokenizer = _tokenizer(model)
        self.separator = self.encode([separator])[0]
        self.reserved = frozenset(self.tokenizer.get_added_vocab())
        self.model = _classifier(model, dtype).to(self.device).eval()
        self.head = self.model.get_submodule("score" if hasattr(self.model, "score") else "classifier").float()
        self.right, self.calibrated = right, calibrated
        self.max_tokens = max_tokens or self.model.config.max_position_embeddings
        self.batch_tokens = batch_tokens or (16384 if self.device.type == "cuda" else 2048)

    def encode(self, pieces: list[str]) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(pieces, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def render(self, record: TrajectoryRecord) -> Rendered:
        bos = self.tokenizer.bos_token_id
        return stepwise(record, self.encode, separator=self.separator, bos=bos, reserved=self.reserved)

    def score(self, records: Sequence[TrajectoryRecord]) -> list[Scored]:
        rendered = [self.render(record) for record in records]
        scored: list[Scored] = [self._refusal(one) or () for one in rendered]
        left = [place for place, one in enumerate(rendered) if one.marks and not isinstance(scored[place], CannotScore)]
        for batch in batches([len(rendered[place].ids) for place in left], self.batch_tokens):
            places = [left[one] for one in batch]
            for place, said in zip(places, self._judge([rendered[place] for place in places]), strict=True):
                scored[place] = said
        return scored

    def _refusal(self, one: Rendered) -> CannotScore | None:
        if len(one.ids) <= self.max_tokens:
            return None
        return CannotScore(f"{len(one.ids)} tokens, the model reads {self.max_tokens}")

    def _judge(self, batch: list[Rendered]) -> list[Scored]:
        """The batch's scores; in halves, for good, where the device has no memory for it."""
        import torch

        try:
            values = self._forward(batch)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                return [CannotScore(f"out of memory at {len(batch[0].ids)} tokens")]
            self.batch_tokens = max(1, self.batch_tokens // 2)
            logger.warning("out of memory: batches are of %s tokens from here on", self.batch_tokens)
            half = len(batch) // 2
            return self._judge(batch[:half]) + self._judge(batch[half:])
        return [self._scores(one, said) for one, said in zip(batch, values, strict=True)]

    def _scores(self, one: Rendered, said: list[float]) -> tuple[StepScore, ...]:
        return tuple(
            StepScore(index, value, value if self.calibrated else None, {"flags": []})
            for index, value in zip(one.indexes, said, strict=True)
        )

    def _forward(self, batch: list[Rendered]) -> list[list[float]]:
        """The trunk over the right-padded batch, then the head, in fp32, where verdicts are read and nowhere else."""
        import torch

        with torch.inference_mode():
            rows = [row for row, one in enumerate(batch) for _ in one.marks]
            marks = [mark for one in batch for mark in one.marks]
            hidden = self._trunk(batch)[rows, marks]
            logits = self.head(hidden.float())
            assert logits.shape == (len(marks), 2), f"two classes at each mark, found {tuple(logits.shape)}"
            values = logits.softmax(-1)[:, self.right].tolist()
        ends = [sum(len(one.marks) for one in batch[: row + 1]) for row in range(len(batch))]
        return [values[end - len(one.marks) : end] for end, one in zip(ends, batch, strict=True)]

    def _trunk(self, batch: list[Rendered]) -> torch.Tensor:
        import torch

        longest = max(len(one.ids) for one in batch)
        ids = torch.tensor([one.ids + [0] * (longest - len(one.ids)) for one in batch], device=self.device)
        lengths = torch.tensor([len(one.ids) for one in batch], device=self.device)
        mask = (torch.arange(longest, device=self.device) < lengths[:, None]).long()
        alike = bool(mask.all())  # without a mask the quick causal kernel runs
        states: torch.Tensor = self.model.base_model(
            input_ids=ids, attention_mask=None if alike else mask, use_cache=False
        ).last_hidden_state
        return states


def _tokenizer(folder: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _classifier(folder: str, dtype: str) -> Any:
    from transformers import AutoModelForTokenClassification

    model, loading = AutoModelForTokenClassification.from_pretrained(
        folder,
        dtype=dtype,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
    )
    if missing := sorted(loading["missing_keys"]):
        raise UnfitModel(f"{folder} holds no weights for {', '.join(missing[:4])}: not a token classifier")
    if model.config.num_labels != 2:
        raise UnfitModel(f"{folder} has {model.config.num_labels} classes; accepted are models of 2")
    return model
