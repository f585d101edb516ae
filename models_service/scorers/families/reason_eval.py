"""ReasonEval: three classes read at the last token of each step, which give its validity and its redundancy."""

from __future__ import annotations

from collections.abc import Sequence

from models_service.scorers.checkpoints import Checkpoint
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import Layers, layer
from models_service.scorers.rendering import Ids, Rendered, Text, neutral


class ReasonEval(Family):
    """`Question:\\n…\\nAnswer:\\nLet's think step by step.\\n`, then the steps without anything between them. Classes
    wrong, neutral, right: validity is P(neutral) + P(right), redundancy P(neutral) (source: GAIR-NLP/ReasonEval; as
    decisions .5 and .15). A solution is as valid as its least valid step."""

    name = "reason-eval"
    title = "ReasonEval"
    source = "GAIR/ReasonEval-7B"

    def head(self, checkpoint: Checkpoint) -> Layers:
        return Layers(layer(checkpoint, "score_head", classes=3))

    def render(self, text: Text) -> Rendered:
        bos = self.tokenizer.bos_token_id
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt, *text.steps]]
        built = Ids(self.encode, [] if bos is None else [bos])
        built.text(f"Question:\n{prompt}\nAnswer:\nLet's think step by step.\n")
        for step in self.encode([one or "." for one in steps]) if steps else ():
            built.add(step).mark()
        return built.rendered()

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(neutral + right, {"redundancy": neutral}) for _, neutral, right in rows]
