"""Spans sent over OTLP/HTTP until they are stored, beside arize-phoenix on the same spans, sent by the same clients.

Run: DATABASE_URL=… python -m bench.otlp

Both are servers of their own processes, warmed by a first request, and are sent the same protobuf requests over the
same number of connections. Ours has stored a span when it answers; Phoenix answers first and stores afterwards, so its
database is counted until all are there. Phoenix runs on SQLite, its own default, and on our PostgreSQL server, each
with a new database; the limit is the quicker of the two. $PHOENIX_VENV is where it is installed, or will be.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from bench import common

PHOENIX = "20.26.1"
LIMIT = f"arize-phoenix {PHOENIX}, the same requests until its database has every span"
TRACES, TURNS = 640, 4  # spans of a trace: its agent's, and a model's and a tool's for each turn
SPANS = 1 + 2 * TURNS
BATCH = 512  # spans in a request: what OpenTelemetry's batching sends at most by default
CLIENTS = 4
REPEATS = 3
AIM = 10.0
SENT = ("POST", "/v1/traces")


def main() -> None:
    common.django_up()
    rounds = [requests(seed) for seed in range(REPEATS)]
    size = TRACES * SPANS
    with tempfile.TemporaryDirectory() as folder:
        taken = {"ours": ours(rounds, Path(folder)), "sqlite": phoenix(rounds, Path(folder), "")}
        taken["postgresql"] = phoenix(rounds, Path(folder), os.environ["DATABASE_URL"])
    best = {name: min(times) for name, times in taken.items() if times}
    quicker = min((name for name in best if name != "ours"), key=best.__getitem__)
    rates = ", ".join(f"{name} {size / seconds:,.0f}/s" for name, seconds in best.items())
    body = sum(map(len, rounds[0])) / size / 1000
    note = f"spans stored: {rates}; {body:.1f} kB a span; Phoenix on {quicker}"
    row = common.share_of("OTLP ingest", size, best["ours"], best[quicker], LIMIT, AIM, note=note)
    usable = best["ours"] + taken_up()
    whole = f"storing, then {TRACES} trajectories in one process; Phoenix keeps spans only"
    made = common.share_of("OTLP to trajectories", size, usable, best[quicker], LIMIT, AIM, note=whole)
    common.write(
        "otlp",
        [row, made],
        repeats=f"best of {REPEATS}, each of other spans; {CLIENTS} connections, {BATCH} spans a request",
        seconds=taken,
    )


def requests(seed: int) -> list[bytes]:
    """The protobuf requests of agents at work: OpenInference's keys, each call with the history before it."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    chance = random.Random(seed)
    spans = [span for _ in range(TRACES) for span in trace(chance)]
    made = []
    for start in range(0, len(spans), BATCH):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        attribute(resource.resource, "service.name", "bench")
        resource.scope_spans.add(spans=spans[start : start + BATCH]).scope.name = "bench"
        made.append(request.SerializeToString())
    return made


def trace(chance: random.Random) -> Iterator[Any]:
    own = chance.randbytes(16)
    root = new_span(own, b"", "agent", chance, {"openinference.span.kind": "AGENT"})
    yield root
    history = [("user", f"Question {chance.random()}: " + "where, and why there, " * 10)]
    for turn in range(TURNS):
        told = {"openinference.span.kind": "LLM", "llm.model_name": "small-1", "llm.token_count.prompt": 100 + turn}
        for place, (role, text) in enumerate(history):
            told |= {
                f"llm.input_messages.{place}.message.{key}": one for key, one in (("role", role), ("content", text))
            }
        said = f"Thought {chance.random()}. " + "I look for it once more. " * 12
        told |= {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": said}
        yield new_span(own, root.span_id, "chat", chance, told)
        found = f"Found {chance.random()}. " + "One line of what was found. " * 20
        kind = {"openinference.span.kind": "TOOL", "tool.name": "search"}
        yield new_span(own, root.span_id, "search", chance, kind | {"input.value": said[:40], "output.value": found})
        history += [("assistant", said), ("user", found)]


def new_span(own: bytes, parent: bytes, name: str, chance: random.Random, attributes: dict[str, Any]) -> Any:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    now = time.time_ns()
    span = Span(trace_id=own, span_id=chance.randbytes(8), parent_span_id=parent, name=name)
    span.start_time_unix_nano, span.end_time_unix_nano = now, now + 1_000_000
    for key, value in attributes.items():
        attribute(span, key, value)
    return span


def attribute(holder: Any, key: str, value: Any) -> None:
    one = holder.attributes.add(key=key)
    if isinstance(value, int):
        one.value.int_value = value
    else:
        one.value.string_value = value


def ours(rounds: list[list[bytes]], folder: Path) -> list[float]:
    """Our web server as `manage.py up` starts it."""
    from annotations.models import ApiToken, ReceivedSpan, Role, User
    from annotations.services import projects
    from app.stack.supervisor import WEB_THREADS, WEB_WORKERS

    project = projects.create(slug="spans")
    user = User.objects.create_user("sender")
    project.memberships.create(user=user, role=Role.OWNER)
    _, secret = ApiToken.objects.create(user=user, name="bench", project=project)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "app.wsgi", f"--bind=127.0.0.1:{port}", "--worker-class=gthread"]
    command += [f"--workers={WEB_WORKERS}", f"--threads={WEB_THREADS}", "--log-level=warning", "--no-control-socket"]
    headers = {"Authorization": f"Token {secret}"}
    with server(command, port, folder / "ours.log", cwd=common.ROOT):
        return [sent(port, some, headers, ReceivedSpan.objects.count) for some in rounds]


