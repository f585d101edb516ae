"""A small world in which it is known how often a completer reaches the right answer: it keeps the LanguageModel
protocol, and goes astray behind a step that says it is wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.language.asked import Completion, Prompt, Sampling, Token
from tests import tiny

QUESTION = "What is 6 times 7?"
RIGHT, WRONG = "The answer is \\boxed{42}.", "The answer is \\boxed{41}."


class Completer:
    """Right with chance `able`; behind a wrong step with chance `astray`, and where a later step mends it again as
    before. `silent` never comes to an answer, `longest` refuses longer openings."""

    def __init__(self, able: float = 1.0, astray: float = 0.0, silent: bool = False, longest: int = 10**6) -> None:
        self.able, self.astray, self.silent, self.longest = able, astray, silent, longest
        self.read: list[Prompt] = []

    @property
    def provenance(self) -> dict[str, Any]:
        return {"model": "completer", "sha256": f"{self.able}"}

    @property
    def usage(self) -> dict[str, float]:
        return {"calls": float(len(self.read)), "prompt_tokens": 0.0, "completion_tokens": 0.0}

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[tuple[Completion, ...] | CannotScore]:
        self.read += prompts
        return [self._one(prompt, sampling) for prompt in prompts]

    def forced(self, pairs: Sequence[tuple[Prompt, str]]) -> list[tuple[Token, ...] | CannotScore]:
        raise AssertionError("nobody forces a continuation")

    def _one(self, prompt: Prompt, sampling: Sampling) -> tuple[Completion, ...] | CannotScore:
        if len(prompt.opening) > self.longest:
            return CannotScore("too long for the completer")
        wrong = prompt.opening.rfind("WRONG") > prompt.opening.rfind("MENDED")
        chance = self.astray if wrong else self.able
        draws = random.Random(f"{prompt.opening} {sampling.seed}")
        said = [
            "I wander on" if self.silent else RIGHT if draws.random() < chance else WRONG for _ in range(sampling.count)
        ]
        return tuple(Completion(one, ended=not self.silent) for one in said)


def solution(
    steps: int, wrong: int | None = None, end: str | None = None, mended: int | None = None, **task: Any
) -> TrajectoryRecord:
    """So many steps of which the one with that number, from 1, is wrong, and a later one mends it. The last one states
    an answer."""
    said = [
        f"Step {number} is {'WRONG' if number == wrong else 'MENDED' if number == mended else 'fine'}."
        for number in range(1, steps + 1)
    ]
    if end is None:
        end = RIGHT if wrong is None or mended is not None else WRONG
    said[-1] = f"{said[-1]} {end}"
    return tree(said, [None] * steps, **task)


def tree(
    said: Sequence[str],
    parents: Sequence[int | None],
    rewards: Sequence[Json] = (),
    reference: Json = "42",
    **task: Any,
) -> TrajectoryRecord:
    """The question at 0, and steps of the agent from 1 on, each tried after the step whose place is given."""
    values = [{} if one is None else {"values": {"reward": one}} for one in rewards or [None] * len(said)]
    steps = [
        StepRecord("agent", place, one, parent=parent, extra=extra)
        for place, (one, parent, extra) in enumerate(zip(said, parents, values, strict=True), start=1)
    ]
    asked = StepRecord("user", 0, QUESTION)
    return TrajectoryRecord(TaskRecord("t", instruction=QUESTION, reference=reference, **task), (asked, *steps))


def taught(folder: Path, steps: int = 3) -> Path:
    """A tiny causal language model in a folder, trained until it answers this world's question as the steps before let
    it: right where none of them is wrong."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tiny.reward_model(folder, {})
    model, words = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    rows = [_row(words, count, wrong) for count in range(steps + 1) for wrong in (None, *range(1, count + 1))]
    width = max(map(len, (ids for ids, _ in rows)))
    padded = [(ids + [0] * (width - len(ids)), [1] * len(ids) + [0] * (width - len(ids))) for ids, _ in rows]
    labels = [[-100] * begin + ids[begin:] + [-100] * (width - len(ids)) for ids, begin in rows]
    given = {
        "input_ids": torch.tensor([ids for ids, _ in padded]),
        "attention_mask": torch.tensor([mask for _, mask in padded]),
        "labels": torch.tensor(labels),
    }
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(400):
        loss = model(**given).loss
        if loss.item() < 0.01:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.save_pretrained(folder)
    return folder


def _row(words: Any, steps: int, wrong: int | None) -> tuple[list[int], int]:
    """The ids of question, steps and answer, and where the answer begins."""
    asked = [{"role": "user", "content": QUESTION}]
    question = words.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    said = "".join(f"Step {n} is {'WRONG' if n == wrong else 'fine'}.\n\n" for n in range(1, steps + 1))
    before = words(question + said, add_special_tokens=False).input_ids
    after = words(RIGHT if wrong is None else WRONG, add_special_tokens=False).input_ids
    return [*before, *after, words.eos_token_id], len(before)
