"""One engine for every process reward model that is read at marks: render, plan, run, read, say.

Local safetensors weights, CPU and GPU by the same code. A family (families/) says how its trajectories look and what is
read; a trunk computes; nothing here knows either.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers import fitting
from models_service.scorers.base import CannotScore, Scored, Scorer
from models_service.scorers.batches import Batch, plan
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families import family as named
from models_service.scorers.fitting import Fitted

if TYPE_CHECKING:
    from models_service.scorers.heads import Head
    from models_service.scorers.trunk import Trunk

logger = logging.getLogger(__name__)

BEYOND = "longer than what the model was trained on"
AT_ONCE = {"cuda": 16384, "cpu": 2048}  # tokens that are forwarded together
Rows = list[list[float]]  # what was read, a row a mark
Prepared = tuple[list[tuple[int, Fitted]], dict[int, CannotScore]]  # (place of the record, a rendering), and refusals

_remembered: dict[tuple[str, str], int] = {}  # (model, device) → tokens that fitted its memory


@dataclass
class Reader:
    """A model that is read: its trunk, and what is read off it."""

    checkpoint: Checkpoint
    trunk: Trunk
    head: Head

    def read(self, items: Sequence[Fitted], batch: Batch) -> list[Rows]:
        import torch

        rendered = [items[place].rendered for place in batch.places]
        with torch.inference_mode():
            states = self.trunk.read([one.ids for one in rendered], batch.shared, batch.packed)
            return self.head(states, rendered, batch.shared)


class Engine(Scorer):
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
        try:
            self.family = named(family)(tokenizer(checkpoint), **options)
        except TypeError as exc:
            raise UnfitModel(f"options of {family}: {exc}") from exc
        if self.family.references != bool(reference):
            need = "needs the folder of a reference model" if self.family.references else "reads no reference model"
            raise UnfitModel(f"reference: found {reference!r}; {family} {need}")
        self.readers = [self._reader(Checkpoint(one), device, dtype) for one in (model, reference) if one]
        self.trunk = self.readers[0].trunk
        self.max_tokens = max_tokens or self._limit()
        at_once = batch_tokens or AT_ONCE.get(self.trunk.device.type, AT_ONCE["cpu"])
        self.key = (checkpoint.fingerprint, str(self.trunk.device))
        self.batch_tokens = min(at_once, _remembered.get(self.key, at_once))
        self.calibrated = calibrated and self.family.probability
        trunks = [one.trunk for one in self.readers]
        self.share, self.pack = share and all(t.causal for t in trunks), pack and all(t.packs for t in trunks)

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
        parts, refused = prepared or self.prepare(records)
        items = [part for _, part in parts]
        said: dict[int, list[StepScore]] = {place: [] for place in range(len(records)) if place not in refused}
        groups: list[Hashable] = [records[place].task.external_id for place, _ in parts] if self.share else []
        for batch in plan([one.rendered for one in items], self.batch_tokens, groups, packs=self.pack):
            for at, scored in zip(batch.places, self._judge(items, batch), strict=True):
                place = parts[at][0]
                if isinstance(scored, CannotScore):
                    refused[place] = scored
                elif place not in refused:
                    said[place] += scored
        ordered = {place: tuple(sorted(one, key=lambda step: step.index)) for place, one in said.items()}
        return [refused.get(place) or ordered[place] for place in range(len(records))]

    def prepare(self, records: Sequence[TrajectoryRecord]) -> Prepared:
        """Renderings that fit, and the records of which there is none."""
        parts: list[tuple[int, Fitted]] = []
        refused: dict[int, CannotScore] = {}
        for place, record in enumerate(records):
            try:
                found = fitting.fitted(record, self.family.render, self.max_tokens)
            except CannotScore as cannot:
                refused[place] = cannot
                continue
            parts += [(place, one) for one in found if one.places]
        return parts, refused

    def _judge(self, items: Sequence[Fitted], batch: Batch) -> list[list[StepScore] | CannotScore]:
        """The batch's scores; in halves, for good, where the device has no memory for it."""
        import torch

        try:
            read = [reader.read(items, batch) for reader in self.readers]
        except torch.OutOfMemoryError:
            return self._in_halves(items, batch)
        return [self._scores(items[place], *rows) for place, *rows in zip(batch.places, *read, strict=True)]

    def _in_halves(self, items: Sequence[Fitted], batch: Batch) -> list[list[StepScore] | CannotScore]:
        if len(batch.places) == 1:
            return [CannotScore(f"out of memory at {len(items[batch.places[0]].rendered.ids)} tokens")]
        self.batch_tokens = _remembered[self.key] = max(1, self.batch_tokens // 2)
        logger.warning("out of memory: batches are of %s tokens from here on", self.batch_tokens)
        half = len(batch.places) // 2
        parts = [Batch(places, batch.shared, batch.packed) for places in (batch.places[:half], batch.places[half:])]
        return [one for part in parts for one in self._judge(items, part)]

    def _scores(self, one: Fitted, *read: Rows) -> list[StepScore]:
        """Those of the steps that are judged, whose marks are the last ones; the others were read for what follows."""
        said = self.family.said(*read)[-len(one.places) :]
        detail = self._detail(one)
        return [
            StepScore(place, step.value, step.value if self.calibrated else None, {**detail, **_more(step.more)})
            for place, step in zip(one.places, said, strict=True)
        ]

    def _detail(self, one: Fitted) -> dict[str, Any]:
        long = self.family.trained is not None and len(one.rendered.ids) > self.family.trained
        window = {"window": list(one.window)} if one.window else {}
        return {"flags": [*one.flags, *([BEYOND] if long else [])], **window}


def _more(more: dict[str, float]) -> dict[str, Any]:
    return {"more": more} if more else {}
