"""A whole trajectory to read from top to bottom, without controls: for print, and for pages that stand alone.

Texts are opened up to a limit, and so is the whole; what was cut is said where it was cut, and at the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from annotations.rendering import shown
from annotations.services import sight
from annotations.services.dossier import Dossier
from annotations.views import cards
from annotations.views.turns import Block, Turn

TEXT = 8_000  # characters of one text
WHOLE = 3_000_000  # characters of all texts together
STEPS = 5_000
BATCH = 50


@dataclass
class Cut:
    """What a page left out: texts that were cut, and the step it stopped at (None: it has them all)."""

    texts: int = 0
    stopped_at: int | None = None
    characters: int = field(default=0, repr=False)

    def __bool__(self) -> bool:
        return bool(self.texts) or self.stopped_at is not None


def steps(file: Dossier, cut: Cut) -> Iterator[dict[str, Any]]:
    """The steps in order with what was said of them, as trajectories/_paper_step.html shows them. Counts into `cut`.
    A few are in memory at a time."""
    for start in range(0, file.axis.last + 1, BATCH):
        found = sight.window(file.membership, file.trajectory, start, start + BATCH)
        for card in cards.cards(file, found, start, start + BATCH):
            if cut.characters > WHOLE or card["turn"].index >= STEPS:
                cut.stopped_at = card["turn"].index
                return
            yield card | {"turn": opened(card["turn"], cut)}


def opened(turn: Turn, cut: Cut) -> Turn:
    """The turn with its texts open, each up to TEXT characters. Counts into `cut`."""
    return replace(turn, blocks=tuple(_open(block, cut) for block in turn.blocks))


def _open(block: Block, cut: Cut) -> Block:
    cut.characters += min(TEXT, len(block.text))
    if block.whole and len(block.text) <= TEXT:
        return replace(block, folded=False)
    cut.texts += 1
    return replace(block, folded=False, whole=False, shown=shown.cut(block.text[:TEXT]))
