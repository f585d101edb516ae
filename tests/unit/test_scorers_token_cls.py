"""Token-classification PRMs, through the real loading path: a tiny model, saved and read as a real one is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, checked
from models_service.scorers.measures import auroc
from models_service.scorers.token_cls import TokenClassScorer, UnfitModel
from tests import tiny

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Models this small are quickest on one thread, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.classifier(tmp_path_factory.mktemp("prm"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> TokenClassScorer:
    return TokenClassScorer(str(folder), device="cpu")


def record(*messages: str, name: str = "t") -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=message) for number, message in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord(name), (StepRecord("user", 0, message="Say it."), *steps), external_id=name)


RECORDS = [record("I look.", "Then I say it."), record("One.", "Two, and longer.\n\nThree <extra_0>", "4"), record("x")]


@pytest.mark.parametrize(("family", "bos"), [("Qwen2", None), ("Llama", "<|begin|>")])
def test_scores_are_those_of_the_whole_model_at_the_marks(tmp_path: Path, family: str, bos: str | None) -> None:
    folder = tiny.classifier(tmp_path, family, bos=bos)
    whole = TokenClassScorer(str(folder), device="cpu")
    for one, said in zip(RECORDS, whole.score(RECORDS), strict=True):
        rendered = whole.render(one)
        assert (rendered.ids[0] == whole.tokenizer.bos_token_id) == (bos is not None)
        with torch.inference_mode():
            logits = whole.model(input_ids=torch.tensor([rendered.ids])).logits[0].float()
        expected = logits[rendered.marks].softmax(-1)[:, 1].tolist()
        assert [step.value for step in said] == pytest.approx(expected, abs=1e-5)
        checked(one, said)


def test_batching_changes_no_score(scorer: TokenClassScorer) -> None:
    together = scorer.score(RECORDS)
    apart = [scorer.score([one])[0] for one in RECORDS]
    for one, other in zip(together, apart, strict=True):
        assert [step.value for step in one] == pytest.approx([step.value for step in other], abs=1e-5)


def test_a_step_is_judged_by_what_came_before_it_alone(scorer: TokenClassScorer) -> None:
    short, long = scorer.score([record("I look."), record("I look.", "Then I say it.")])
    assert short[0].value == pytest.approx(long[0].value, abs=1e-5)


def test_a_marker_token_in_the_text_stays_text(folder: Path) -> None:
    marked = TokenClassScorer(str(folder), separator="<extra_0>", device="cpu")
    rendered = marked.render(record("Well <extra_0> done <|end|>", "So."))
    assert rendered.ids.count(marked.separator[0]) == 2
    assert marked.tokenizer.eos_token_id not in rendered.ids


def test_the_model_does_not_drop_out(scorer: TokenClassScorer) -> None:
    assert scorer.score(RECORDS) == scorer.score(RECORDS)


def test_what_is_too_long_is_refused_and_the_others_are_scored(folder: Path) -> None:
    small = TokenClassScorer(str(folder), max_tokens=40, device="cpu")
    short, long = small.score([record("Short."), record("Long. " * 60)])
    assert isinstance(long, CannotScore) and "the model reads 40" in str(long)
    assert len(short) == 1


def test_the_longest_it_takes_is_what_the_model_was_made_for(scorer: TokenClassScorer) -> None:
    assert scorer.max_tokens == 512


def test_out_of_memory_halves_the_batches_and_then_gives_up_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's refusal is played here; all else is real."""
    tight = TokenClassScorer(str(folder), batch_tokens=2048, device="cpu")
    forward, most = tight._forward, 60

    def in_little_memory(batch):
        if sum(len(one.ids) for one in batch) > most:
            raise torch.OutOfMemoryError("no memory")
        return forward(batch)

    monkeypatch.setattr(tight, "_forward", in_little_memory)
    records = [*RECORDS, record("Long. " * 40)]
    *rest, long = tight.score(records)
    assert isinstance(long, CannotScore) and "out of memory" in str(long)
    assert [len(said) for said in rest] == [2, 3, 1]
    assert tight.batch_tokens < 2048


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(UnfitModel, match="no folder /nowhere"):
        TokenClassScorer("/nowhere")


def test_a_model_of_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitModel, match="3 classes"):
        TokenClassScorer(str(tiny.classifier(tmp_path, labels=3)))


def test_a_model_without_the_head_is_refused_not_made_up(tmp_path: Path) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    words = tiny.tokenizer()
    config = Qwen2Config(vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    Qwen2ForCausalLM(config).save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    with pytest.raises(UnfitModel, match="no weights for score"):
        TokenClassScorer(str(tmp_path))


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    tiny.classifier(tmp_path)
    state = {"score.weight": torch.zeros(2, 32)}
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        TokenClassScorer(str(tmp_path))


def test_its_numbers_are_probabilities_only_where_it_is_said_to_be_calibrated(folder: Path) -> None:
    [raw] = TokenClassScorer(str(folder), device="cpu").score([record("a")])
    [sure] = TokenClassScorer(str(folder), device="cpu", calibrated=True).score([record("a")])
    assert raw[0].probability is None
    assert sure[0].probability == sure[0].value == raw[0].value


def colours_said() -> list[tuple[TrajectoryRecord, bool]]:
    """Steps that say red (right) or another colour (wrong), in several wordings, whatever the task asked."""
    wordings = ["It is {}.", "I say {}", "The answer: {}", "{} it is", "So, {}!", "look = {}"]
    colours = ["red", "green", "blue"]
    made = []
    for asked, said, wording in itertools.product(colours, colours, wordings):
        turns = (StepRecord("user", 0, message=f"Say {asked}"), StepRecord("agent", 1, message=wording.format(said)))
        made.append((TrajectoryRecord(TaskRecord("t"), turns), said == "red"))
    return made


def test_a_trained_one_says_what_it_learnt(tmp_path: Path) -> None:
    """Trained as TRL trains, saved, loaded, and asked about what it learnt. What so small a model makes of sentences it
    has not seen differs from one processor to the next, and says nothing of our code."""
    made = colours_said()
    scorer = TokenClassScorer(str(tiny.classifier(tmp_path, classifier_dropout=0.0)), device="cpu")
    rendered = [scorer.render(one) for one, _ in made]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(one.ids) for one in rendered], batch_first=True)
    marks = torch.tensor([one.marks[0] for one in rendered])
    truth = np.array([right for _, right in made])
    train(scorer.model, ids, marks, torch.tensor(truth.astype(int)))
    scorer.model.save_pretrained(tmp_path)

    said = TokenClassScorer(str(tmp_path), device="cpu").score([one for one, _ in made])
    assert auroc(np.array([step.value for [step] in said]), truth) > 0.99


def train(model: Any, ids: Any, marks: Any, truth: Any, rounds: int = 200) -> None:
    torch.manual_seed(1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(rounds):
        batch = torch.randint(len(ids), (64,))
        logits = model(input_ids=ids[batch]).logits[torch.arange(64), marks[batch]]
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(logits, truth[batch]).backward()
        optimiser.step()
