"""The engine of process reward models against the bare forward, against one forward a step, and against itself.

Random weights in the shapes of real models: their time is that of trained ones. On a GPU the 0.5B and 7B shapes of
Qwen2, else a small one. Needs no database: `python -m bench.engine [shape …]`; `python -m bench engine` keeps its rows.

- bare: the trunk's own forward over the very batches, tokenised and padded beforehand, results thrown away;
- a step a pass: each step's prefix forwarded by itself, in batches of the same size, as PRM code is often written;
- alone: the engine without sharing what rollouts of a task begin with;
- full logits: the language model's head over every position of 32k tokens, of which two rows at the marks are needed.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord

SHAPES: dict[str, dict[str, Any]] = {
    "small": {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 6,
              "num_key_value_heads": 2, "vocab_size": 8192},
    "0.5b": {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
             "num_key_value_heads": 2, "vocab_size": 151936},
    "7b": {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
           "num_key_value_heads": 4, "vocab_size": 152064},
}  # fmt: skip
CONTEXT = 32768
SIBLINGS = 5
STEPS = 8
PEAK = {"H100": 989.4e12, "H200": 989.4e12, "A100": 312e12}  # dense bfloat16 operations a second, by the data sheets
ROUNDS = 3
TASKS = {"small": 2, "0.5b": 128, "7b": 26}


@dataclass
class Measured:
    """One comparison, in seconds or bytes. `aim` is what ours must be, as a ratio to the limit."""

    what: str
    ours: float
    limit: float
    limit_is: str
    aim: float
    note: str
    unit: str = "s"


def words(seed: int, count: int) -> str:
    chance = random.Random(seed)
    syllables = ("ta", "ri", "mon", "sel", "ko", "ver", "lin", "as", "pre", "dul", "en", "tor", "ga", "mi", "pos")
    made = ("".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(count))
    return " ".join(word + ("," if chance.random() < 0.1 else "") for word in made)


def rollouts(tasks: int, prompt: int = 500, observed: int = 150) -> list[TrajectoryRecord]:
    """Five rollouts a task, of about eight steps with a call and what answered it."""
    made = []
    for task in range(tasks):
        asked = StepRecord("user", 0, message=words(task, prompt))
        for rollout in range(SIBLINGS):
            chance = random.Random(task * 100 + rollout)
            steps = [
                _step(chance.random(), number, observed) for number in range(1, chance.randint(5, 2 * STEPS - 5) + 1)
            ]
            made.append(TrajectoryRecord(TaskRecord(f"t{task}"), (asked, *steps), rollout=rollout))
    return made


def _step(seed: float, number: int, observed: int) -> StepRecord:
    key = int(seed * 1e9) + number
    call = {"id": "c", "name": "search", "arguments": json.dumps({"query": words(key, 5)})}
    saw = {"tool_call_id": "c", "content": words(key + 1, observed)}
    return StepRecord("agent", number, message=words(key + 2, 40), tool_calls=(call,), observations=(saw,))


def checkpoint(folder: Path, shape: str, device: str) -> Path:
    """A two-class token classifier of that shape, and a tokenizer that knows such words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForTokenClassification

    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokens.train_from_iterator((words(seed, 200) for seed in range(200)), trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="<|end|>", pad_token="<|end|>").save_pretrained(folder)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if device == "cuda" else torch.float32)
    try:
        with torch.device(device):
            made: Any = Qwen2ForTokenClassification
            sizes = SHAPES[shape] | {"num_labels": 2, "max_position_embeddings": CONTEXT}
            made(Qwen2Config(**sizes)).save_pretrained(folder)
    finally:
        torch.set_default_dtype(before)
    return folder


