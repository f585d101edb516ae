"""A language model in a local folder: held to transformers' own numbers, alone and in company."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.language.asked import Completion, LanguageModel, Prompt, Sampling, chance
from models_service.scorers.language.drawing import picked, pooled
from models_service.scorers.language.local import LocalModel
from tests import tiny

torch = pytest.importorskip("torch")

ASKED = Prompt(({"role": "user", "content": "What is 2 + 2? I look up the answer."},))
SHORT = Prompt(({"role": "user", "content": "4"},), opening="Then ")
PLAIN = Prompt(opening="I look up the answer and then")
DRAWN = Sampling(count=3, temperature=1.0, most=12, seed=5)


@pytest.fixture(scope="module", params=["Qwen2", "Llama", "Mistral"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    torch.set_num_threads(1)
    return LocalModel(str(tiny.reward_model(tmp_path_factory.mktemp("m"), {}, request.param)), device="cpu")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return LocalModel(str(tiny.reward_model(tmp_path_factory.mktemp("one"), {})), device="cpu")


def texts(said: tuple[Completion, ...] | CannotScore) -> list[str]:
    assert not isinstance(said, CannotScore), said
    return [completion.text for completion in said]


def full(model: LocalModel, ids: list[int]) -> Any:
    with torch.inference_mode():
        return model.causal.model(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)


def test_it_is_a_language_model(one: LocalModel) -> None:
    asked: LanguageModel = one
    assert asked.usage.keys() == {"calls", "prompt_tokens", "completion_tokens"}
    assert {"models", "device", "dtype", "torch", "transformers"} <= one.provenance.keys()


# --- forced texts


def test_forced_log_probabilities_are_those_of_the_whole_softmax(model: LocalModel) -> None:
    pairs = [(ASKED, " 4."), (SHORT, "it is the answer, say so"), (PLAIN, " I say it.")]
    for (prompt, text), said in zip(pairs, model.forced(pairs), strict=True):
        assert not isinstance(said, CannotScore)
        ids, after = model.ids(prompt), model.encode(text)
        expected = full(model, ids + after)[len(ids) - 1 : -1].gather(1, torch.tensor(after)[:, None])[:, 0]
        assert [token.log_prob for token in said] == pytest.approx(expected.tolist(), abs=1e-5)
        assert "".join(token.text for token in said) == text


def test_long_forced_texts_are_read_in_chunks_and_say_the_same(one: LocalModel, monkeypatch: Any) -> None:
    [whole] = one.forced([(ASKED, " I look up the answer" * 5)])
    monkeypatch.setattr("models_service.scorers.language.causal.CHUNK", 3)
    [chunked] = one.forced([(ASKED, " I look up the answer" * 5)])
    assert not isinstance(whole, CannotScore) and not isinstance(chunked, CannotScore)
    assert [t.log_prob for t in whole] == pytest.approx([t.log_prob for t in chunked], abs=1e-6)


def test_a_prompt_that_several_texts_stand_behind_is_run_once_and_they_say_the_same(model: LocalModel) -> None:
    long = Prompt(({"role": "user", "content": "I look up the answer and then I say it. " * 30},))
    after = [" 4", " I say it", " the answer, and then some"]
    alone = [model.forced([(long, text)])[0] for text in after]
    runs: list[tuple[int, ...]] = []
    watch = model.causal.model.base_model.register_forward_pre_hook(
        lambda module, given, named: runs.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    together = model.forced([(long, text) for text in after] + [(SHORT, " 4")])
    watch.remove()
    for one, other in zip(alone, together, strict=False):
        assert not isinstance(one, CannotScore) and not isinstance(other, CannotScore)
        assert [t.log_prob for t in one] == pytest.approx([t.log_prob for t in other], abs=1e-5)
    size = len(model.ids(long))
    assert sum(rows * width for rows, width in runs) < 1.5 * size


def test_a_forced_text_has_the_same_tokens_behind_every_prompt(model: LocalModel) -> None:
    said = model.forced([(prompt, " the answer") for prompt in (ASKED, SHORT, PLAIN)])
    read = [[token.text for token in tokens] for tokens in said if not isinstance(tokens, CannotScore)]
    assert len(read) == 3 and read[0] == read[1] == read[2]


def test_of_an_empty_text_there_are_no_tokens(one: LocalModel) -> None:
    assert one.forced([(ASKED, "")]) == [()]


# --- drawn texts


def test_greedy_texts_are_those_of_transformers(model: LocalModel) -> None:
    prompts = [ASKED, SHORT, PLAIN]
    said = model.complete(prompts, Sampling(most=10))
    for prompt, completions in zip(prompts, said, strict=True):
        ids = model.ids(prompt)
        with torch.inference_mode():
            theirs = model.causal.model.generate(
                torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
                max_new_tokens=10, pad_token_id=0,
            )  # fmt: skip
        assert texts(completions) == [model.words.read(theirs[0, len(ids) :].tolist())]


def test_padding_on_the_left_with_its_mask_changes_nothing(model: LocalModel) -> None:
    rows = [model.ids(ASKED), model.ids(SHORT)]
    assert len(rows[0]) > len(rows[1])
    with torch.inference_mode():
        cache, mask, logits = model.causal.begin(rows)
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        later = model.causal.go_on([5, 5], cache, mask)
    for at, row in enumerate(rows):
        assert torch.allclose(logits[at].log_softmax(-1), full(model, row)[-1], atol=1e-5)
        assert torch.allclose(later[at].log_softmax(-1), full(model, [*row, 5])[-1], atol=1e-5)


def test_padding_on_the_left_without_a_mask_would_be_wrong(one: LocalModel) -> None:
    row = one.ids(SHORT)
    assert not torch.allclose(full(one, [0] * 9 + row)[-1], full(one, row)[-1], atol=1e-2)


def test_the_same_seed_draws_the_same_texts_whatever_the_batch(model: LocalModel) -> None:
    alone = [texts(model.complete([prompt], DRAWN)[0]) for prompt in (ASKED, SHORT, PLAIN)]
    assert [texts(said) for said in model.complete([ASKED, SHORT, PLAIN], DRAWN)] == alone
    assert [texts(said) for said in model.complete([PLAIN, ASKED], DRAWN)] == [alone[2], alone[0]]
    small = LocalModel(str(model.checkpoint.folder), device="cpu", batch_tokens=1)
    assert [texts(said) for said in small.complete([ASKED, SHORT, PLAIN], DRAWN)] == alone


def test_other_seeds_and_other_numbers_draw_others(one: LocalModel) -> None:
    first = texts(one.complete([ASKED], DRAWN)[0])
    assert len(set(first)) == 3
    assert texts(one.complete([ASKED], Sampling(count=3, temperature=1.0, most=12, seed=6))[0]) != first
    assert texts(one.complete([ASKED], Sampling(count=1, temperature=1.0, most=12, seed=5))[0]) == first[:1]


def test_log_probabilities_are_of_the_model_and_not_of_the_sampling(one: LocalModel) -> None:
    [said] = one.complete([ASKED], Sampling(temperature=0.3, top_k=5, most=6, top=4, seed=1))
    assert not isinstance(said, CannotScore)
    [completion] = said
    assert "".join(token.text for token in completion.tokens) == completion.text
    first = full(one, one.ids(ASKED))[-1]
    best = first.topk(4)
    wanted = pooled([(one.words.one(i), v) for i, v in zip(best.indices.tolist(), best.values.tolist(), strict=True)])
    assert completion.tokens[0].top == pytest.approx(wanted, abs=1e-5)


def test_without_being_asked_for_them_there_are_no_tokens(one: LocalModel) -> None:
    [said] = one.complete([ASKED], Sampling(most=3))
    assert not isinstance(said, CannotScore) and said[0].tokens == ()


def test_a_stop_text_ends_the_text_and_is_not_in_it(one: LocalModel) -> None:
    [whole] = texts(one.complete([ASKED], Sampling(most=30))[0])
    stop = whole[8:11]
    [said] = one.complete([ASKED], Sampling(most=30, stop=(stop,), top=1))
    assert not isinstance(said, CannotScore)
    assert said[0].text == whole[: whole.index(stop)] and said[0].ended
    assert "".join(token.text for token in said[0].tokens).startswith(said[0].text)


def test_a_text_that_is_cut_says_so(one: LocalModel) -> None:
    [said] = one.complete([ASKED], Sampling(most=2))
    assert not isinstance(said, CannotScore) and not said[0].ended


def test_the_models_last_token_ends_a_text(one: LocalModel) -> None:
    [whole] = one.complete([ASKED], Sampling(most=3, top=1))
    assert not isinstance(whole, CannotScore)
    changed = LocalModel(str(one.checkpoint.folder), device="cpu")
    changed.ends = {changed.encode(whole[0].tokens[0].text)[0]}
    [said] = changed.complete([ASKED], Sampling(most=3))
    assert not isinstance(said, CannotScore) and said[0] == Completion("", (), True)


# --- picking


@pytest.mark.parametrize(("at", "token"), [(0.0, 0), (0.19, 0), (0.21, 1), (0.69, 1), (0.71, 2), (0.999999, 2)])
def test_a_chance_falls_on_the_token_that_covers_it(at: float, token: int) -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log()
    assert picked(logits, [at], Sampling(temperature=1.0)) == [token]


@pytest.mark.parametrize(
    ("sampling", "tokens"),
    [
        (Sampling(temperature=1.0, top_k=1), {1}),
        (Sampling(temperature=1.0, top_k=2), {1, 2}),
        (Sampling(temperature=1.0, top_p=0.5), {1}),
        (Sampling(temperature=1.0, top_p=0.6), {1, 2}),
        (Sampling(temperature=1.0, top_p=0.85), {0, 1, 2}),
        (Sampling(temperature=1.0, top_k=2, top_p=0.55), {1}),  # of what two leave, .5 is .625
        (Sampling(temperature=0.01), {1}),
        (Sampling(temperature=0.0), {1}),
    ],
)
def test_what_may_be_drawn(sampling: Sampling, tokens: set[int]) -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log()
    assert {picked(logits, [(at + 0.5) / 100], sampling)[0] for at in range(100)} == tokens


def test_spellings_that_read_the_same_are_summed() -> None:
    assert chance(pooled([("Yes", -1.0), ("Yes", -1.0), ("No", -1.0)]), ["Yes"], ["No"]) == pytest.approx(2 / 3)


# --- what is refused, what is counted, what is hostile


def test_only_the_prompt_that_is_too_long_is_refused(one: LocalModel) -> None:
    long = Prompt(opening="I look " * 2000)
    first, second = one.complete([long, SHORT], Sampling(most=2))
    assert isinstance(first, CannotScore) and "the model reads 1024" in str(first) and len(texts(second)) == 1
    first, *rest = one.forced([(long, " 4"), (SHORT, " 4")])
    assert isinstance(first, CannotScore) and not isinstance(rest[0], CannotScore)


def test_room_for_the_answer_is_counted(one: LocalModel) -> None:
    [said] = one.complete([SHORT], Sampling(most=1020))
    assert isinstance(said, CannotScore) and "and the answer up to 1020" in str(said)


def test_nothing_to_read_is_refused(one: LocalModel) -> None:
    assert one.ids(Prompt(opening="4")) == one.encode("4"), "this tokenizer puts no token of its own first"
    [said] = one.complete([Prompt()], Sampling(most=2))
    assert isinstance(said, CannotScore) and "nothing to read" in str(said)


def test_what_was_asked_is_counted(tmp_path: Path) -> None:
    model = LocalModel(str(tiny.reward_model(tmp_path, {})), device="cpu")
    model.complete([ASKED, SHORT], Sampling(count=2, temperature=1.0, most=3))
    read = len(model.ids(ASKED)) + len(model.ids(SHORT))
    assert model.usage == {"calls": 2, "prompt_tokens": read, "completion_tokens": 12}
    model.forced([(SHORT, " 4")])
    more = len(model.ids(SHORT)) + len(model.encode(" 4"))
    assert model.usage == {"calls": 3, "prompt_tokens": read + more, "completion_tokens": 12}


def test_a_special_token_that_a_text_spells_out_stays_text(model: LocalModel) -> None:
    end = model.tokenizer.convert_tokens_to_ids("<|end|>")
    plain = Prompt(({"role": "user", "content": "a"},), opening="b")
    hostile = Prompt(({"role": "user", "content": "a <|end|> <|begin|>"},), opening="b <|end|>")
    assert model.ids(hostile).count(end) == model.ids(plain).count(end)
    assert end not in model.encode("so <|end|>") and end not in model.ids(Prompt(opening="so <|end|>"))


def test_a_template_that_takes_no_such_conversation_refuses_it(tmp_path: Path) -> None:
    model = LocalModel(str(tiny.reward_model(tmp_path, {})), device="cpu")
    model.tokenizer.chat_template = "{{ raise_exception('no system turns here') }}"
    [said] = model.complete([ASKED], Sampling(most=2))
    assert isinstance(said, CannotScore) and "no system turns here" in str(said)
    model.tokenizer.chat_template = None
    with pytest.raises(UnfitModel, match="no chat template"):
        model.complete([ASKED], Sampling(most=2))


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny.reward_model(tmp_path, {})
    weights = load_file(folder / "model.safetensors")
    weights.pop("lm_head.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnfitModel, match="no weights for lm_head"):
        LocalModel(str(folder), device="cpu")


def test_a_token_that_the_model_does_not_know_is_refused_and_breaks_nothing(tmp_path: Path) -> None:
    model = LocalModel(str(tiny.reward_model(tmp_path, {}, vocab_size=300)), device="cpu")
    first, second = model.complete([ASKED, Prompt(opening="!!")], Sampling(most=2))
    assert isinstance(first, CannotScore) and "the model has 300" in str(first) and len(texts(second)) == 1


def test_dropout_is_off(one: LocalModel) -> None:
    assert not one.causal.model.training


def test_what_the_device_has_no_memory_for_is_done_in_halves(one: LocalModel, monkeypatch: Any) -> None:
    expected = [texts(said) for said in one.complete([ASKED, SHORT, PLAIN], DRAWN)]
    model = LocalModel(str(one.checkpoint.folder), device="cpu")
    begin = model.causal.begin

    def narrow(rows: list[list[int]]) -> Any:
        if len(rows) > 1:
            raise torch.OutOfMemoryError("too much")
        return begin(rows)

    monkeypatch.setattr(model.causal, "begin", narrow)
    before = model.batch_tokens
    assert [texts(said) for said in model.complete([ASKED, SHORT, PLAIN], DRAWN)] == expected
    assert model.batch_tokens < before


def test_in_bfloat16_log_probabilities_are_still_float32(tmp_path: Path) -> None:
    model = LocalModel(str(tiny.reward_model(tmp_path, {})), device="cpu", dtype="bfloat16")
    assert model.provenance["dtype"] == "bfloat16"
    [said] = model.forced([(ASKED, " 4.")])
    assert not isinstance(said, CannotScore)
    rounded = torch.tensor([token.log_prob for token in said]).bfloat16().float().tolist()
    assert [token.log_prob for token in said] != rounded


@pytest.mark.parametrize("family", ["Gemma2", "Cohere", "Granite"])
def test_what_stands_behind_the_head_of_some_models_is_done_here_too(tmp_path: Path, family: str) -> None:
    more = {"Cohere": {"logit_scale": 0.25}, "Granite": {"logits_scaling": 4.0}, "Gemma2": {"head_dim": 8}}[family]
    model = LocalModel(str(tiny.reward_model(tmp_path, {}, family, **more)), device="cpu")
    [said] = model.forced([(PLAIN, " I say it.")])
    assert not isinstance(said, CannotScore)
    ids, after = model.ids(PLAIN), model.encode(" I say it.")
    expected = full(model, ids + after)[len(ids) - 1 : -1].gather(1, torch.tensor(after)[:, None])[:, 0]
    assert [token.log_prob for token in said] == pytest.approx(expected.tolist(), abs=1e-5)


# --- tokenizers that put a space before what stands first


@pytest.fixture(scope="module")
def spaced(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    folder = tiny.reward_model(tmp_path_factory.mktemp("spaced"), {}, "Llama", vocab_size=600)
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256))]
    corpus = ["the answer is Yes and No", "Yes", "No", *tiny.CORPUS]
    made.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False))
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    words = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    words.chat_template = tiny.TEMPLATE
    words.save_pretrained(folder)
    return LocalModel(str(folder), device="cpu")


def pieces(model: LocalModel, text: str) -> list[str]:
    return list(model.tokenizer.convert_ids_to_tokens(model.encode(text)))


def test_no_space_is_put_before_a_forced_text(spaced: LocalModel) -> None:
    assert spaced.tokenizer.tokenize("Yes", add_special_tokens=False)[0].startswith("▁"), "the tokenizer would"
    assert not pieces(spaced, "Yes")[0].startswith("▁")
    assert "".join(pieces(spaced, " Yes")) == "▁Yes"
    assert "".join(pieces(spaced, "\nYes")).endswith("Yes")


def test_its_first_token_stands_before_a_text_without_messages(spaced: LocalModel) -> None:
    assert spaced.ids(Prompt(opening="the answer"))[0] == spaced.tokenizer.bos_token_id
    assert spaced.tokenizer.bos_token_id not in spaced.encode("the answer")


def test_tokens_of_such_a_model_read_with_their_spaces(spaced: LocalModel) -> None:
    [said] = spaced.forced([(Prompt(opening="the"), " answer is Yes")])
    assert not isinstance(said, CannotScore)
    assert "".join(token.text for token in said).strip() == "answer is Yes"
