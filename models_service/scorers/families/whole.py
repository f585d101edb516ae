"""Models that say one number of a whole conversation: each step is judged on all up to its end, a pass a step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family
from models_service.scorers.heads import Head
from models_service.scorers.rendering import Ids, Rendered, Text, neutral


class WholeFamily(Family):
    """`Rendered.ids` are of the whole trajectory, by which its length is told; what is read is `Rendered.upto`."""

    def head(self, checkpoint: Checkpoint) -> Head:
        raise UnfitModel(f"family: {self.name} is read through a server alone, with protocol sglang-classify")

    def render(self, text: Text) -> Rendered:
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt, *text.steps]]
        own = [neutral(one, self.reserved) for one in text.own or text.steps]
        read = partial(self.read, prompt, steps, own)
        built = Ids(self.encode, read(0))
        for step in self.encode([f"\n\n{step}" for step in steps]) if steps else ():
            built.add(step).mark()
        return Rendered(built.ids, built.marks, upto=lambda number: read(number + 1))

    def read(self, prompt: str, steps: Sequence[str], own: Sequence[str], count: int) -> list[int]:
        """What is read to judge the last of the first `count` steps; none of them where that is 0."""
        raise NotImplementedError
