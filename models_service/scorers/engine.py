"""One engine for every process reward model that is read at marks: render, plan, run, read, say.

Local safetensors weights, CPU and GPU by the same code. A family (families/) says how its trajectories look and what is
read; a trunk computes; nothing here knows either.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.base import Scored
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families import made
from models_service.scorers.marked import MarkedScorer, Prepared
from models_service.scorers.running import Reader, Runner

# By the kind of device: tokens that are forwarded together, and trajectories that are sorted by length together, of
# which a quick device wants many, or it computes much padding.
AT_ONCE = {"cuda": 16384, "cpu": 2048}
SORTED = {"cuda": 64, "cpu": 16}


class Engine(MarkedScorer):
    """Scores of a local process reward model.

    `model` is a folder, `family` one of families.FAMILIES, with `options` of its own; `reference` the folder of the
    model that a log-ratio is taken against. More than `max_tokens` (by default what the model was made for) are never
    read at once: see fitting.py. `batch_tokens` bounds what is forwarded together; it is halved, for good, where the
    device has no memory for it. `calibrated` says that its numbers hold as probabilities. `share` and `pack` may be
    switched off.
    """

    def __init__(
        self,
        model: str,
        family: str,
        *,
        reference: str = "",
        max_tokens: int | None = None,
        batch_tokens: int | None = None,
        device: str = "",
        dtype: str = "auto",
        calibrated: bool = False,
        share: bool = True,
        pack: bool = True,
        **options: Any,
    ) -> None:
        from models_service.scorers.trunk import tokenizer

        checkpoint = Checkpoint(model)
        self.family = made(family, tokenizer(checkpoint), **options)
        if self.family.references != bool(reference):
            need = "needs the folder of a reference model" if self.family.references else "reads no reference model"
            raise UnfitModel(f"reference: found {reference!r}; {family} {need}")
        self.readers = [self._reader(Checkpoint(one), device, dtype) for one in (model, reference) if one]
        self.trunk = self.readers[0].trunk
        self.max_tokens = max_tokens or self._limit()
        kind = self.trunk.device.type
        self.at_once = SORTED.get(kind, SORTED["cpu"])
        at_once = batch_tokens or AT_ONCE.get(kind, AT_ONCE["cpu"])
        self.runner = Runner(self.readers, at_once, share=share, pack=pack)
        self.calibrated = calibrated and self.family.probability

    def _reader(self, checkpoint: Checkpoint, device: str, dtype: str) -> Reader:
        from models_service.scorers.trunk import Trunk

        head = self.family.head(checkpoint)  # first, since what is not there is found out before a trunk is loaded
        trunk = Trunk(checkpoint, device, dtype)
        return Reader(checkpoint, trunk, head.to(trunk.device))

    def _limit(self) -> int:
        limits = [one.trunk.limit for one in self.readers if one.trunk.limit]
        if not limits:
            raise UnfitModel("max_tokens: the model does not say how much it reads; it must be given")
        return min(limits)

    @property
    def provenance(self) -> dict[str, Any]:
        """All that decides what the scores are."""
        import torch
        import transformers

        return {
            "family": self.family.name,
            "rendering": self.family.version,
            "models": [{"name": r.checkpoint.name, "sha256": r.checkpoint.fingerprint} for r in self.readers],
            "max_tokens": self.max_tokens,
            "device": self.device_name,
            "dtype": str(self.trunk.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    @property
    def device_name(self) -> str:
        import torch

        return torch.cuda.get_device_name(self.trunk.device) if self.trunk.device.type == "cuda" else "CPU"

    def score(self, records: Sequence[TrajectoryRecord], prepared: Prepared | None = None) -> list[Scored]:
        return self.begin(records, prepared or self.prepare(records))()

    def begin(self, records: Sequence[TrajectoryRecord], prepared: Prepared) -> Callable[[], list[Scored]]:
        parts, refused = prepared
        groups: list[Hashable] = [records[place].task.external_id for place, _ in parts]
        reading = self.runner.begin([one.rendered for _, one in parts], groups)
        return lambda: self.finished(len(records), (parts, refused), reading())
