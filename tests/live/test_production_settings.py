"""The settings of production: other people's PostgreSQL and Redis, named by DATABASE_URL and CELERY_BROKER_URL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app.stack import binaries
from tests.live.stacks import CHECKOUT, Stack, free_port, until

pytestmark = pytest.mark.live
SAMPLE = CHECKOUT / "tests" / "samples" / "apb.jsonl"


def debian_postgres() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found or not shutil.which("redis-server"):
        missing = "Debian's PostgreSQL and Redis: apt-get install postgresql redis-server"
        pytest.fail(f"CI needs {missing}") if os.environ.get("CI") else pytest.skip(f"needs {missing}")
    return found[-1]


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of Debian's on TCP, with a password."""
    folder = tmp_path_factory.mktemp("debian-postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPMARK_PG_BIN", str(debian_postgres()))
        programs = binaries.postgres(folder)
    os.chown(folder, programs.owner, -1)
    password = folder / "password"
    password.write_text("s3cret")
    data, port = folder / "data", free_port()
    quietly = {"cwd": "/", "env": binaries.ENVIRONMENT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    make = ["-D", str(data), "-U", "app", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", "-E", "UTF8"]
    subprocess.run(programs.command("initdb", *make), check=True, **quietly)
    options = ["-D", str(data), "-c", f"port={port}", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    server = subprocess.Popen(programs.command("postgres", *options), **quietly)
    admin = f"host=127.0.0.1 port={port} user=app password=s3cret dbname=postgres"

    def create() -> bool:
        try:
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute("CREATE DATABASE stepmark")
        except psycopg.OperationalError:
            return False
        return True

    until(create, what="PostgreSQL")
    yield f"postgres://app:s3cret@127.0.0.1:{port}/stepmark"
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    debian_postgres()
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "s3cret"]
    server = subprocess.Popen(argv, cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL)
    yield f"redis://:s3cret@127.0.0.1:{port}/0"
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def production(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Nothing runs yet; only the environment that docs/operations.md asks for is set."""
    home = tmp_path_factory.mktemp("production") / "home"
    environment = {"DATABASE_URL": database_url, "CELERY_BROKER_URL": broker_url, "SECRET_KEY": "k" * 50}
    made = Stack(home, **environment, STATIC_COLLECTED="1", LOG_FORMAT="json", LOG_LEVEL="INFO")
    made.manage("migrate")
    made.manage("collectstatic", "--no-input", "--verbosity=0")
    return made


@pytest.fixture
def launch(production: Stack) -> Iterator[Callable[..., None]]:
    """Starts a program with production's environment; its output goes to the log. Ended with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*argv: str) -> None:
        with production.output.open("ab") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", *argv], cwd=CHECKOUT, env=production.env, stdout=log, stderr=log
                )
            )

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(20)


def test_web_and_worker_work_on_servers_of_others(production: Stack, launch: Callable[..., None]):
    launch("gunicorn", "app.wsgi", f"--bind=127.0.0.1:{production.port}", "--threads=2", "--no-control-socket")
    launch("celery", "-A", "app", "worker", "--queues=light,gpu", "--concurrency=1", "--hostname=production@%h")
    until(lambda: production.health().get("workers"), what="a living worker")
    assert production.get() == 200

    production.manage("create_project", "shop")
    production.manage("import_trajectories", "shop", str(SAMPLE))
    scored = json.loads(production.manage("score", "shop", "--scorer", "embedded", "--wait", "--json").stdout)
    assert scored["state"] == "done"
    assert scored["steps_scored"] > 0

    lines = [json.loads(line) for line in production.log.splitlines() if line.startswith("{")]
    assert "request_finished" in {line["event"] for line in lines}
    assert "s3cret" not in production.log
    assert not list(production.home.glob("pg*"))


def test_up_starts_only_what_is_not_configured(production: Stack):
    production.start()
    assert {"web", "worker"} <= set(production.pids)
    assert "broker" not in production.pids
    assert not list(production.home.glob("pg*"))
    assert production.get() == 200
    assert production.stop() == 0
    assert production.left_running() == []
