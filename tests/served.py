"""A small real server of models with the shapes that vLLM 0.22 and SGLang document, computing with a tiny model.

    with Served(folder) as server: RemoteModel(server.url, "tiny")

`faults` are played once each, first come first served: (path, what is done instead of answering). `seen` is what came.
As a program it serves until it is killed: python -m tests.served FOLDER PORT
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "sk-not-to-be-seen-anywhere"
NAME = "tiny"
Fault = Callable[["Handler", Any], None]
Answer = dict[str, Any] | list[Any]


class Models:
    """The folder's model in the shapes that servers run it in, each loaded when it is first asked for. One at a time
    computes: it stands in for a server, not for its speed."""

    def __init__(self, folder: Path, limit: int) -> None:
        from transformers import AutoTokenizer

        self.folder, self.limit = folder, limit
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.lock = threading.Lock()
        self.loaded: dict[str, Any] = {}

    def _as(self, kind: str, **options: Any) -> Any:
        import transformers

        if kind not in self.loaded:
            self.loaded[kind] = getattr(transformers, kind).from_pretrained(self.folder, **options).eval()
        return self.loaded[kind]

    def run(self, kind: str, ids: list[int], **options: Any) -> Any:
        import torch

        if len(ids) > self.limit:
            raise TooLong(f"This model's maximum context length is {self.limit} tokens. Your request has {len(ids)}.")
        with self.lock, torch.inference_mode():
            return self._as(kind, **options)(input_ids=torch.tensor([ids]))

    def logs(self, ids: list[int]) -> Any:
        """(tokens, vocabulary): log-probabilities of what follows each token."""
        return self.run("AutoModelForCausalLM", ids).logits[0].float().log_softmax(-1)

    def rows(self, ids: list[int]) -> list[list[float]]:
        """What token_classify says: for Qwen's PRM a row a marker (STEP pooling), for token classifiers one a token."""
        from safetensors.torch import load_file

        weights = load_file(self.folder / "model.safetensors")
        if "score.2.weight" not in weights:
            return self.run("AutoModelForTokenClassification", ids).logits[0].float().softmax(-1).tolist()
        states = self.run("AutoModel", ids).last_hidden_state[0].float()
        hidden = (states @ weights["score.0.weight"].T + weights["score.0.bias"]).relu()
        chances = (hidden @ weights["score.2.weight"].T + weights["score.2.bias"]).softmax(-1)
        marker = self.tokenizer.convert_tokens_to_ids("<extra_0>")
        return [chances[place].tolist() for place, one in enumerate(ids) if one == marker]

    def value(self, ids: list[int]) -> float:
        return float(self.run("AutoModelForSequenceClassification", ids, num_labels=1).logits[0, 0])

    def labels(self, ids: list[int], labels: list[int]) -> list[float]:
        return self.logs(ids)[-1, labels].softmax(-1).tolist()

    def drawn(self, ids: list[int], asked: dict[str, Any], number: int) -> tuple[list[int], list[Any], str]:
        """Tokens, the log-probabilities each was drawn from, and why it ended."""
        import torch

        made, logs = list[int](), list[Any]()
        chance = torch.Generator().manual_seed((asked.get("seed") or 0) * 1000 + number)
        heat = asked.get("temperature", 1.0)
        for _ in range(asked.get("max_tokens") or 16):
            logs.append(self.logs([*ids, *made])[-1])
            pick = (logs[-1] / heat).softmax(-1).multinomial(1, generator=chance) if heat else logs[-1].argmax()
            made.append(int(pick))
            text = self.tokenizer.decode(made)
            if made[-1] == self.tokenizer.eos_token_id or any(stop in text for stop in asked.get("stop") or ()):
                return made, logs, "stop"
        return made, logs, "length"


