"""Families of process reward models: golden ids, heads worked out by hand, and the traps their users report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.engine import Engine
from models_service.scorers.families.implicit import Implicit
from models_service.scorers.families.math_shepherd import MathShepherd
from models_service.scorers.families.pure import PURE
from models_service.scorers.families.qwen_prm import QwenPRM
from models_service.scorers.families.reason_eval import ReasonEval
from models_service.scorers.families.rlhflow import RLHFlow
from models_service.scorers.families.skywork import Skywork
from models_service.scorers.heads import Layers, TokenLogProbs
from models_service.scorers.rendering import Rendered, Text, texts
from tests import tiny
from tests.contract.test_families import HEADS
from tests.unit.test_scorers_rendering import Letters, text

torch = pytest.importorskip("torch")
TWO = Text("2+2?", ("Add.", "It is 4."), (1, 2))


def record(*messages: str) -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=message) for number, message in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord("t"), (StepRecord("user", 0, message="Add 2 and 2."), *steps))


def values(engine: Engine, one: TrajectoryRecord) -> list[float]:
    [said] = engine.score([one])
    assert not isinstance(said, CannotScore)
    return [step.value for step in said]


class Chatting(Letters):
    """Letters with a chat template as short as one can be, and the marker of Qwen's PRM as id 7."""

    added = {"<extra_0>": 7}

    def _ids(self, piece: str) -> list[int]:
        return super()._ids(piece.replace("<extra_0>", "<m>"))

    def apply_chat_template(self, messages: list[dict[str, str]], **options: Any) -> Any:
        assert options["return_dict"] is False, "transformers 5 gives a dict unless told"
        said = "".join(f"[{turn['role'][0]}]{turn['content']}" for turn in messages)
        return self._ids(said + ("[a]" if options["add_generation_prompt"] else ""))


# --- golden ids


def test_qwens_prm_sees_a_system_turn_and_a_marker_after_each_step_also_the_last() -> None:
    found = QwenPRM(Chatting()).render(TWO)
    assert text(found.ids).startswith(
        "[s]Please reason step by step, and put your final answer within \\boxed{}.[u]2+2?[a]"
    )
    assert text(found.ids).endswith("[a]Add.\x07It is 4.\x07")
    assert [found.ids[mark] for mark in found.marks] == [7, 7]


def test_a_marker_in_a_tools_answer_is_no_marker() -> None:
    found = QwenPRM(Chatting()).render(Text("<extra_0>", ("a <extra_0> b",), (1,)))
    assert found.ids.count(7) == len(found.marks) == 1


def test_rlhflow_joins_problem_and_first_step_and_reads_before_each_verdict() -> None:
    found = RLHFlow(Chatting()).render(TWO)
    assert text(found.ids) == "[u]2+2? Add.[a]+[u]It is 4.[a]"
    assert [text(found.ids[: mark + 1])[-3:] for mark in found.marks] == ["[a]", "[a]"]


def test_skywork_reads_line_ends_of_its_own_and_takes_none_for_a_step() -> None:
    found = Skywork(Letters()).render(Text("2+2?", ("Add.\n\n- this", "4"), (1, 2)))
    assert text(found.ids) == "2+2?\nAdd.  - this\n4\n"
    assert [found.ids[mark] for mark in found.marks] == [10, 10]


def test_pure_has_no_first_token_and_an_empty_line_after_each_step() -> None:
    words = Letters()
    words.bos_token_id = 1
    found = PURE(words).render(TWO)
    assert text(found.ids) == "2+2?Add.\n\nIt is 4.\n\n"
    assert found.marks == [len("2+2?Add.\n\n") - 1, len(found.ids) - 1]


def test_reason_eval_reads_the_last_token_of_each_step_with_nothing_between_them() -> None:
    found = ReasonEval(Letters()).render(TWO)
    assert text(found.ids) == "Question:\n2+2?\nAnswer:\nLet's think step by step.\nAdd.It is 4."
    assert [chr(found.ids[mark]) for mark in found.marks] == [".", "."]


