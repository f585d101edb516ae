"""A server of chat completions for tests only: it speaks the API over real connections, and what it answers is written
down in the test. No model computes here.

    with JudgeServer(honest) as server: Line(Address(server.url), "tiny", Options())

`behave` makes the text of an answer from the request. `faults` are played once each, first come first served. `seen` is
what came, `paid` how often each Idempotency-Key was answered: a server that heeds keys counts each once.
As a program it serves until it is killed, and writes each key it answers to a file:
python -m tests.judge_server PORT FILE SECONDS
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODELS = ("tiny", "dear")
Body = dict[str, Any]
Behave = Callable[[Body], str]
Fault = Callable[["Handler", Body], None]


def schema_of(body: Body) -> Any:
    """The JSON Schema that the request asks for; None where it asks in words."""
    return (body.get("response_format") or {}).get("json_schema", {}).get("schema")


def filled(schema: Any, choose: Callable[[str, list[Any]], Any], path: str = "", whole: Any = None) -> Any:
    """A value that the schema takes: of what can be chosen, `choose` says which, by where it stands."""
    whole = schema if whole is None else whole
    if "$ref" in schema:
        found = whole
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return filled(found, choose, path, whole)
    for several in ("anyOf", "oneOf"):
        if several in schema:  # what may be left out is left out
            may_be_null = any(one.get("type") == "null" for one in schema[several])
            return None if may_be_null else filled(schema[several][0], choose, path, whole)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return choose(path, [one for one in schema["enum"] if one is not None])
    kind = schema.get("type")
    kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: filled(one, choose, f"{path}.{name}".strip("."), whole) for name, one in properties.items()}
    if kind == "array":
        few = range(schema.get("minItems", 0))
        return [filled(schema["items"], choose, f"{path}.{place}", whole) for place in few]
    if kind == "boolean":
        return choose(path, [False, True])
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return "Because it does."


def says(value: Any) -> Behave:
    """Chooses that value wherever it is offered, else the first."""

    def behave(body: Body) -> str:
        return json.dumps(
            filled(schema_of(body), lambda _, offered: next((one for one in offered if one is value), offered[0]))
        )

    return behave


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: JudgeServer

    def do_GET(self) -> None:
        self.say(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        served = self.server
        with served.lock:
            served.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
            fault = served.faults.pop(0) if served.faults else None
        if served.key and self.headers.get("Authorization") != f"Bearer {served.key}":
            self.say(401, {"error": {"message": f"Incorrect API key: {self.headers.get('Authorization')}"}})
        elif fault:
            fault(self, body)
        elif body.get("model") not in MODELS:
            self.say(404, {"error": {"message": f"The model `{body.get('model')}` does not exist"}})
        elif (form := (body.get("response_format") or {}).get("type", "words")) in served.without:
            self.say(400, {"error": {"message": f"response_format {form} is not supported"}})
        else:
            time.sleep(served.seconds)
            self.complete(body, served.behave(body))

    def complete(self, body: Body, text: str, **message: Any) -> None:
        """A whole chat completion."""
        self.server.pay(self.headers.get("Idempotency-Key", ""))
        self.say(200, completion(body, text, **message))

    def say(self, status: int, found: Any, **headers: str) -> None:
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        told = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
        for name, value in told.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def cut(self) -> None:
        """Reset the connection as it stands."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile.close()  # the last to hold it open

    def log_message(self, *_: Any) -> None:
        pass


def completion(body: Body, text: str, *, finish: str = "stop", usage: Any = ..., **message: Any) -> Body:
    sent = sum(len(str(one["content"])) for one in body["messages"]) // 4
    counts = {
        "prompt_tokens": sent,
        "completion_tokens": len(text) // 4,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    found = {"id": "chatcmpl-0", "object": "chat.completion", "model": f"{body.get('model')}-0711", "choices": [choice]}
    return found | ({"usage": counts} if usage is ... else {"usage": usage} if usage else {})


class JudgeServer(ThreadingHTTPServer):
    """`without` are forms of answers that it refuses, `key` what it wants to be asked with, `seconds` how long it takes
    over each answer, `log` a file that each answered key is written to."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        behave: Behave | None = None,
        *,
        port: int = 0,
        without: tuple[str, ...] = (),
        key: str = "",
        seconds: float = 0.0,
        log: Path | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.behave, self.without, self.key, self.seconds, self.log = behave or says(1), without, key, seconds, log
        self.seen: list[tuple[Mapping[str, str], Body]] = []
        self.faults: list[Fault] = []
        self.paid: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self) -> JudgeServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        for one in self.open:  # a client keeps its connections, and would be answered on them
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @property
    def bodies(self) -> list[Body]:
        return [body for _, body in self.seen]

    def pay(self, key: str) -> None:
        with self.lock:
            self.paid[key] += 1
            if self.log:
                with self.log.open("a") as file:
                    file.write(key + "\n")

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.open.append(connection)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError | ValueError):  # a client that went away is no matter
            super().handle_error(request, client_address)


# --- faults


def status(code: int, words: str = "try again", **headers: str) -> Fault:
    return lambda handler, _: handler.say(code, {"error": {"message": words}}, **headers)


def text(said: str, **told: Any) -> Fault:
    """Answers just that."""
    return lambda handler, body: handler.complete(body, said, **told)


def raw(data: bytes) -> Fault:
    return lambda handler, _: handler.say(200, data)


def cut_off(handler: Handler, body: Body) -> None:
    """The connection breaks in the middle of the answer."""
    data = json.dumps(completion(body, "{}")).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.wfile.flush()
    handler.cut()


def gone(handler: Handler, _: Body) -> None:
    """The connection breaks before any answer."""
    handler.cut()


def silent(seconds: float) -> Fault:
    """Says nothing for so long, then breaks the connection."""

    def fault(handler: Handler, _: Body) -> None:
        time.sleep(seconds)
        handler.cut()

    return fault


def dripping(seconds: float, every: float = 0.05) -> Fault:
    """A byte now and then, for so long."""

    def fault(handler: Handler, _: Body) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        until = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while time.monotonic() < until:
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(every)
        handler.cut()

    return fault


def huge(size: int) -> Fault:
    """An answer of so many bytes."""
    return lambda handler, body: handler.complete(body, "x" * size)


if __name__ == "__main__":
    JudgeServer(port=int(sys.argv[1]), log=Path(sys.argv[2]), seconds=float(sys.argv[3])).serve_forever()
