"""A tiny language model that has learned to read sums: traces of a few steps, one of which adds up, rightly or not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from tests import tiny

IDLE = ("I read the question", "I write it down", "I look at it again")
CLOSING = "\n\nAnswer:"
PLACE = 2  # of the step that adds up, among the agent's


class Sum:
    """A question, what its adding step comes to, and two idle steps before that."""

    def __init__(self, rng: random.Random, *, right: bool, numbers: tuple[int, int] | None = None) -> None:
        self.numbers = one, other = numbers or (rng.randrange(1, 6), rng.randrange(1, 5))
        self.answer, self.right = one + other, right
        self.said = self.answer if right else rng.choice([n for n in range(2, 10) if n != self.answer])
        self.question = f"What is {one} + {other}?"
        self.steps = [*rng.sample(IDLE, PLACE), f"I add {one} + {other} = {self.said}", "I am done"]

    def again(self, rng: random.Random, *, right: bool) -> Sum:
        """Another rollout of the question."""
        return Sum(rng, right=right, numbers=self.numbers)

    def record(self, name: str) -> TrajectoryRecord:
        steps = [StepRecord("agent", at, message=said) for at, said in enumerate(self.steps, start=1)]
        task = TaskRecord(name, instruction=self.question, reference=str(self.answer))
        return TrajectoryRecord(task, (StepRecord("user", 0, message=self.question), *steps), external_id=name)


def records(count: int, seed: int) -> tuple[list[TrajectoryRecord], list[bool]]:
    """Every other one adds up rightly."""
    rng = random.Random(seed)
    sums = [Sum(rng, right=place % 2 == 0) for place in range(count)]
    return [one.record(str(place)) for place, one in enumerate(sums)], [one.right for one in sums]


def model(folder: Path, seed: int = 0, rounds: int = 300) -> Path:
    """Train the model and save it. It learns all words of the traces, and the answer once more: what the adding step
    said, and any number where none has been said yet."""
    import torch
    from torch.nn.functional import cross_entropy

    rng = random.Random(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model is slowed down by more, above all beside other tests
    made, rows = _begun(folder, seed, [_written(rng) for _ in range(1500)])
    optimizer = torch.optim.AdamW(made.parameters())
    for at in range(rounds):
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * min(1.0, 2 * (1 - at / rounds))
        some = rng.sample(rows, 32)
        width = max(map(len, some))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in some])
        every = torch.tensor([row + [-100] * (width - len(row)) for row in some])
        ends = torch.tensor([[-100] * (len(row) - 3) + row[-3:] + [-100] * (width - len(row)) for row in some])
        logits = made(input_ids=ids).logits[:, :-1].flatten(0, 1)
        loss = sum(cross_entropy(logits, wanted[:, 1:].flatten()) for wanted in (every, ends))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    made.save_pretrained(folder)
    return folder


def _begun(folder: Path, seed: int, texts: Sequence[str]) -> tuple[Any, list[list[int]]]:
    """The model, and the texts as the ids that its tokenizer makes of them once it is loaded again."""
    import torch
    import transformers

    sizes = tiny.SIZES | {"hidden_size": 64, "intermediate_size": 128, "max_position_embeddings": 256}
    config = transformers.Qwen2Config(**sizes, tie_word_embeddings=False)
    config.save_pretrained(folder)
    tiny.tokenizer(texts).save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config.vocab_size = len(tokenizer)
    torch.manual_seed(seed)
    return transformers.Qwen2ForCausalLM(config), [tokenizer(text)["input_ids"] for text in texts]


def _written(rng: random.Random) -> str:
    """A trace up to some step, and an answer."""
    one = Sum(rng, right=rng.random() < 0.5)
    count = rng.randrange(len(one.steps) + 1)
    answer = one.said if count > PLACE else rng.randrange(2, 10)
    return "\n\n".join([one.question, *one.steps[:count]]) + f"{CLOSING} {answer}<|end|>"