@pytest.fixture(scope="module")
def shepherd(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(str(tiny.reward_model(tmp_path_factory.mktemp("shepherd"), {})), "math-shepherd", device="cpu")


def test_math_shepherd_numbers_its_steps_and_marks_their_ends(shepherd: Engine) -> None:
    found = shepherd.family.render(Text("2+2?", ("Add.", "Step 2: it is 4."), (1, 2)))
    told = shepherd.family.tokenizer.decode(found.ids, skip_special_tokens=True)
    assert told == "2+2? Step 1: Add. ки\nStep 2: it is 4. ки"
    assert {found.ids[mark] for mark in found.marks} == {shepherd.family.marker}


def test_the_marker_as_a_word_of_an_answer_is_broken_and_within_a_word_left(shepherd: Engine) -> None:
    found = shepherd.family.render(Text("q", ("она сказала ки и руки",), (1,)))
    told = shepherd.family.tokenizer.decode(found.ids, skip_special_tokens=True)
    assert "сказала к и и руки" in told and len(found.marks) == 1


@pytest.mark.parametrize(("name", "marker"), [("versa-prm", " \n\n\n\n"), ("math-psa", " \n\n\n\n\n")])
def test_line_ends_around_a_step_do_not_change_its_marker(tmp_path: Path, name: str, marker: str) -> None:
    engine = Engine(str(tiny.reward_model(tmp_path, {})), name, device="cpu")
    found = engine.family.render(Text("q", ("one.\n\n", "\n\ntwo: 1\n\n\n\n2"), (1, 2)))
    assert [engine.family.tokenizer.decode([found.ids[mark]]) for mark in found.marks] == [marker, marker]


# --- heads


def hidden(engine: Engine, one: TrajectoryRecord) -> tuple[Any, Rendered]:
    found = engine.family.render(next(texts(one)))
    with torch.inference_mode():
        states = engine.trunk.model(input_ids=torch.tensor([found.ids]), use_cache=False).last_hidden_state[0]
    return states[found.marks].float(), found


@pytest.mark.parametrize("name", ["qwen-prm", "reason-flux", "skywork", "reason-eval", "pure"])
def test_the_head_is_what_the_checkpoint_holds(tmp_path: Path, name: str) -> None:
    engine = Engine(str(tiny.reward_model(tmp_path, HEADS[name])), name, device="cpu")
    one, weights = record("I look.", "It is 4."), Checkpoint(str(tmp_path))
    states, _ = hidden(engine, one)

    def layer(at: str, x: Any) -> Any:
        return x @ weights.tensor(f"{at}.weight").T + weights.tensor(f"{at}.bias")

    expected = {
        "skywork": lambda: layer("v_head.summary", states).sigmoid()[:, 0],
        "reason-eval": lambda: layer("score_head", states).softmax(-1)[:, 1:].sum(-1),
        "pure": lambda: layer("score", states).softmax(-1) @ torch.tensor([-1.0, 1.0]),
    }.get(name, lambda: layer("score.2", layer("score.0", states).relu()).softmax(-1)[:, 1])()
    assert values(engine, one) == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize(("name", "verdicts"), [("rlhflow", ("+", "-")), ("versa-prm", ("+", "-"))])
def test_two_rows_of_the_models_own_head_are_as_good_as_all(
    tmp_path: Path, name: str, verdicts: tuple[str, str]
) -> None:
    from transformers import AutoModelForCausalLM

    engine = Engine(str(tiny.reward_model(tmp_path, {})), name, device="cpu")
    one = record("I look.", "It is 4.")
    found = engine.family.render(next(texts(one)))
    ids = [engine.family.encode([verdict])[0][0] for verdict in verdicts]
    with torch.inference_mode():
        logits = AutoModelForCausalLM.from_pretrained(tmp_path)(input_ids=torch.tensor([found.ids])).logits[0].float()
    assert values(engine, one) == pytest.approx(logits[found.marks][:, ids].softmax(-1)[:, 0].tolist(), abs=1e-5)


def test_rlhflows_two_way_chance_is_not_that_over_the_whole_vocabulary(tmp_path: Path) -> None:
    """Some evaluations take the softmax over all tokens, of which + has little: the authors' own is over the two."""
    from transformers import AutoModelForCausalLM

    engine = Engine(str(tiny.reward_model(tmp_path, {}, "Llama")), "rlhflow", device="cpu")
    one = record("I look.", "It is 4.")
    found = engine.family.render(next(texts(one)))
    with torch.inference_mode():
        logits = AutoModelForCausalLM.from_pretrained(tmp_path)(input_ids=torch.tensor([found.ids])).logits[0].float()
    [plus], [minus] = engine.family.encode(["+", "-"])
    full = logits[found.marks].softmax(-1)
    for said, row in zip(values(engine, one), full, strict=True):
        assert said == pytest.approx(float(row[plus] / (row[plus] + row[minus])), abs=1e-5)
        assert float(row[plus]) < said / 10


@pytest.mark.parametrize("shape", ["Qwen2", "Llama", "Mistral"])
def test_a_batch_is_padded_on_the_right_where_padding_changes_nothing(tmp_path: Path, shape: str) -> None:
    engine = Engine(str(tiny.reward_model(tmp_path, {}, shape)), "rlhflow", device="cpu")
    rows = [[3, 1, 4, 1, 5, 9, 2, 6], [5, 3]]
    assert engine.trunk._padded(rows).tolist() == [rows[0], [*rows[1], 0, 0, 0, 0, 0, 0]]
    with torch.inference_mode():
        [_, padded], [alone] = engine.trunk.read(rows), engine.trunk.read(rows[1:])
        left = engine.trunk.model(input_ids=torch.tensor([[0] * 6 + rows[1]]), use_cache=False).last_hidden_state[0, 6:]
    assert torch.allclose(padded, alone, atol=1e-5)
    assert not torch.allclose(left, alone, atol=1e-2), "on the left, without a mask, it would be wrong"


def test_dropout_of_a_checkpoint_is_off(tmp_path: Path) -> None:
    folder = str(tiny.reward_model(tmp_path, {}, attention_dropout=0.5))
    engine = Engine(folder, "rlhflow", device="cpu")
    assert engine.trunk.model.config.attention_dropout == 0.5 and not engine.trunk.model.training
    one = record("I look.", "It is 4.")
    assert values(engine, one) == values(engine, one)
    engine.trunk.model.train()
    assert values(engine, one) != values(engine, one), "it would matter"


@pytest.mark.parametrize("name", ["rlhflow", "math-shepherd"])
@pytest.mark.parametrize("shape", ["Llama", "Mistral"])
def test_causal_families_read_two_rows_of_the_head_on_the_architectures_they_are_published_on(
    tmp_path: Path, name: str, shape: str
) -> None:
    from transformers import AutoModelForCausalLM

    engine = Engine(str(tiny.reward_model(tmp_path, {}, shape)), name, device="cpu")
    one = record("I look.", "It is 4.")
    found = engine.family.render(next(texts(one)))
    assert isinstance(engine.family, RLHFlow | MathShepherd)
    with torch.inference_mode():
        logits = AutoModelForCausalLM.from_pretrained(tmp_path)(input_ids=torch.tensor([found.ids])).logits[0].float()
    assert values(engine, one) == pytest.approx(
        logits[found.marks][:, engine.family.labels].softmax(-1)[:, 0].tolist(), abs=1e-5
    )


def test_one_pass_judges_as_rlhflows_incremental_evaluation_does(tmp_path: Path) -> None:
    engine = Engine(str(tiny.reward_model(tmp_path, {})), "rlhflow", device="cpu")
    steps = ["I look.", "I add.", "It is 4."]
    whole = values(engine, record(*steps))
    assert whole == pytest.approx([values(engine, record(*steps[: k + 1]))[-1] for k in range(3)], abs=1e-5)


def test_a_saturated_probability_of_nought_is_a_score_and_moves_no_other() -> None:
    head = Layers((torch.tensor([[-200.0], [200.0]]), None))
    states = torch.tensor([[1.0], [-1.0], [1.0]], dtype=torch.bfloat16)
    rows = head([states], [Rendered([1, 2, 3], [0, 1, 2])], 0).tolist()
    assert [said.value for said in QwenPRM(Chatting()).said(rows)] == [1.0, 0.0, 1.0]


def test_logits_over_a_vocabulary_are_not_taken_for_two_classes(tmp_path: Path) -> None:
    with pytest.raises(UnfitModel, match="9 classes; accepted are models of 2"):
        Engine(str(tiny.reward_model(tmp_path, {**HEADS["qwen-prm"], "score.2.weight": (9, -1)})), "qwen-prm")


def test_reason_fluxs_pickled_head_is_refused_with_how_to_convert_it(tmp_path: Path) -> None:
    folder = tiny.reward_model(tmp_path, HEADS["reason-flux"])
    torch.save({"linear.weight": torch.ones(1, 32), "linear.bias": torch.zeros(1)}, folder / "reward_head.pt")
    with pytest.raises(UnfitModel, match="name reason-flux-small"):
        Engine(str(folder), "reason-flux", device="cpu")
    with pytest.raises(UnfitModel, match="pickled and not opened") as refused:
        Engine(str(folder), "reason-flux-small", device="cpu")
    told = str(refused.value).partition("convert it once: ")[2]
    converted = told.replace("'reward_head.", f"'{folder}/reward_head.").replace(
        f"'{folder}/reward_head.' +", "'reward_head.' +"
    )
    import safetensors.torch

    exec(converted, {"torch": torch, "safetensors": safetensors})
    engine = Engine(str(folder), "reason-flux-small", device="cpu")
    one = record("I look.", "It is 4.")
    states, found = hidden(engine, one)
    assert values(engine, one) == pytest.approx(states.sum(-1).sigmoid().tolist(), abs=1e-5)


def test_reason_flux_small_gives_each_step_the_number_of_all_up_to_its_end(tmp_path: Path) -> None:
    engine = Engine(str(tiny.reward_model(tmp_path, HEADS["reason-flux-small"])), "reason-flux-small", device="cpu")
    steps = ["I look.", "I add.", "It is 4."]
    whole = values(engine, record(*steps))
    assert whole == pytest.approx([values(engine, record(*steps[: k + 1]))[-1] for k in range(3)], abs=1e-5)


def test_an_adapter_alone_is_refused(tmp_path: Path) -> None:
    folder = tiny.reward_model(tmp_path, {})
    (folder / "adapter_config.json").write_text(json.dumps({}))
    with pytest.raises(UnfitModel, match="merge it"):
        Engine(str(folder), "math-psa", device="cpu")


# --- log-ratios


def test_a_steps_reward_is_the_log_ratio_of_its_tokens() -> None:
    """Log-probabilities −1, −2 against −1.5, −2.5 with beta 1: 1.0 for the step of both tokens."""
    family = Implicit(Letters(), beta=1.0)
    [one] = family.said([[-3.0]], [[-4.0]])
    assert one.value == 1.0
    rows, others = [[-1.0], [-3.0]], [[-1.5], [-4.0]]
    assert [said.value for said in family.said(rows, others)] == [0.5, 0.5]
    assert [said.value for said in Implicit(Letters(), 1.0, "accumulative").said(rows, others)] == [0.5, 1.0]


def test_log_probabilities_in_chunks_are_those_of_the_whole_softmax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_service.scorers.heads.CHUNK", 3)
    torch.manual_seed(0)
    states, vocabulary = torch.randn(10, 8), torch.randn(20, 8)
    item = Rendered(list(range(10)), [5, 9], start=3)
    found = TokenLogProbs(vocabulary)([states], [item], 0)
    chances = (states @ vocabulary.T).log_softmax(-1)
    each = [float(chances[place - 1, item.ids[place]]) for place in range(3, 10)]
    assert found[:, 0].tolist() == pytest.approx([sum(each[:3]), sum(each)], abs=1e-5)


def test_log_probabilities_of_a_short_trunk_are_summed_in_full_length() -> None:
    torch.manual_seed(0)
    states, vocabulary = torch.randn(200, 64, dtype=torch.bfloat16), torch.randn(2000, 64, dtype=torch.bfloat16)
    item = Rendered([place % 2000 for place in range(200)], [199], start=1)
    [[found]] = TokenLogProbs(vocabulary)([states], [item], 0).tolist()
    chances = (states.double() @ vocabulary.double().T).log_softmax(-1)
    assert found == pytest.approx(sum(float(chances[place - 1, place]) for place in range(1, 200)), abs=1e-3)


def test_a_shared_beginning_changes_no_log_probability(tmp_path: Path) -> None:
    policy = str(tiny.reward_model(tmp_path / "policy", {}))
    reference = str(tiny.reward_model(tmp_path / "reference", {}, num_hidden_layers=1))
    task = StepRecord("user", 0, message="The same long question for all of them. " * 8)
    records = [TrajectoryRecord(TaskRecord("t"), (task, StepRecord("agent", 1, message=said))) for said in ("a b", "c")]
    sharing, apart = (
        Engine(policy, "implicit", reference=reference, device="cpu", share=share, beta=1.0) for share in (True, False)
    )
    for one, other in zip(sharing.score(records), apart.score(records), strict=True):
        assert not isinstance(one, CannotScore) and not isinstance(other, CannotScore)
        assert [step.value for step in one] == pytest.approx([step.value for step in other], abs=1e-4)


def test_a_model_against_itself_finds_nothing_better(tmp_path: Path) -> None:
    folder = str(tiny.reward_model(tmp_path, {}))
    engine = Engine(folder, "implicit", reference=folder, device="cpu")
    assert values(engine, record("I look.", "It is 4.")) == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.parametrize(("family", "reference"), [("implicit", False), ("trl", True)])
def test_a_reference_model_is_given_where_it_is_needed_and_nowhere_else(
    tmp_path: Path, family: str, reference: bool
) -> None:
    folder = str(tiny.reward_model(tmp_path, HEADS["trl"]))
    with pytest.raises(UnfitModel, match="reference: found"):
        Engine(folder, family, reference=folder if reference else "", device="cpu")