def phoenix(rounds: list[list[bytes]], folder: Path, database: str) -> list[float]:
    """Phoenix with a new database of its own."""
    port, home = free_port(), folder / (f"phoenix-{'postgresql' if database else 'sqlite'}")
    home.mkdir()
    env = {"PHOENIX_WORKING_DIR": str(home), "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(free_port())}
    env |= {"PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_HOST": "127.0.0.1"}
    with contextlib.ExitStack() as stack:
        if database:
            env["PHOENIX_SQL_DATABASE_URL"], counted = stack.enter_context(new_database(database))
        else:
            counted = lambda: count_sqlite(home / "phoenix.db")  # noqa: E731
        command = [str(installed() / "bin" / "phoenix"), "serve"]
        stack.enter_context(server(command, port, home / "log", cwd=home, env=os.environ | env))
        return [sent(port, some, {}, counted) for some in rounds]


def sent(port: int, those: list[bytes], headers: dict[str, str], counted: Callable[[], int]) -> float:
    """Seconds from the first request until every span is stored."""
    before = counted()
    waiting = list(those)
    problems: list[str] = []

    def client() -> None:
        try:
            caller = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            while waiting and not problems:
                with contextlib.suppress(IndexError):
                    send_one(caller, waiting.pop(), headers)
        except Exception as exc:  # noqa: BLE001  # the measuring thread says it
            problems.append(repr(exc))

    start = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    while not problems and counted() < before + TRACES * SPANS:
        assert time.perf_counter() - start < 600, "the spans are not all stored after ten minutes"
        time.sleep(0.02)
    assert not problems, problems
    return time.perf_counter() - start


def send_one(caller: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> None:
    while True:
        caller.request(*SENT, body, {"Content-Type": "application/x-protobuf", **headers})
        answer = caller.getresponse()
        said = answer.read()
        if answer.status == 200:
            return
        assert answer.status in (429, 503), (answer.status, said[:300])
        time.sleep(0.02)  # it is full for the moment


def taken_up() -> float:
    """Seconds to make trajectories of one round's traces."""
    from annotations.models import Project, Trace
    from annotations.services import traces, traces_wire

    project = Project.objects.select_related("scheme").get(slug="spans")
    names = list(Trace.objects.filter(project=project).values_list("trace_id", flat=True)[:TRACES])

    def work() -> None:
        for some in traces_wire.batches(names, traces.AT_ONCE):
            counts = traces.take(project, some)
            assert counts["created"] == len(some), counts

    return common.timed(work)


@contextmanager
def server(command: list[str], port: int, log: Path, cwd: Path, env: Any = None) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + 180
            while not answers(port):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def answers(port: int) -> bool:
    """Any answer will do: ours says there that no broker runs, and needs none for this."""
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(caller):
        caller.request("GET", "/healthz")
        caller.getresponse()
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def installed() -> Path:
    """The virtual environment that Phoenix is in; made where it is missing."""
    home = Path(os.environ.get("PHOENIX_VENV") or common.ROOT / "var" / f"phoenix-{PHOENIX}")
    if not (home / "bin" / "phoenix").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", f"arize-phoenix[pg]=={PHOENIX}"], check=True)
    return home


def count_sqlite(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as found:
        return int(found.execute("SELECT count(*) FROM spans").fetchone()[0])


@contextmanager
def new_database(server_url: str) -> Iterator[tuple[str, Callable[[], int]]]:
    """A database of Phoenix's own on our server: its address, and what counts its spans."""
    import psycopg

    name = f"phoenix_{uuid.uuid4().hex[:10]}"
    parts = urlsplit(server_url)
    own = urlunsplit(parts._replace(path=f"/{name}"))
    with psycopg.connect(server_url, autocommit=True) as server_:
        server_.execute(f'CREATE DATABASE "{name}"')
    host = parse_qs(parts.query).get("host", [""])[0]
    address = (
        f"postgresql://{parts.username}@/{name}?host={host}" if host else own.replace("postgres://", "postgresql://")
    )
    with psycopg.connect(own, autocommit=True) as counting:
        yield address, lambda: counting.execute("SELECT count(*) FROM spans").fetchone()[0]  # type: ignore[index]
    with psycopg.connect(server_url, autocommit=True) as server_:
        server_.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
