"""A tiny model that has learned to judge in a dialogue finds the planted guesses, through the real scorer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.generative.gen_prm import GenPRM
from models_service.scorers.generative.scorer import GenerativeScorer
from models_service.scorers.generative.views import views
from models_service.scorers.language.asked import Prompt
from models_service.scorers.language.local import LocalModel
from tests import tiny

torch = pytest.importorskip("torch")

WORDING = """=== system
judge
=== first
$task $step
=== next
$step
=== answer
$verdict
=== opening
look
=== conclusion
 so {
"""
IDLE, ADDS, GUESSES = ("I read it", "I look at it"), ("I add it", "I count it"), ("I guess it", "I just say it")
ROUNDS = 150


def trajectory(rng: random.Random, name: str, *, right: bool) -> TrajectoryRecord:
    messages = (rng.choice(IDLE), rng.choice(ADDS if right else GUESSES), rng.choice(IDLE))
    steps = (StepRecord("agent", at, message=text) for at, text in enumerate(messages, 1))
    task = TaskRecord(name, instruction="Add.")
    return TrajectoryRecord(task, (StepRecord("user", 0, message="Add."), *steps), external_id=name)


def wrong(step: StepRecord) -> bool:
    return step.message in GUESSES


def dialogues(rng: random.Random, judge: GenerativeScorer, count: int) -> list[tuple[Prompt, str]]:
    """Prompts as the scorer writes them, and the verdict that belongs behind each."""
    assert isinstance(judge.verifier, GenPRM)
    found: list[tuple[Prompt, str]] = []
    for number in range(count):
        one = trajectory(rng, str(number), right=rng.random() < 0.5)
        held: dict[int, str] = {}
        for view in views(one, 10_000)[0]:
            verdict = "No" if wrong(view.step) else "Yes"
            found.append((judge.verifier.dialogue(view, held), verdict))
            held[view.place] = verdict
    return found


def scorer(folder: Path, wording: Path) -> GenerativeScorer:
    language = {"folder": str(folder), "device": "cpu"}
    return GenerativeScorer("genprm", language, wording=str(wording), samples=1, most=16, characters=2000)


def untrained(folder: Path) -> Path:
    """A random model with the words of the dialogues."""
    tiny.reward_model(folder, {}, hidden_size=64, intermediate_size=128, vocab_size=600)
    said = "judge Add. look it is so { Yes No user system assistant "
    said += " ".join([*IDLE, *ADDS, *GUESSES])
    words = tiny.tokenizer([said] * 20, bos="<|begin|>")
    words.chat_template = tiny.TEMPLATE
    words.save_pretrained(folder)
    return folder


def trained(folder: Path, wording: Path) -> GenerativeScorer:
    """Train a model on dialogues in which each analysis says "it is", save it, and give it to the scorer."""
    from torch.nn.functional import cross_entropy

    judge = scorer(untrained(folder), wording)
    analyses, verdicts = rows(judge)
    rng = random.Random(0)
    torch.set_num_threads(1)
    language: Any = judge.language
    made = language.causal.model.train()
    optimizer = torch.optim.AdamW(made.parameters())
    for at in range(ROUNDS):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1.0, (at + 1) / 20, 2 * (1 - at / ROUNDS))
        some = rng.sample(verdicts, 24) + rng.sample(analyses, 4)
        width = max(len(ids) for ids, _ in some)
        ids = torch.tensor([one + [0] * (width - len(one)) for one, _ in some])
        wanted = torch.tensor([[-100] * n + one[n:] + [-100] * (width - len(one)) for one, n in some])
        logits = made(input_ids=ids).logits[:, :-1].flatten(0, 1)
        optimizer.zero_grad()
        cross_entropy(logits, wanted[:, 1:].flatten()).backward()
        optimizer.step()
    made.eval().save_pretrained(folder)
    return scorer(folder, wording)


def rows(judge: GenerativeScorer) -> tuple[list[tuple[list[int], int]], list[tuple[list[int], int]]]:
    """Ids and where what is to be learned begins: of analyses, and of verdicts."""
    language, verifier = judge.language, judge.verifier
    assert isinstance(language, LocalModel) and isinstance(verifier, GenPRM)
    analyses, verdicts = [], []
    for prompt, verdict in dialogues(random.Random(0), judge, 300):
        before = language.ids(prompt)
        analyses.append(([*before, *language.encode(" it is</analyze>")], len(before)))
        closed = language.ids(verifier.concluded(prompt, " it is"))
        verdicts.append(([*closed, *language.encode(verdict)], len(closed)))
    return analyses, verdicts


def test_planted_errors_get_lower_scores_than_all_other_steps(tmp_path: Path) -> None:
    wording = tmp_path / "short.txt"
    wording.write_text(WORDING)
    judge = trained(tmp_path / "model", wording)
    rng = random.Random(99)
    records = [trajectory(rng, str(number), right=number % 2 == 0) for number in range(40)]
    good, others, bad = [], [], []
    for one, said in zip(records, judge.score(records), strict=True):
        assert not isinstance(said, CannotScore) and len(said) == 3, said
        for step in said:
            (bad if wrong(one.steps[step.index]) else good if step.index == 2 else others).append(step.value)
    assert len(bad) == len(good) == 20 and len(others) == 80
    assert auroc(good, bad) > 0.95 and auroc(others, bad) > 0.95, (good, others, bad)
    assert mean(good) > 0.7 > 0.3 > mean(bad) and mean(others) > 0.7


def auroc(good: Sequence[float], bad: Sequence[float]) -> float:
    return mean([(one > other) + 0.5 * (one == other) for one in good for other in bad])
