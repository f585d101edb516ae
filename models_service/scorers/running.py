"""Running renderings through models: planned in batches, launched one after another, read at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from models_service.scorers.base import CannotScore
from models_service.scorers.batches import Batch, plan
from models_service.scorers.checkpoints import Checkpoint
from models_service.scorers.rendering import Rendered

if TYPE_CHECKING:
    import torch

    from models_service.scorers.heads import Head
    from models_service.scorers.trunk import Trunk

logger = logging.getLogger(__name__)

# The share of tokens that running a common beginning once must save. On a GPU attention past a cache is so much the
# slower kernel: at 0.5B it paid from 6 tokens in 10 on, at 7B from 3.
SAVED = {"cuda": 0.6, "cpu": 0.1}
Rows = list[list[float]]  # what was read, a row a mark

_remembered: dict[tuple[str, str], int] = {}  # (model, device) → tokens that fitted its memory


@dataclass
class Reader:
    """A model that is read: its trunk, and what is read off it."""

    checkpoint: Checkpoint
    trunk: Trunk
    head: Head

    def read(self, items: Sequence[Rendered], batch: Batch) -> torch.Tensor:
        """A row a mark, on the device and not waited for."""
        import torch

        with torch.inference_mode():
            states = self.trunk.read([one.ids for one in items], batch.shared, batch.packed)
            return self.head(states, items, batch.shared)


class Fetched:
    """Numbers on their way from the device. Asked for at once, since whoever asks later waits for all that was launched
    meanwhile."""

    def __init__(self, numbers: torch.Tensor) -> None:
        import torch

        self.numbers = numbers.to("cpu", non_blocking=True)
        event: Any = torch.cuda.Event
        self.there = event() if numbers.is_cuda else None
        if self.there:
            self.there.record()

    def rows(self) -> Rows:
        if self.there:
            self.there.synchronize()
        found: Rows = self.numbers.tolist()
        return found


class Runner:
    """Models that read the same renderings. `batch_tokens` bounds what is forwarded together; it is halved, for good,
    where the device has no memory for it. `share` and `pack` are done where all models allow them."""

    def __init__(self, readers: Sequence[Reader], batch_tokens: int, *, share: bool = True, pack: bool = True) -> None:
        self.readers = readers
        trunks = [one.trunk for one in readers]
        self.key = (readers[0].checkpoint.fingerprint, str(trunks[0].device))
        self.batch_tokens = min(batch_tokens, _remembered.get(self.key, batch_tokens))
        self.share, self.pack = share and all(t.causal for t in trunks), pack and all(t.packs for t in trunks)
        self.saved = SAVED.get(trunks[0].device.type, SAVED["cpu"])

    def begin(
        self, items: Sequence[Rendered], groups: Sequence[Hashable]
    ) -> Callable[[], list[list[Rows] | CannotScore]]:
        """For each item what each model reads at its marks, when it is called for. All is launched before, so that the
        device need not wait for what is done with the numbers."""
        batches = plan(items, self.batch_tokens, groups if self.share else (), saved=self.saved, packs=self.pack)
        launched = [one for batch in batches for one in self._launched(items, batch)]
        return lambda: self._read(items, launched)

    def _read(
        self, items: Sequence[Rendered], launched: list[tuple[list[int], list[Fetched] | CannotScore]]
    ) -> list[list[Rows] | CannotScore]:
        found: list[list[Rows] | CannotScore] = [[] for _ in items]
        for places, said in launched:
            if isinstance(said, CannotScore):
                found[places[0]] = said
                continue
            for fetched in said:
                rows, counts = fetched.rows(), [len(items[place].marks) for place in places]
                for end, place, count in zip(accumulate(counts), places, counts, strict=True):
                    one = found[place]
                    assert not isinstance(one, CannotScore)
                    one.append(rows[end - count : end])
        return found

    def _launched(
        self, items: Sequence[Rendered], batch: Batch
    ) -> Iterator[tuple[list[int], list[Fetched] | CannotScore]]:
        """The batch, or where the device has no memory for it, its halves."""
        import torch

        chosen = [items[place] for place in batch.places]
        try:
            yield batch.places, [Fetched(reader.read(chosen, batch)) for reader in self.readers]
        except torch.OutOfMemoryError:
            yield from self._in_halves(items, batch)

    def _in_halves(
        self, items: Sequence[Rendered], batch: Batch
    ) -> Iterator[tuple[list[int], list[Fetched] | CannotScore]]:
        if len(batch.places) == 1:
            yield batch.places, CannotScore(f"out of memory at {len(items[batch.places[0]].ids)} tokens")
            return
        self.batch_tokens = _remembered[self.key] = max(1, self.batch_tokens // 2)
        logger.warning("out of memory: batches are of %s tokens from here on", self.batch_tokens)
        half = len(batch.places) // 2
        for places in (batch.places[:half], batch.places[half:]):
            yield from self._launched(items, replace(batch, places=places))
