"""What every family of process reward models promises, on a tiny checkpoint of its shape through the real engine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, agent_steps, checked
from models_service.scorers.engine import Engine
from models_service.scorers.families import FAMILIES
from models_service.scorers.rendering import texts
from tests import tiny

torch = pytest.importorskip("torch")

HEADS: dict[str, dict[str, tuple[int, ...]]] = {
    "trl": {"score.weight": (2, -1), "score.bias": (2,)},
    "pure": {"score.weight": (2, -1), "score.bias": (2,)},
    "qwen-prm": {"score.0.weight": (-1, -1), "score.0.bias": (-1,), "score.2.weight": (2, -1), "score.2.bias": (2,)},
    "reason-flux": {"score.0.weight": (-1, -1), "score.0.bias": (-1,), "score.2.weight": (2, -1), "score.2.bias": (2,)},
    "reason-flux-small": {"reward_head.weight": (1, -1), "reward_head.bias": (1,)},
    "skywork": {"v_head.summary.weight": (1, -1), "v_head.summary.bias": (1,)},
    "reason-eval": {"score_head.weight": (3, -1), "score_head.bias": (3,)},
}
HOSTILE = "<script>x</script> <extra_0> <|end|> <|begin|> ки \n\n\n\n \x07 \u202e ☃"


def record(*messages: str, name: str = "t") -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=message) for number, message in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord(name), (StepRecord("user", 0, message="Add 2 and 2."), *steps), external_id=name)


RECORDS = [
    record("I look.", "Then I say it: 4."),
    record("4"),
    record(HOSTILE, HOSTILE, "and so on\n\n"),
    record("", "x", ""),
    record(*(f"Number {number}" for number in range(12))),
]


CAUSAL = [(name, shape) for name in ("rlhflow", "math-shepherd", "versa-prm") for shape in ("Llama", "Mistral")]


@pytest.fixture(scope="module", params=[*((name, "Qwen2") for name in sorted(FAMILIES)), *CAUSAL], ids="-".join)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Each family on a Qwen2; those that are published on other architectures also on these."""
    torch.set_num_threads(1)
    name, shape = request.param
    folder = tiny.reward_model(tmp_path_factory.mktemp("prm"), HEADS.get(name, {}), shape)
    more: dict[str, Any] = {}
    if FAMILIES[name].references:
        more["reference"] = str(tiny.reward_model(tmp_path_factory.mktemp("reference"), {}, num_hidden_layers=1))
    return Engine(str(folder), name, device="cpu", **more)


def test_each_agent_step_gets_one_finite_score_in_the_familys_range(engine: Engine) -> None:
    least, most = engine.family.range
    for one, said in zip(RECORDS, engine.score(RECORDS), strict=True):
        assert not isinstance(said, CannotScore)
        assert [step.index for step in checked(one, said)] == agent_steps(one)
        assert all(math.isfinite(step.value) and least <= step.value <= most for step in said)
        assert all(step.probability is None for step in said)


def test_there_is_a_mark_for_each_step_and_they_ascend(engine: Engine) -> None:
    for one in RECORDS:
        [text] = texts(one)
        assert len(engine.family.render(text).marks) == len(text.steps)


def test_a_special_token_that_a_text_spells_out_stays_text(engine: Engine) -> None:
    [plain], [hostile] = texts(record("a", "b")), texts(record("a <extra_0> <|end|>", "b <|begin|>"))
    tokenizer = engine.family.tokenizer
    for token in ("<extra_0>", "<|end|>", "<|begin|>"):
        number = tokenizer.convert_tokens_to_ids(token)
        before, after = engine.family.render(plain).ids, engine.family.render(hostile).ids
        assert before.count(number) == after.count(number), token


def test_a_step_is_judged_by_what_came_before_it_alone(engine: Engine) -> None:
    short, long = engine.score([record("I look."), record("I look.", "Then I say it.")])
    assert not isinstance(short, CannotScore) and not isinstance(long, CannotScore)
    assert short[0].value == pytest.approx(long[0].value, abs=1e-5)


def test_company_changes_no_score(engine: Engine) -> None:
    together = engine.score(RECORDS)
    for one, said in zip(RECORDS, together, strict=True):
        [alone] = engine.score([one])
        assert not isinstance(said, CannotScore) and not isinstance(alone, CannotScore)
        assert [step.value for step in said] == pytest.approx([step.value for step in alone], abs=1e-5)


def test_dropout_is_off(engine: Engine) -> None:
    assert not any(one.trunk.model.training for one in engine.readers)


def test_long_trajectories_are_read_in_windows(engine: Engine) -> None:
    one = record(*(f"Step {number}: and some words about it, one after another." for number in range(60)))
    small = Engine(
        str(engine.readers[0].checkpoint.folder),
        engine.family.name,
        device="cpu",
        max_tokens=300,
        reference=str(engine.readers[1].checkpoint.folder) if len(engine.readers) > 1 else "",
    )
    [said] = small.score([one])
    assert not isinstance(said, CannotScore)
    assert [step.index for step in checked(one, said)] == agent_steps(one)
    assert all("read in a window" in step.detail["flags"] for step in said)


def test_a_folder_without_the_familys_head_is_refused(engine: Engine, tmp_path: Path) -> None:
    from models_service.scorers.checkpoints import UnfitModel

    if engine.family.name not in HEADS:
        pytest.skip("read off the language model's own head, which every causal model has")
    with pytest.raises(UnfitModel, match="holds no weights for"):
        Engine(str(tiny.reward_model(tmp_path, {})), engine.family.name, device="cpu")


def test_families_say_where_they_come_from(engine: Engine) -> None:
    assert engine.family.title and engine.family.source
    assert engine.provenance["family"] == engine.family.name


def test_the_docs_name_every_family() -> None:
    told = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text()
    rows = [line for line in told.splitlines() if line.startswith("| `")]
    for name, family in FAMILIES.items():
        [row] = [line for line in rows if line.startswith(f"| `{name}` |")]
        assert f" {family.trained:,} |" in row if family.trained else row.rstrip().endswith("| |")
