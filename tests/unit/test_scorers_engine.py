"""The engine, through the real loading path: a tiny token classifier, saved and read as a real one is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, checked
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.engine import Engine
from models_service.scorers.measures import auroc
from models_service.scorers.rendering import texts
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
def scorer(folder: Path) -> Engine:
    return Engine(str(folder), "trl", device="cpu")


def record(*messages: str, name: str = "t") -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=message) for number, message in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord(name), (StepRecord("user", 0, message="Say it."), *steps), external_id=name)


RECORDS = [record("I look.", "Then I say it."), record("One.", "Two, and longer.\n\nThree <extra_0>", "4"), record("x")]


def whole(folder: Path) -> Any:
    """The model as transformers has it, head and all."""
    from transformers import AutoModelForTokenClassification

    return AutoModelForTokenClassification.from_pretrained(folder).eval()


def rendered(engine: Engine, one: TrajectoryRecord) -> Any:
    return engine.family.render(next(texts(one)))


@pytest.mark.parametrize(("family", "bos"), [("Qwen2", None), ("Llama", "<|begin|>")])
def test_scores_are_those_of_the_whole_model_at_the_marks(tmp_path: Path, family: str, bos: str | None) -> None:
    folder = tiny.classifier(tmp_path, family, bos=bos)
    engine, model = Engine(str(folder), "trl", device="cpu"), whole(folder)
    for one, said in zip(RECORDS, engine.score(RECORDS), strict=True):
        found = rendered(engine, one)
        assert (found.ids[0] == engine.family.tokenizer.bos_token_id) == (bos is not None)
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([found.ids])).logits[0].float()
        expected = logits[found.marks].softmax(-1)[:, 1].tolist()
        assert [step.value for step in said] == pytest.approx(expected, abs=1e-5)
        checked(one, said)


def test_batching_changes_no_score(scorer: Engine) -> None:
    together = scorer.score(RECORDS)
    apart = [scorer.score([one])[0] for one in RECORDS]
    for one, other in zip(together, apart, strict=True):
        assert [step.value for step in one] == pytest.approx([step.value for step in other], abs=1e-5)


def test_a_step_is_judged_by_what_came_before_it_alone(scorer: Engine) -> None:
    short, long = scorer.score([record("I look."), record("I look.", "Then I say it.")])
    assert short[0].value == pytest.approx(long[0].value, abs=1e-5)


def test_a_marker_token_in_the_text_stays_text(folder: Path) -> None:
    marked = Engine(str(folder), "trl", separator="<extra_0>", device="cpu")
    found = rendered(marked, record("Well <extra_0> done <|end|>", "So."))
    assert found.ids.count(marked.family.separator[0]) == 2
    assert marked.family.tokenizer.eos_token_id not in found.ids


def test_the_model_does_not_drop_out(scorer: Engine) -> None:
    assert scorer.score(RECORDS) == scorer.score(RECORDS)


def test_a_step_that_is_too_long_by_itself_is_refused_and_the_others_are_scored(folder: Path) -> None:
    small = Engine(str(folder), "trl", max_tokens=40, device="cpu")
    short, long = small.score([record("Short."), record("Long. " * 60)])
    assert isinstance(long, CannotScore) and "step 1 alone takes" in str(long) and "the model reads 40" in str(long)
    assert len(short) == 1


def test_a_long_trajectory_is_read_in_windows_and_says_so(folder: Path) -> None:
    small = Engine(str(folder), "trl", max_tokens=120, device="cpu")
    one = record(*(f"Step {number}, and some words with it." for number in range(12)))
    [said] = small.score([one])
    assert [step.index for step in checked(one, said)] == list(range(1, 13))
    assert all("read in a window" in step.detail["flags"] for step in said)
    for step in said:
        first, last = step.detail["window"]
        assert first <= step.index <= last


def test_rollouts_of_a_task_share_the_pass_over_what_they_begin_with(folder: Path) -> None:
    task = "The same long question for all of them. " * 8
    turns = [StepRecord("user", 0, message=task)]
    rollouts = [
        TrajectoryRecord(TaskRecord("t"), (*turns, StepRecord("agent", 1, message=text), StepRecord("agent", 2, "So.")))
        for text in ("One.", "Two, which is longer.", "Three")
    ]
    sharing, apart = (Engine(str(folder), "trl", device="cpu", share=share) for share in (True, False))
    shared, passes = [], sharing.trunk._after
    sharing.trunk._after = lambda beginning, rows: shared.append(len(beginning)) or passes(beginning, rows)  # type: ignore[method-assign]
    values = [[step.value for step in said] for said in sharing.score(rollouts)]
    assert shared and shared[0] > 64
    for mine, other in zip(values, apart.score(rollouts), strict=True):
        assert mine == pytest.approx([step.value for step in other], abs=1e-5)


def test_a_tree_is_read_way_by_way_and_each_step_judged_once(scorer: Engine) -> None:
    steps = (
        StepRecord("user", 0, message="Say it."),
        StepRecord("agent", 1, message="Root."),
        StepRecord("agent", 2, message="Left.", parent=1),
        StepRecord("agent", 3, message="Right.", parent=1),
        StepRecord("agent", 4, message="Right and on.", parent=3),
    )
    tree = TrajectoryRecord(TaskRecord("t"), steps)
    [said] = scorer.score([tree])
    assert [step.index for step in checked(tree, said)] == [1, 2, 3, 4]
    [way] = scorer.score([record("Root.", "Right.", "Right and on.")])
    assert [said[place].value for place in (0, 2, 3)] == pytest.approx([step.value for step in way], abs=1e-5)


def test_what_is_longer_than_the_model_was_trained_on_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(str(folder), "trl", device="cpu")
    monkeypatch.setattr(type(engine.family), "trained", 20)
    short, long = engine.score([record("a"), record("Long. " * 20)])
    assert short[0].detail["flags"] == []
    assert long[0].detail["flags"] == ["longer than what the model was trained on"]


def test_the_longest_it_takes_is_what_the_model_was_made_for(scorer: Engine) -> None:
    assert scorer.max_tokens == 512


def test_out_of_memory_halves_the_batches_and_then_gives_up_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's refusal is played here; all else is real."""
    tight = Engine(str(folder), "trl", batch_tokens=2048, device="cpu")
    read, most = tight.trunk.read, 60

    def in_little_memory(rows, *others):
        if sum(map(len, rows)) > most:
            raise torch.OutOfMemoryError("no memory")
        return read(rows, *others)

    monkeypatch.setattr(tight.trunk, "read", in_little_memory)
    records = [*RECORDS, record("Long. " * 40)]
    *rest, long = tight.score(records)
    assert isinstance(long, CannotScore) and "out of memory" in str(long)
    assert [len(said) for said in rest] == [2, 3, 1]
    assert tight.runner.batch_tokens < 2048
    again = Engine(str(folder), "trl", batch_tokens=2048, device="cpu")
    assert again.runner.batch_tokens == tight.runner.batch_tokens  # remembered for this model on this device
    monkeypatch.setattr("models_service.scorers.running._remembered", {})


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(UnfitModel, match="no folder /nowhere"):
        Engine("/nowhere", "trl")


