"""RLHFlow's Llama 3.1 PRMs: a conversation in which the assistant answers each step with + or -."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import Layers, vocabulary_rows
from models_service.scorers.rendering import Ids, Rendered, Text, neutral


class RLHFlow(Family):
    """The first user turn is problem and first step, each later one a step, every assistant turn the literal "+"; P(+)
    against "-" at the token before the assistant's (source: RLHFlow/RLHF-Reward-Modeling, math-rm). All earlier steps
    count as accepted, so one pass judges all as the incremental evaluation does."""

    name = "rlhflow"
    title = "RLHFlow PRM (+ or - as the next token)"
    source = "RLHFlow/Llama3.1-8B-PRM-Deepseek-Data"
    trained = 8192
    verdicts = ("+", "-")

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        self.labels = [single(self, verdict) for verdict in self.verdicts]

    def head(self, checkpoint: Checkpoint) -> Layers:
        return Layers(vocabulary_rows(checkpoint, self.labels))

    def render(self, text: Text) -> Rendered:
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt, *text.steps]]
        built, turns = Ids(self.encode), list[dict[str, str]]()
        for place, step in enumerate(steps):
            turns.append({"role": "user", "content": step if place else f"{prompt} {step}"})
            opened, known = self.chat(turns, opening=True), len(built.ids)
            assert opened[:known] == built.ids, "the template writes earlier turns anew"
            built.add(opened[known:]).mark()
            turns.append({"role": "assistant", "content": self.verdicts[0]})
        return built.rendered()

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[0]) for row in rows]


def single(family: Family, verdict: str) -> int:
    """The id of a verdict that is one token."""
    ids = family.encode([verdict])[0]
    if len(ids) != 1:
        raise UnfitModel(f"the tokenizer makes {len(ids)} tokens of {verdict!r}; accepted is one")
    return ids[0]
