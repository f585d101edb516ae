"""One engine for every process reward model that is read at marks: render, plan, run, read, say.

Local safetensors weights, CPU and GPU by the same code. A family (families/) says how its trajectories look and what is
read; a trunk computes; nothing here knows either.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers import fitting
from models_service.scorers.base import CannotScore, Scored, Scorer
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families import family as named
from models_service.scorers.fitting import Fitted
from models_service.scorers.running import Reader, Rows, Runner

BEYOND = "longer than what the model was trained on"
AT_ONCE = {"cuda": 16384, "cpu": 2048}  # tokens that are forwarded together
Prepared = tuple[list[tuple[int, Fitted]], dict[int, CannotScore]]  # (place of the record, a rendering), and refusals


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
        return lambda: self._finished(len(records), parts, dict(refused), reading())

    def _finished(
        self,
        count: int,
        parts: list[tuple[int, Fitted]],
        refused: dict[int, CannotScore],
        found: list[list[Rows] | CannotScore],
    ) -> list[Scored]:
        said: dict[int, list[StepScore]] = {place: [] for place in range(count) if place not in refused}
        for (place, part), read in zip(parts, found, strict=True):
            if isinstance(read, CannotScore):
                refused[place] = read
            elif place not in refused:
                said[place] += self._scores(part, *read)
        ordered = {place: tuple(sorted(one, key=lambda step: step.index)) for place, one in said.items()}
        return [refused.get(place) or ordered[place] for place in range(count)]

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
