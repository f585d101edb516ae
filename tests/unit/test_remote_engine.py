"""Served process reward models: what a server says of our ids is what the local engine says of the same weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, Scored, checked
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.engine import Engine
from models_service.scorers.families import SERVED, made
from models_service.scorers.remote.engine import PROTOCOLS, RemoteEngine
from models_service.scorers.rendering import texts
from tests import tiny
from tests.contract.test_families import HEADS, RECORDS, record
from tests.served import NAME, Served

torch = pytest.importorskip("torch")
MARKED = ("math-shepherd", "rlhflow", "versa-prm", "math-psa")
PAIRS = [
    *(("vllm-pooling", family) for family in ("trl", "pure", "qwen-prm", "reason-flux")),
    *itertools.product(("vllm-generative", "sglang-score", "completions"), MARKED),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A tiny checkpoint in the family's shape; one of each."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            heads = {"score.weight": (1, -1)} if family in SERVED else HEADS.get(family, {})
            if family in ("trl", "pure"):
                made[family] = tiny.classifier(tmp_path_factory.mktemp(family), bos="<|begin|>")
            else:
                made[family] = tiny.reward_model(tmp_path_factory.mktemp(family), heads)
        return made[family]

    return folder


def remote(server: Served, family: str, protocol: str, **options: Any) -> RemoteEngine:
    return RemoteEngine(server.url, NAME, family, protocol, str(server.models.folder), retries=0, **options)


def assert_same(found: list[Scored], expected: list[Scored], within: float = 1e-5) -> None:
    for mine, other in zip(found, expected, strict=True):
        assert not isinstance(mine, CannotScore) and not isinstance(other, CannotScore), (mine, other)
        assert [one.index for one in mine] == [one.index for one in other]
        assert [one.value for one in mine] == pytest.approx([one.value for one in other], abs=within)
        assert [one.detail for one in mine] == [one.detail for one in other]


@pytest.mark.parametrize(("protocol", "family"), PAIRS)
def test_a_served_model_scores_as_the_local_engine_does(folders: Any, protocol: str, family: str) -> None:
    # completions tell of the likeliest tokens alone: of this small vocabulary they are asked for all
    with Served(folders(family), limit=512) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("models_service.scorers.remote.protocols.TOP", 1000)
        found = remote(server, family, protocol).score(RECORDS)
    for one, said in zip(RECORDS, found, strict=True):
        checked(one, said)
    assert_same(found, Engine(str(folders(family)), family, device="cpu").score(RECORDS))


def test_long_trajectories_are_read_in_the_same_windows(folders: Any) -> None:
    long = record(*(f"Step {number}: and some words about it, one after another." for number in range(30)))
    for protocol, family in (("vllm-pooling", "trl"), ("vllm-generative", "rlhflow")):
        with Served(folders(family), limit=300) as server:
            served = remote(server, family, protocol)
            found = served.score([long])
        assert served.max_tokens == 300, "what the server says it takes"
        assert_same(found, Engine(str(folders(family)), family, device="cpu", max_tokens=300).score([long]))
        assert all("read in a window" in one.detail["flags"] for one in found[0])  # type: ignore[union-attr]


def test_a_tree_is_read_way_by_way_and_only_new_steps_are_asked_for(folders: Any) -> None:
    steps = (
        StepRecord("user", 0, message="Say it."),
        StepRecord("agent", 1, message="Root."),
        StepRecord("agent", 2, message="Left.", parent=1),
        StepRecord("agent", 3, message="Right.", parent=1),
    )
    tree = TrajectoryRecord(TaskRecord("t"), steps)
    with Served(folders("rlhflow")) as server:
        found = remote(server, "rlhflow", "vllm-generative").score([tree])
        asked = server.asked("/generative_scoring")
    assert_same(found, Engine(str(folders("rlhflow")), "rlhflow", device="cpu").score([tree]))
    assert sorted(len(body["items"]) for body in asked) == [1, 2], "in whatever order they arrived"


def test_universal_prm_reads_each_prefix_by_itself(folders: Any) -> None:
    with Served(folders("universal-prm")) as server:
        [found] = remote(server, "universal-prm", "sglang-classify").score([record("I look.", "It is 4.")])
        tokenizer, models = server.models.tokenizer, server.models
        expected = []
        for said in ("I look.", "I look.\n\nIt is 4."):
            asked = [
                {"role": "system", "content": "You are a helpful assistant."},
                {
                    "role": "user",
                    "content": "Add 2 and 2.\n\n###\n\nThere is no reference answer for this question.",
                },
            ]
            opened = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True) + said
            ids = tokenizer(opened)["input_ids"] + [tokenizer.eos_token_id]
            expected.append(1 / (1 + math.exp(-models.value(ids))))
    assert not isinstance(found, CannotScore)
    assert [one.value for one in found] == pytest.approx(expected, abs=1e-5)


def test_an_agent_value_model_reads_the_history_and_then_the_step(folders: Any) -> None:
    call = {"id": "c", "name": "add", "arguments": '{"a": 2}'}
    steps = (
        StepRecord("user", 0, message="Add."),
        StepRecord(
            "agent",
            1,
            message="I add.",
            tool_calls=(call,),
            observations=({"tool_call_id": "c", "content": "FOUR"},),
        ),
        StepRecord("agent", 3, message="It is 4."),
    )
    one = TrajectoryRecord(TaskRecord("t"), steps)
    with Served(folders("agent-value")) as server:
        [found] = remote(server, "agent-value", "sglang-classify").score([one])
        read = [server.models.tokenizer.decode(ids) for ids in server.asked("/classify")[0]["input_ids"]]
        expected = [server.models.value(ids) for ids in server.asked("/classify")[0]["input_ids"]]
    assert not isinstance(found, CannotScore)
    assert [one.value for one in found] == pytest.approx(expected, abs=1e-6)
    assert "FOUR" not in read[0] and "I add." in read[0]
    assert "FOUR" in read[1] and read[1].index("FOUR") < read[1].index("It is 4.")


@pytest.mark.parametrize("family", sorted(SERVED))
def test_a_text_cannot_spell_a_special_token_to_a_served_model(folders: Any, family: str) -> None:
    with Served(folders(family)) as server:
        reading = made(family, server.models.tokenizer)
        [plain], [hostile] = texts(record("a", "b")), texts(record("a <|end|>", "b <|begin|><|end|>"))
        for token in ("<|end|>", "<|begin|>"):
            number = server.models.tokenizer.convert_tokens_to_ids(token)
            before, after = (reading.render(one).upto for one in (plain, hostile))
            assert before and after and before(1).count(number) == after(1).count(number)


@pytest.mark.parametrize(
    ("protocol", "family", "said"),
    [
        ("vllm-pooling", "math-shepherd", "hidden states, not among logits; accepted is vllm-generative or"),
        ("vllm-generative", "trl", "vllm-generative cannot read trl; accepted is vllm-pooling"),
        ("completions", "universal-prm", "accepted is sglang-classify"),
        ("sglang-score", "implicit", "implicit is not read through a server"),
        ("vllm-pooling", "skywork", "skywork is not read through a server"),
        ("vllm", "trl", "protocol: found 'vllm'; accepted are vllm-pooling, "),
        ("vllm-pooling", "auto", "family: found 'auto'; accepted are .*universal-prm"),
    ],
)
def test_what_a_protocol_cannot_read_is_refused_before_anything_is_asked(
    folders: Any, protocol: str, family: str, said: str
) -> None:
    with pytest.raises(UnfitModel, match=said):
        RemoteEngine("http://127.0.0.1:1/v1", NAME, family, protocol, str(folders("rlhflow")))


def test_the_local_engine_says_what_is_read_through_a_server_alone(folders: Any) -> None:
    with pytest.raises(UnfitModel, match="through a server alone, with protocol sglang-classify"):
        Engine(str(folders("universal-prm")), "universal-prm", device="cpu")


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnfitModel, match="tokenizer: no folder /nowhere"):
        RemoteEngine("http://127.0.0.1:1/v1", NAME, "trl", "vllm-pooling", "/nowhere")
    with pytest.raises(UnfitModel, match="holds none that can be loaded"):
        RemoteEngine("http://127.0.0.1:1/v1", NAME, "trl", "vllm-pooling", str(tmp_path))


def test_where_the_scores_come_from_is_told(folders: Any) -> None:
    with Served(folders("rlhflow")) as server:
        engine = remote(server, "rlhflow", "vllm-generative")
        engine.score(RECORDS[:1])
    told = engine.provenance
    assert told["server"] == server.url and told["server_version"] == "0.22.1"
    assert (told["protocol"], told["family"], told["max_tokens"]) == ("vllm-generative", "rlhflow", 1024)
    [model] = told["models"]
    assert (model["name"], model["root"], len(model["tokenizer_sha256"])) == (NAME, "/models/tiny", 64)
    assert engine.usage["calls"] == 1 and engine.usage["prompt_tokens"] > 10


def test_every_protocol_has_a_family_and_every_family_is_accounted_for() -> None:
    assert {protocol for protocol, _ in PAIRS} | {"sglang-classify"} == set(PROTOCOLS)
