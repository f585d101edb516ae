"""A whole trajectory to read from top to bottom, without controls: for print, and for pages that stand alone.

Texts are opened up to a limit, and so is the whole; what was cut is said where it was cut, and at the top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from annotations.models import Step
from annotations.rendering import shown
from annotations.services import sight
from annotations.services.dossier import Dossier
from annotations.views import turns
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


def cards(
    file: Dossier, cut: Cut, said: Callable[[int, int], dict[str, Any]] | None = None
) -> Iterator[dict[str, Any]]:
    """The steps in order with what was said of them, as trajectories/_paper_step.html shows them. Counts into `cut`.

    A few steps are in memory at a time. `said` brings words and scores of a span of steps, those of the dossier unless
    it is given.
    """
    for start in range(0, file.axis.last + 1, BATCH):
        steps = sight.window(file.membership, file.trajectory, start, start + BATCH)
        told = (said or _said(file))(start, start + BATCH)
        for step, turn in zip(steps, turns.turns(steps, {}), strict=True):
            if cut.characters > WHOLE or turn.index >= STEPS:
                cut.stopped_at = turn.index
                return
            yield {"turn": opened(replace(turn, number=file.axis.number(turn.index)), cut), **of_step(step, told)}


def _said(file: Dossier) -> Callable[[int, int], dict[str, Any]]:
    return lambda first, last: {"words": file.words(first, last), "scores": file.scores(first, last)}


def of_step(step: Step, told: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(step.index, ()) for name, found in told.items()}


def opened(turn: Turn, cut: Cut) -> Turn:
    """The turn with its texts open, each up to TEXT characters. Counts into `cut`."""
    return replace(turn, blocks=tuple(_open(block, cut) for block in turn.blocks))


def _open(block: Block, cut: Cut) -> Block:
    cut.characters += min(TEXT, len(block.text))
    if block.whole and len(block.text) <= TEXT:
        return replace(block, folded=False)
    cut.texts += 1
    return replace(block, folded=False, whole=False, shown=shown.Shown("plain", shown.plain(block.text[:TEXT])))
