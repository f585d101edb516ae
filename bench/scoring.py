"""A scoring run against the model's bare forward over the same tokens.

Ours is a whole run as a worker does it: rows read from PostgreSQL, rendered, tokenised, forwarded, judged at the marks,
stored with progress and heartbeat. The limit is the same model's own forward over the same sequences, tokenised and
batched beforehand, with its results thrown away. The model has random weights; its time is that of trained ones.
Compared is processor time on one thread, which other work on the machine disturbs least; the note has the wall clock's.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import common

TRAJECTORIES = 30
LONGEST = 4096  # tokens
ROUNDS = 3
SIZE = {
    "hidden_size": 384,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": LONGEST,
}


def checkpoint(folder: Path) -> Path:
    """A two-class token classifier of the Qwen2 family, and a tokenizer trained on the very texts."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForTokenClassification

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=8000, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator((line.decode() for line in common.lines(150)), trainer)
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|end|>", pad_token="<|end|>").save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=words.get_vocab_size(), num_labels=2, **SIZE)
    Qwen2ForTokenClassification(config).save_pretrained(folder)
    return folder


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Processor and wall seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def bare(scorer: Any, batches: list[Any]) -> None:
    import torch

    with torch.inference_mode():
        for batch in batches:
            scorer.trunk.model(input_ids=batch, use_cache=False).last_hidden_state[0, 0, 0].item()


def tensors(scorer: Any, records: list[Any]) -> list[Any]:
    """The sequences that are not too long, each a batch of its own: no padding is counted against the limit."""
    import torch

    from models_service.scorers.rendering import texts

    found = [scorer.family.render(text).ids for record in records for text in texts(record)]
    return [torch.tensor([ids], device=scorer.trunk.device) for ids in found if len(ids) <= scorer.max_tokens]


def main() -> None:
    common.django_up()
    import torch
    from django.conf import settings

    from annotations import jobs
    from annotations.models import Run, Score
    from annotations.services import scores
    from models_service import scorers

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        settings.SCORERS["prm"] = {
            "title": "Bench",
            "class": "models_service.scorers.engine.Engine",
            "options": {"model": str(checkpoint(Path(folder))), "family": "trl"},
        }
        made = common.project("scoring", TRAJECTORIES)
        scorer: Any = scorers.load("prm")
        tasks = made.trajectories.values_list("task", flat=True).distinct()
        batches = tensors(scorer, [one.record for one in scores.rollouts(made, tasks)])
        bare(scorer, batches[:2])
        ours: list[tuple[float, float]] = []
        limit: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            run = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "prm"})
            ours.append(timed(lambda run=run: jobs.run_here(run)))
            assert run.state == Run.State.DONE, run.error
            limit.append(timed(lambda: bare(scorer, batches)))
    tokens, steps = sum(batch.shape[1] for batch in batches), Score.objects.filter(run=run).count()
    (processor, wall), (bare_processor, bare_wall) = (
        tuple(map(min, zip(*times, strict=True))) for times in (ours, limit)
    )
    row = common.share_of(
        "scoring run",
        TRAJECTORIES,
        processor,
        bare_processor,
        "bare forward of the same tokens, processor time",
        0.9,
        note=f"{tokens:,} tokens, {steps} steps; by the wall clock {bare_wall / wall:.2f}",
    )
    parameters = sum(one.numel() for one in scorer.trunk.model.parameters())
    common.write(
        "scoring", [row], device=str(scorer.trunk.device), parameters=parameters, refused=TRAJECTORIES - len(batches)
    )


if __name__ == "__main__":
    main()