class TooLong(ValueError):
    pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Served

    def do_GET(self) -> None:
        self._answered(None)

    def do_POST(self) -> None:
        self._answered(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answered(self, body: Any) -> None:
        served = self.server
        served.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        if served.key and self.headers.get("Authorization") != f"Bearer {served.key}":
            said = f"Incorrect API key provided: {self.headers.get('Authorization')}"
            return self.say(401, {"error": {"message": said, "type": "invalid_request_error"}})
        if fault := served.fault(self.path):
            return fault(self, body)
        deed = {**READS, **DEEDS}.get(self.path) if self.path not in served.without else None
        if deed is None:
            return self.say(404, {"detail": "Not Found"})
        if body is not None and body.get("model") != NAME:
            return self.say(
                404, {"error": {"message": f"The model `{body.get('model')}` does not exist.", "code": 404}}
            )
        time.sleep(served.seconds)
        try:
            self.say(200, deed(served, body))
        except TooLong as no:
            self.say(400, {"error": {"message": str(no), "type": "BadRequestError", "code": 400}})

    def say(self, status: int, found: Any, **headers: str) -> None:
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


class Served(ThreadingHTTPServer):
    """`without` are paths that it does not have, `continues` whether it knows continue_final_message, `key` what it
    wants to be asked with, `seconds` how long it takes over each answer."""

    daemon_threads = True

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        limit: int = 1024,
        without: tuple[str, ...] = (),
        continues: bool = True,
        key: str = "",
        seconds: float = 0.0,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.models = Models(folder, limit)
        self.without, self.continues, self.key, self.seconds = without, continues, key, seconds
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.faults: list[tuple[str, Fault]] = []
        self.open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self) -> Served:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        for one in self.open:  # a client keeps its connections, and would be answered on them
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.open.append(connection)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is no matter
            super().handle_error(request, client_address)

    def fault(self, path: str) -> Fault | None:
        for place, (where, fault) in enumerate(self.faults):
            if where == path:
                del self.faults[place]
                return fault
        return None

    def asked(self, path: str) -> list[Any]:
        return [body for where, _, body in self.seen if where == path]


# --- what it answers


def models(served: Served, _: Any) -> Answer:
    one = {"id": NAME, "object": "model", "owned_by": "vllm", "root": "/models/tiny", "parent": None}
    return {"object": "list", "data": [one | {"max_model_len": served.models.limit}]}


def version(served: Served, _: Any) -> Answer:
    return {"version": "0.22.1"}


def pooling(served: Served, body: Any) -> Answer:
    data = [
        {"index": place, "object": "pooling", "data": served.models.rows(ids)}
        for place, ids in enumerate(body["input"])
    ]
    return _listed("pool", data=data, usage=_usage(body["input"]))


def generative_scoring(served: Served, body: Any) -> Answer:
    """As vLLM does, it cuts what is too long, on the right and without a word."""
    texts = [[*body["query"], *item][: served.models.limit] for item in body["items"]]
    chances = [served.models.labels(ids, body["label_token_ids"]) for ids in texts]
    data = [{"index": place, "object": "score", "score": one[0]} for place, one in enumerate(chances)]
    return _listed("generative-scoring", data=data, usage=_usage(texts))


def score(served: Served, body: Any) -> Answer:
    texts = [[*body["query"], *item] for item in body["items"]]
    scores = [served.models.labels(ids, body["label_token_ids"]) for ids in texts]
    return {"scores": scores, "model": NAME, "usage": None, "object": "scoring"}


def classify(served: Served, body: Any) -> Answer:
    return [
        {"embedding": [served.models.value(ids)], "meta_info": {"id": "0", "prompt_tokens": len(ids)}}
        for ids in body["input_ids"]
    ]


def tokenize(served: Served, body: Any) -> Answer:
    ids = _tokens(served, body)
    return {"count": len(ids), "max_model_len": served.models.limit, "tokens": ids, "token_strs": None}


def completions(served: Served, body: Any) -> Answer:
    asked = body["prompt"]
    prompts = [asked] if isinstance(asked, str) or isinstance(asked[0], int) else asked
    ids = [served.models.tokenizer(one)["input_ids"] if isinstance(one, str) else one for one in prompts]
    count = body.get("n") or 1
    made = [_choice(served, one, body, number) for one in ids for number in range(count)]
    usage = _usage(ids, sum(one.pop("made") for one in made))
    return _listed("cmpl", choices=[{"index": place} | one for place, one in enumerate(made)], usage=usage)


