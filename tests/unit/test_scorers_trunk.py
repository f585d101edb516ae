"""The trunk: every quick way of running sequences gives the states of the slow one, on models that allow it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.trunk import Trunk
from tests import tiny

torch = pytest.importorskip("torch")
ROWS = [[5, 6, 7, 8, 9, 10, 11, 12], [5, 6, 7, 8, 20], [5, 6, 7, 8, 30, 31]]


@pytest.fixture(scope="module", params=["Qwen2", "Llama", "Mistral"])
def trunk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trunk:
    folder = tiny.classifier(tmp_path_factory.mktemp("trunk"), request.param)
    return Trunk(Checkpoint(str(folder)), device="cpu")


@torch.inference_mode()
def alone(trunk: Trunk) -> list[Any]:
    return [trunk.model(input_ids=torch.tensor([row]), use_cache=False).last_hidden_state[0] for row in ROWS]


def alike(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_padding_on_the_right_changes_no_state(trunk: Trunk) -> None:
    assert trunk.causal
    alike(trunk.read(ROWS), alone(trunk))


@torch.inference_mode()
def test_a_beginning_run_once_serves_all(trunk: Trunk) -> None:
    alike(trunk.read(ROWS, shared=4), [one[4:] for one in alone(trunk)])


@torch.inference_mode()
def test_sequences_laid_end_to_end_do_not_see_each_other(trunk: Trunk) -> None:
    assert trunk.packs
    alike(trunk.read(ROWS, packed=True), alone(trunk))


@torch.inference_mode()
def test_packing_with_a_cache_would_be_wrong_and_the_guard_sees_it(trunk: Trunk) -> None:
    run = trunk._run
    trunk._run = lambda ids, **more: trunk.model(input_ids=ids, use_cache=True, **more).last_hidden_state  # type: ignore[method-assign]
    try:
        assert not trunk._keeps_apart()
    finally:
        trunk._run = run  # type: ignore[method-assign]


def test_a_model_that_looks_ahead_is_found_out_and_masked(tmp_path: Path) -> None:
    import transformers

    words = tiny.tokenizer()
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    torch.manual_seed(0)
    transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **sizes)).save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    ahead = Trunk(Checkpoint(str(tmp_path)), device="cpu")
    assert not ahead.causal and not ahead.packs
    with torch.inference_mode():
        alike(ahead.read(ROWS), alone(ahead))


def test_dtypes_are_named(tmp_path: Path) -> None:
    checkpoint = Checkpoint(str(tiny.classifier(tmp_path)))
    assert Trunk(checkpoint, "cpu", "bfloat16").dtype == torch.bfloat16
    assert Trunk(checkpoint, "cpu").dtype == torch.float32
    with pytest.raises(UnfitModel, match="dtype: found 'int4x'"):
        Trunk(checkpoint, "cpu", "int4x")


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    """As Qwen's PRM is shipped: a known trunk, a class of its own beside it, and that class's file."""
    import json

    folder = tiny.classifier(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "architectures": ["Qwen2ForProcessRewardModel"],
        "auto_map": {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    assert Trunk(Checkpoint(str(folder)), device="cpu").causal
    assert not (tmp_path / "ran").exists()
