"""A process reward model small enough for a test: its own tokenizer, random weights, saved as real checkpoints are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

CORPUS = [
    "I look up the answer and then I say it. ",
    '{"name": "search", "arguments": "{}"}',
    "0 1 2 3 4 5 6 7 8 9 + = \n",
]


SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
WORDS = r"\s*[\r\n]+|\s?\w+|\s?[^\s\w]+|\s+"  # a run of line ends with the space before it is one piece, as in Llama 3


def tokenizer(corpus: Iterable[str] = CORPUS, bos: str | None = None) -> Any:
    """Byte-level BPE with the special tokens <|end|> and <extra_0>."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(WORDS), "isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    made.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<extra_0>", *([bos] if bos else [])]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        corpus,
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>", pad_token="<|end|>", bos_token=bos)


def classifier(folder: Path, family: str = "Qwen2", labels: int = 2, bos: str | None = None, **config: Any) -> Path:
    """Save a token classifier of that family with random weights; the folder is what a scorer is given."""
    import torch
    import transformers

    words = tokenizer(bos=bos)
    sizes = SIZES | {
        "vocab_size": len(words),
        "max_position_embeddings": 512,
        "num_labels": labels,
        "classifier_dropout": 0.1,
        "pad_token_id": words.pad_token_id,
    }
    torch.manual_seed(0)
    made = getattr(transformers, f"{family}ForTokenClassification")(
        getattr(transformers, f"{family}Config")(**(sizes | config))
    )
    made.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


TEMPLATE = (
    "{% for turn in messages %}<|begin|>{{ turn.role }}\n{{ turn.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|begin|>assistant\n{% endif %}"
)


def reward_model(folder: Path, heads: dict[str, tuple[int, ...]], family: str = "Qwen2", **config: Any) -> Path:
    """Save a causal language model of that family with more tensors beside its own, as reward models are shipped:
    `heads` are their names and shapes, where -1 stands for the width of the hidden states. The tokenizer knows a chat
    template, the marker <extra_0>, and runs of line ends as tokens of their own."""
    import torch
    import transformers
    from safetensors.torch import load_file, save_file

    words = tokenizer([*CORPUS, "a \n\n\n\nb \n\n\n\n\nc - + -"] * 50, bos="<|begin|>")
    words.chat_template = TEMPLATE
    sizes = SIZES | {"vocab_size": len(words), "max_position_embeddings": 1024, "tie_word_embeddings": False}
    torch.manual_seed(0)
    made = getattr(transformers, f"{family}ForCausalLM")(getattr(transformers, f"{family}Config")(**(sizes | config)))
    made.save_pretrained(folder)
    words.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    weights |= {name: torch.randn([32 if n == -1 else n for n in shape]) for name, shape in heads.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