def _choice(served: Served, ids: list[int], body: Any, number: int) -> dict[str, Any]:
    own, tokenizer = served.models, served.models.tokenizer
    made, logs, ended = own.drawn(ids, body, number)
    shown, rows = made, list(logs)
    if body.get("echo"):
        shown, rows = [*ids, *made], [None, *own.logs(ids)[:-1], *logs]
    choice: dict[str, Any] = {"text": tokenizer.decode(shown), "finish_reason": ended, "made": len(made)}
    if body.get("logprobs") is not None:
        name = (lambda one: f"token_id:{one}") if body.get("return_tokens_as_token_ids") else _spelt(tokenizer)
        choice["logprobs"] = {
            "tokens": [name(one) for one in shown],
            "token_logprobs": [_log(row, one) for row, one in zip(rows, shown, strict=True)],
            "top_logprobs": [_top(row, body["logprobs"], name) for row in rows],
            "text_offset": [sum(len(_spelt(tokenizer)(one)) for one in shown[:place]) for place in range(len(shown))],
        }
    if body.get("prompt_logprobs") is not None:
        before = [None, *own.logs(ids)[:-1]]
        choice["prompt_logprobs"] = [
            row
            if row is None
            else {str(one): {"logprob": _log(row, one), "rank": 1, "decoded_token": _spelt(tokenizer)(one)}}
            for row, one in zip(before, ids, strict=True)
        ]
    return choice


def chat(served: Served, body: Any) -> Answer:
    ids = _tokens(served, body)
    made = [served.models.drawn(ids, body, number) for number in range(body.get("n") or 1)]
    spelt = _spelt(served.models.tokenizer)

    def choice(place: int) -> dict[str, Any]:
        tokens, logs, ended = made[place]
        message = {"role": "assistant", "content": served.models.tokenizer.decode(tokens, skip_special_tokens=True)}
        one: dict[str, Any] = {"index": place, "message": message, "finish_reason": ended, "logprobs": None}
        if body.get("logprobs"):
            one["logprobs"] = {"content": [_told(t, log, body, spelt) for t, log in zip(tokens, logs, strict=True)]}
        return one

    usage = _usage([ids], sum(len(tokens) for tokens, _, _ in made))
    return _listed("chatcmpl", choices=[choice(place) for place in range(len(made))], usage=usage)


def _told(token: int, log: Any, body: Any, spelt: Callable[[int], str]) -> dict[str, Any]:
    top = [
        {"token": name, "logprob": value, "bytes": None}
        for name, value in _top(log, body["top_logprobs"], spelt).items()
    ]
    return {"token": spelt(token), "logprob": _log(log, token), "bytes": None, "top_logprobs": top}


def _tokens(served: Served, body: Any) -> list[int]:
    tokenizer = served.models.tokenizer
    if "messages" not in body:
        ids: list[int] = tokenizer(body["prompt"], add_special_tokens=body.get("add_special_tokens", True))["input_ids"]
        return ids
    continued = served.continues and body.get("continue_final_message", False)
    opening = {} if continued else {"add_generation_prompt": True}
    found: list[int] = tokenizer.apply_chat_template(
        body["messages"], tokenize=True, return_dict=False, continue_final_message=continued, **opening
    )
    return found


def _spelt(tokenizer: Any) -> Callable[[int], str]:
    return lambda one: str(tokenizer.decode([one]))


def _log(row: Any, token: int) -> float | None:
    return None if row is None else max(-9999.0, float(row[token]))


def _top(row: Any, count: int, name: Callable[[int], str]) -> Any:
    if row is None:
        return None
    found = row.topk(min(count, len(row)))
    return {name(int(one)): float(log) for log, one in zip(found.values, found.indices, strict=True)}


def _usage(texts: list[list[int]], made: int = 0) -> dict[str, int]:
    sent = sum(map(len, texts))
    return {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made}


def _listed(kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"{kind}-0", "object": "list", "created": int(time.time()), "model": NAME, **fields}


READS: dict[str, Any] = {"/v1/models": models, "/version": version}
DEEDS: dict[str, Any] = {
    "/pooling": pooling,
    "/generative_scoring": generative_scoring,
    "/v1/score": score,
    "/classify": classify,
    "/tokenize": tokenize,
    "/v1/completions": completions,
    "/v1/chat/completions": chat,
}


if __name__ == "__main__":
    Served(Path(sys.argv[1]), port=int(sys.argv[2])).serve_forever()