def test_a_model_of_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitModel, match="3 classes"):
        Engine(str(tiny.classifier(tmp_path, labels=3)), "trl")


def test_a_model_without_the_head_is_refused_not_made_up(tmp_path: Path) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    words = tiny.tokenizer()
    config = Qwen2Config(vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    Qwen2ForCausalLM(config).save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    with pytest.raises(UnfitModel, match="no weights for score"):
        Engine(str(tmp_path), "trl")


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    tiny.classifier(tmp_path)
    state = {"score.weight": torch.zeros(2, 32)}
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(UnfitModel, match="pickled ones"):
        Engine(str(tmp_path), "trl")


def test_its_numbers_are_probabilities_only_where_it_is_said_to_be_calibrated(folder: Path) -> None:
    [raw] = Engine(str(folder), "trl", device="cpu").score([record("a")])
    [sure] = Engine(str(folder), "trl", device="cpu", calibrated=True).score([record("a")])
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
    scorer = Engine(str(tiny.classifier(tmp_path, classifier_dropout=0.0)), "trl", device="cpu")
    found = [rendered(scorer, one) for one, _ in made]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(one.ids) for one in found], batch_first=True)
    marks = torch.tensor([one.marks[0] for one in found])
    truth = np.array([right for _, right in made])
    model = whole(tmp_path)
    train(model, ids, marks, torch.tensor(truth.astype(int)))
    model.save_pretrained(tmp_path)

    said = Engine(str(tmp_path), "trl", device="cpu").score([one for one, _ in made])
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


def test_options_that_a_family_does_not_have_are_named(folder: Path) -> None:
    with pytest.raises(UnfitModel, match="options of trl: .*seperator"):
        Engine(str(folder), "trl", seperator="x")


def test_a_family_is_never_guessed(folder: Path) -> None:
    with pytest.raises(UnfitModel, match="family: found 'auto'; accepted are .*trl"):
        Engine(str(folder), "auto")


def test_where_the_scores_come_from_is_told_and_changes_with_the_weights(tmp_path: Path) -> None:
    folder = tiny.classifier(tmp_path)
    before = Engine(str(folder), "trl", device="cpu").provenance
    assert before == Engine(str(folder), "trl", device="cpu").provenance
    model = whole(folder)
    with torch.no_grad():
        model.score.weight += 1
    model.save_pretrained(folder)
    after = Engine(str(folder), "trl", device="cpu").provenance
    assert before["models"][0]["sha256"] != after["models"][0]["sha256"]
    assert {"family", "rendering", "max_tokens", "device", "dtype", "torch", "transformers"} <= before.keys()