def quickest(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Seconds of the quickest of some calls, the device's work included."""
    import torch

    def one() -> float:
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - start

    one()
    return min(one() for _ in range(rounds))


def tensors(engine: Any, rows: Sequence[list[int]]) -> list[Any]:
    """The rows in the engine's batches, padded and on the device."""
    from models_service.scorers.batches import batches

    found = batches([len(row) for row in rows], engine.runner.batch_tokens)
    return [engine.trunk._padded([rows[place] for place in batch]) for batch in found]


def bare(engine: Any, prepared: Sequence[Any]) -> None:
    import torch

    with torch.inference_mode():
        for ids in prepared:
            engine.trunk.model(input_ids=ids, use_cache=False)


def rendered(engine: Any, records: Sequence[TrajectoryRecord]) -> list[Any]:
    from models_service.scorers.rendering import texts

    return [engine.family.render(text) for record in records for text in texts(record)]


def run(engine: Any, records: Sequence[TrajectoryRecord]) -> None:
    """As a worker's run goes through its trajectories: some whole tasks at a time."""
    from models_service.scorers.base import scored

    at_once = -(-engine.at_once // SIBLINGS) * SIBLINGS
    for _ in scored(engine, ((at, records[at : at + at_once]) for at in range(0, len(records), at_once))):
        pass


def measure(shape: str, device: str, tasks: int) -> Iterator[Measured]:
    from models_service.scorers.engine import Engine

    home = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=home) as folder:
        made = str(checkpoint(Path(folder), shape, device))
        engine, alone = (Engine(made, "trl", device=device, share=share) for share in (True, False))
        alone.readers[0].trunk = alone.trunk = engine.trunk  # one copy of the weights
        yield from speed(shape, engine, alone, rollouts(tasks))
        if device == "cuda":
            yield memory(shape, engine)


def speed(shape: str, engine: Any, alone: Any, records: list[TrajectoryRecord]) -> Iterator[Measured]:
    found = rendered(engine, records)
    tokens, steps = sum(len(one.ids) for one in found), sum(len(one.marks) for one in found)
    apart, together = alone.score(records), engine.score(records)
    off = max(
        abs(a.value - b.value)
        for one, other in zip(apart, together, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    prepared = tensors(alone, [one.ids for one in found])
    ours, limit = quickest(lambda: run(alone, records)), quickest(lambda: bare(alone, prepared))
    note = f"{tokens / ours:,.0f} tokens/s, bare {tokens / limit:,.0f}; {tokens:,} tokens"
    note += share_of_peak(engine, prepared, limit)
    yield Measured(f"{shape}: engine", ours, limit, "bare forward of the same batches", 0.95, note)

    few, some = records[:SIBLINGS], found[:SIBLINGS]
    prefixes = [one.ids[: mark + 1] for one in some for mark in one.marks]
    naive = [engine.trunk._padded([row]) for row in prefixes]
    mean = len(prefixes) / len(some)
    more = sum(map(len, prefixes)) / sum(len(one.ids) for one in some)
    note = f"{mean:.1f} steps a trajectory, aim 0.8 x that; the prefixes have {more:.1f} x the tokens"
    yield Measured(
        f"{shape}: one pass for all steps",
        quickest(lambda: run(engine, few)),
        quickest(lambda: bare(alone, naive)),
        "a pass a step",
        0.8 * mean,
        note,
    )

    shared = quickest(lambda: run(engine, records))
    note = f"{steps} steps; largest difference of a score {off:.2g}; on {torch_name(engine)}"
    yield Measured(f"{shape}: {SIBLINGS} siblings share", shared, ours, "the engine without sharing", 1.0, note)


def share_of_peak(engine: Any, prepared: Sequence[Any], seconds: float) -> str:
    """What the bare forward makes of the device: 2 operations a weight and token, 4 a layer, hidden unit and pair."""
    peak = next((value for name, value in PEAK.items() if name in engine.device_name), None)
    if peak is None:
        return ""
    config = engine.trunk.model.config
    weights = sum(one.numel() for name, one in engine.trunk.model.named_parameters() if "embed" not in name)
    padded = sum(ids.numel() for ids in prepared)
    pairs = sum(ids.shape[0] * ids.shape[1] ** 2 / 2 for ids in prepared)
    work = 2 * weights * padded + 4 * config.num_hidden_layers * config.hidden_size * pairs
    return f"; the bare forward at {work / seconds / peak:.0%} of the device's peak"


def memory(shape: str, engine: Any) -> Measured:
    """Beyond the weights, at 32k tokens."""
    import torch

    long = TrajectoryRecord(TaskRecord("long"), tuple(_long_steps(engine)))
    ours = peak_bytes(lambda: engine.score([long]))
    width = SHAPES[shape]["vocab_size"]
    head = torch.zeros(
        width, engine.trunk.model.config.hidden_size, dtype=engine.trunk.dtype, device=engine.trunk.device
    )
    ids = torch.ones(1, CONTEXT, dtype=torch.long, device=engine.trunk.device)

    def full() -> None:
        with torch.inference_mode():
            (engine.trunk.model(input_ids=ids, use_cache=False).last_hidden_state @ head.T).float().softmax(-1)

    try:
        limit = peak_bytes(full)
        note = "logits of every position in float32, as PRM code is often written"
    except torch.OutOfMemoryError:
        limit, note = float(CONTEXT * width * 6), "its logits alone; it did not fit"
    return Measured(f"{shape}: memory at 32k tokens", ours, limit, "full logits", 1.0, note, "B")


def _long_steps(engine: Any) -> Iterator[StepRecord]:
    yield StepRecord("user", 0, message="Go.")
    text = words(1, 700)
    count = (CONTEXT - 50) // (len(engine.family.encode([text])[0]) + 2)
    yield from (StepRecord("agent", number, message=text) for number in range(1, count + 1))


def peak_bytes(work: Callable[[], Any]) -> float:
    import torch

    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    return float(torch.cuda.max_memory_allocated() - before)


def torch_name(engine: Any) -> str:
    return f"{engine.device_name}, {str(engine.trunk.dtype).removeprefix('torch.')}"


def everything(shapes: Sequence[str]) -> list[Measured]:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = []
    for shape in shapes or (["0.5b", "7b"] if device == "cuda" else ["small"]):
        for one in measure(shape, device, tasks=TASKS[shape]):
            said = f"ours {one.ours:.4g} {one.unit}, {one.limit_is} {one.limit:.4g}"
            print(f"{one.what}: ratio {one.limit / one.ours:.3g} (aim {one.aim:.3g}) {said}; {one.note}", flush=True)
            found.append(one)
        if device == "cuda":
            torch.cuda.empty_cache()
    return found


def main() -> None:
    from bench import common

    rows = [
        common.share_of(one.what, 0, one.ours, one.limit, one.limit_is, one.aim, unit=one.unit, note=one.note)
        for one in everything([])
    ]
    common.write("engine", rows)


if __name__ == "__main__":
    everything(sys.argv[1:])
