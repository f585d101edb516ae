"""The sentence encoder: the weights it is given and no others, vectors as they should be, hostile texts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models_service.scorers import minilm
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.minilm import Encoder

torch = pytest.importorskip("torch")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "wrote", "emma", "jane", "austen", "in", "a", "book"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights, as the package holds it."""
    from transformers import BertConfig, BertModel, BertTokenizer

    made = tmp_path_factory.mktemp("bert")
    (made / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=40, **sizes)).save_pretrained(made)
    BertTokenizer(str(made / "vocab.txt")).save_pretrained(made)
    return made


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder(folder, digest(folder))


def test_other_weights_are_refused_by_name(folder: Path) -> None:
    with pytest.raises(UnfitModel, match=rf"have the SHA-256 {digest(folder)}; accepted are those of {minilm.SHA256}"):
        Encoder(folder)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UnfitModel, match="not opened"):
        Encoder(tmp_path)


def test_a_vector_is_the_mean_of_its_tokens_at_length_one(encoder: Encoder) -> None:
    ids = encoder.tokenizer(["who wrote emma"], return_tensors="pt")
    with torch.inference_mode():
        mean = encoder.model(**ids).last_hidden_state[0].mean(dim=0).numpy()
    [row] = encoder.rows(["who wrote emma"])
    assert row == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_the_company_of_longer_texts_moves_no_vector(encoder: Encoder) -> None:
    texts = ["emma", "who wrote emma in a book " * 9, "jane austen"]
    together = encoder.rows(texts)
    for place, text in enumerate(texts):
        assert encoder.rows([text])[0] == pytest.approx(together[place], abs=1e-5)


def test_a_text_longer_than_the_model_is_read_to_its_end(encoder: Encoder) -> None:
    long = "emma " * 1000
    assert encoder.rows([long])[0] == pytest.approx(encoder.rows(["emma " * 60])[0], abs=1e-5)


def test_a_text_without_words_is_near_to_nothing(encoder: Encoder) -> None:
    assert not encoder.rows(["", "  \n"]).any()
    assert encoder.rows([]).shape == (0, 32)


def test_special_tokens_in_a_text_are_words_like_others(encoder: Encoder) -> None:
    told = encoder.tokenizer.tokenize
    hostile = "jane [SEP] austen [MASK]"
    assert "[SEP]" in told(hostile)
    spy: list[str] = []
    original = encoder._batch
    encoder._batch = lambda texts: (spy.extend(texts), original(texts))[1]  # type: ignore[method-assign]
    encoder.rows([hostile])
    encoder._batch = original  # type: ignore[method-assign]
    assert "[SEP]" not in told(spy[0]) and "[MASK]" not in told(spy[0])


def test_without_the_package_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package_here")
    minilm.installed.cache_clear()
    assert minilm.installed() is None
    minilm.installed.cache_clear()


def test_the_package_is_found_and_its_code_is_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "an_encoder"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('run')")
    (package / "model").symlink_to(folder)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(minilm, "PACKAGE", "an_encoder")
    minilm.installed.cache_clear()
    with pytest.raises(UnfitModel, match="SHA-256"):
        minilm.installed()
