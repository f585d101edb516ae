"""What servers do when they should not: asked again where that helps, told in words, and never made a score."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.remote.engine import RemoteEngine
from models_service.scorers.remote.server import Server, ServerFault
from tests import tiny
from tests.contract.test_families import record
from tests.served import KEY, NAME, Handler, Served

torch = pytest.importorskip("torch")
ONE = record("I look.", "It is 4.")
PATHS = {"vllm-pooling": "/pooling", "vllm-generative": "/generative_scoring", "sglang-score": "/v1/score"}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.reward_model(tmp_path_factory.mktemp("marker"), {})


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture
def served(marker: Path) -> Iterator[Served]:
    with Served(marker) as server:
        yield server


def engine(server: Served, protocol: str = "vllm-generative", family: str = "rlhflow", **options: Any) -> RemoteEngine:
    return RemoteEngine(
        server.url, NAME, family, protocol, str(server.models.folder), **{"retries": 0, "requests": 1} | options
    )


def says(status: int, found: Any, **headers: str) -> Any:
    return lambda handler, body: handler.say(status, found, **headers)


# --- what passes


def test_a_busy_server_is_asked_again_when_it_says(served: Served) -> None:
    scorer = engine(served, retries=1)
    served.faults = [("/generative_scoring", says(429, {"error": {"message": "busy"}}, Retry_After="0.4"))]
    begun = time.monotonic()
    [said] = scorer.score([ONE])
    assert not isinstance(said, CannotScore) and len(said) == 2
    assert time.monotonic() - begun >= 0.4
    assert len(served.asked("/generative_scoring")) == 2


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
def test_a_server_that_stumbles_is_asked_again(served: Served, status: int) -> None:
    scorer = engine(served, retries=1)
    served.faults = [("/generative_scoring", says(status, {"error": "again"}, retry_after_ms="1"))]
    [said] = scorer.score([ONE])
    assert not isinstance(said, CannotScore) and len(served.asked("/generative_scoring")) == 2


def test_an_answer_that_breaks_off_is_asked_for_again(served: Served) -> None:
    def broken(handler: Handler, body: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "500")
        handler.end_headers()
        handler.wfile.write(b'{"data": [{"index"')
        handler.close_connection = True

    scorer = engine(served, retries=1)
    served.faults = [("/generative_scoring", broken)]
    [said] = scorer.score([ONE])
    assert not isinstance(said, CannotScore) and len(said) == 2


# --- what does not pass


def test_a_server_that_goes_on_stumbling_is_told_in_its_words(served: Served) -> None:
    scorer = engine(served)
    served.faults = [("/generative_scoring", says(500, {"error": {"message": "CUDA error"}}))]
    with pytest.raises(ServerFault, match="answers /generative_scoring with 500: CUDA error"):
        scorer.score([ONE])


def test_a_text_that_is_too_long_for_the_server_costs_only_its_trajectory(marker: Path) -> None:
    with Served(marker, limit=120) as server:
        scorer = engine(server, "sglang-score", max_tokens=1000)
        short, long = scorer.score([record("4"), record("Long. " * 60)])
    assert not isinstance(short, CannotScore)
    assert isinstance(long, CannotScore) and "refused by the server: This model's maximum context length" in str(long)


def test_a_server_that_cuts_what_is_too_long_is_found_out(marker: Path) -> None:
    with Served(marker, limit=120) as server:
        [long] = engine(server, max_tokens=1000).score([record("Long. " * 60)])
    assert isinstance(long, CannotScore) and "the server read 120 tokens of" in str(long)


@pytest.mark.parametrize(
    ("protocol", "answer", "said"),
    [
        ("vllm-generative", {"data": [{"index": 0, "score": 0.5}]}, "holds 1 rows; 2 were asked for"),
        ("vllm-generative", {"data": [{"index": 1, "score": 0.5}] * 2}, "not numbered one after another"),
        ("vllm-generative", {"data": [{"index": 0, "score": 0.5}, {"index": 1, "score": None}]}, "found None"),
        ("vllm-generative", {"data": [{"index": 0, "score": 0.5}, {"index": 1, "score": 1.5}]}, "found 1.5"),
        ("vllm-generative", {"data": None}, "holds no list 'data'"),
        ("sglang-score", {"scores": [[0.5, 0.5]] * 3}, "holds 3 rows; 2 were asked for"),
        ("sglang-score", {"scores": [[0.5, 0.5], None]}, "a row is None"),
        ("sglang-score", {"scores": [[-3.0, 2.0], [0.5, 0.5]]}, "accepted is -0.02 to 1.02"),
        ("sglang-score", {"scores": [[0.5, 0.4], [0.5, 0.5]]}, "accepted are two chances that add up to 1"),
        ("sglang-score", [], "holds no list 'scores'"),
        ("sglang-score", b'{"scores": [[0.5, 0.', "with what is no JSON"),
        ("sglang-score", {"scores": [[float("nan"), 0.5]] * 2}, "found nan where a number belongs"),
    ],
)
def test_rows_that_are_not_what_was_asked_for_are_an_error(
    served: Served, protocol: str, answer: Any, said: str
) -> None:
    scorer = engine(served, protocol)
    served.faults = [(PATHS[protocol], says(200, answer))]
    with pytest.raises(ServerFault, match=said):
        scorer.score([ONE])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (lambda count: [[0.5, 0.5]] * (count - 7), "rows for .* tokens and 2 steps"),
        (lambda count: [None] * count, "was it read from a cache"),
        (lambda count: [[0.1, 0.2, 0.7]] * count, "two chances that add up to 1"),
        (lambda count: [[-1.0, 4.0]] * count, "found -1.0"),
        (lambda count: "bm90IGZsb2F0cw==", "answers with str where rows belong"),
    ],
)
def test_pooling_rows_are_held_to_the_tokens_that_were_sent(classifier: Path, rows: Any, said: str) -> None:
    def answer(handler: Handler, body: Any) -> None:
        handler.say(200, {"data": [{"index": 0, "object": "pooling", "data": rows(len(body["input"][0]))}]})

    with Served(classifier) as server:
        scorer = engine(server, "vllm-pooling", "trl", max_tokens=400)
        server.faults = [("/pooling", answer)]
        with pytest.raises(ServerFault, match=said):
            scorer.score([ONE])


def test_verdicts_that_are_not_among_the_likeliest_are_no_score(marker: Path) -> None:
    def top(said: dict[str, float]) -> Any:
        choices = [{"index": place, "text": "", "logprobs": {"top_logprobs": [said]}} for place in range(2)]
        return says(200, {"choices": choices})

    with Served(marker) as server:
        scorer = engine(server, "completions")
        yes, no = scorer.family.labels
        server.faults = [
            ("/v1/completions", top({"token_id:1": -0.1})),
            ("/v1/completions", top({f"token_id:{yes}": -0.1})),
            ("/v1/completions", top({"+": -1.0, "-": -2.0})),
        ]
        [neither], [one], [by_text] = (scorer.score([ONE]) for _ in range(3))
    assert isinstance(neither, CannotScore) and "neither of ['+', '-'] is among the 1 likeliest" in str(neither)
    assert not isinstance(one, CannotScore) and [step.value for step in one] == [1.0, 1.0]
    assert not isinstance(by_text, CannotScore)
    assert by_text[0].value == pytest.approx(0.7310586)  # 1 / (1 + e⁻¹)


def test_a_slow_server_is_not_waited_for_for_ever(marker: Path) -> None:
    with Served(marker) as server:
        scorer = engine(server, timeout=0.2)
        server.seconds = 1.0
        with pytest.raises(ServerFault, match="does not answer in time"):
            scorer.score([ONE])


def test_a_server_that_is_away_says_so_when_it_is_loaded_and_when_it_goes(marker: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ServerFault, match=f"{nowhere} does not answer"):
        RemoteEngine(nowhere, NAME, "rlhflow", "vllm-generative", str(marker), retries=0)
    with Served(marker) as server:
        scorer, port = engine(server), server.server_address[1]
        assert len(scorer.score([ONE])) == 1
    with pytest.raises(ServerFault, match="does not answer"):
        scorer.score([ONE])
    with Served(marker, port=port):
        assert len(scorer.score([ONE])) == 1, "back, it is asked as before"


def test_what_concerns_all_is_raised_once_and_the_rest_is_not_asked(served: Served) -> None:
    scorer = engine(served)
    served.faults = [("/generative_scoring", says(404, {"error": {"message": "The model `tiny` does not exist."}}))]
    with pytest.raises(ServerFault, match="404: The model `tiny` does not exist"):
        scorer.score([ONE] * 20)
    assert len(served.asked("/generative_scoring")) < 20


def test_a_model_that_the_server_does_not_have_is_told_with_those_it_has(served: Served) -> None:
    with pytest.raises(ServerFault, match="has no model 'big'; there are tiny"):
        RemoteEngine(served.url, "big", "rlhflow", "vllm-generative", str(served.models.folder), retries=0)


def test_a_server_without_a_list_of_models_needs_to_be_told_how_much_it_reads(marker: Path) -> None:
    with Served(marker, without=("/v1/models", "/version")) as server:
        with pytest.raises(UnfitModel, match="max_tokens: the server does not say"):
            engine(server)
        scorer = engine(server, max_tokens=500)
        assert scorer.provenance["server_version"] == "" and len(scorer.score([ONE])[0]) == 2  # type: ignore[arg-type]


# --- keys


def test_the_key_is_sent_and_stands_nowhere_else(
    marker: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    with Served(marker, key=KEY) as server:
        scorer = engine(server, key_env="THE_KEY", max_tokens=500)
        scorer.score([ONE])
        assert all(headers["authorization"] == f"Bearer {KEY}" for _, headers, _ in server.seen)
        server.key = "another"
        with pytest.raises(ServerFault, match="refuses the key in THE_KEY: 401 Incorrect API key") as refused:
            scorer.score([ONE])
    assert KEY not in str(refused.value) and KEY not in caplog.text
    assert KEY not in str(scorer.provenance) and KEY not in str(scorer.usage)


def test_other_keys_of_the_environment_are_sent_to_nobody(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, KEY)
    engine(served).score([ONE])
    assert served.seen and KEY not in str([headers for _, headers, _ in served.seen])


def test_a_key_that_is_missing_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    with pytest.raises(UnfitModel, match="key_env: the environment has no THE_KEY"):
        Server("http://127.0.0.1:1/v1", key_env="THE_KEY")


@pytest.mark.parametrize("address", ["http://me:secret@host/v1", "https://host/v1?key=secret", "ftp://host", "host:80"])
def test_an_address_that_is_none_or_holds_a_secret_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(UnfitModel, match="server: ") as refused:
        Server(address)
    assert "secret" not in str(refused.value)
