from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.stacks import CHECKOUT, Stack, until

pytestmark = pytest.mark.live
Own = Callable[..., Stack]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that nobody else may enter, with a space and an accent in its name."""
    folder = tmp_path / "a closed föld er"
    folder.mkdir(mode=0o700)
    return folder


def test_a_stack_starts_beside_another_and_leaves_nothing_behind(stack: Stack, own_stack: Own, closed: Path):
    second = own_stack(closed / "home").start()
    assert (second.get(), stack.get()) == (200, 200)

    assert second.stop(signal.SIGINT) == 0
    assert "nothing is left running" in second.log
    assert second.left_running() == []
    assert closed.stat().st_mode & 0o777 == 0o700
    assert stack.get() == 200


def test_a_stack_that_was_killed_starts_again_at_once_on_the_same_data(own_stack: Own, closed: Path):
    first = own_stack(closed / "home").start()
    first.shell("from annotations.models import User; answer = User.objects.create_user('kept').pk")
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()

    again = own_stack(first.home, PORT=str(first.port)).start()
    assert again.shell("from annotations.models import User; answer = User.objects.get().username") == "kept"
    assert again.stop() == 0
    assert again.left_running() == []


def test_a_second_start_says_where_the_first_one_is(stack: Stack):
    refused = stack.manage("up", check=False)
    assert refused.returncode == 1
    assert f"already running: {stack.url}/" in refused.stderr


def test_a_taken_port_is_named_and_another_one_offered(stack: Stack, tmp_path: Path):
    other = Stack(tmp_path / "other")
    refused = other.manage("up", "--port", str(stack.port), check=False)
    assert refused.returncode == 1
    assert f"port {stack.port} on 127.0.0.1 cannot be used: address already in use." in refused.stderr
    assert "is free: PORT=" in refused.stderr
    assert other.left_running() == []


@pytest.mark.parametrize("part", ["web", "worker", "broker", "postgres"])
def test_a_killed_part_comes_back_by_itself(stack: Stack, part: str):
    killed = stack.kill(part)
    stack.wait_back(part, killed)
    assert stack.get() == 200
    until(lambda: stack.health().get("workers"), what="a living worker")


def test_a_command_starts_the_database_makes_its_tables_and_stops_it_again(closed: Path):
    idle = Stack(closed / "home")
    made = idle.manage("create_project", "first", "--json")
    assert json.loads(made.stdout)["slug"] == "first"
    assert "starting PostgreSQL" in made.stderr
    assert idle.left_running() == []
    assert idle.manage("create_project", "first", check=False).returncode == 1


def test_a_command_joins_the_database_of_a_running_stack(stack: Stack):
    before = stack.pids["postgres"]
    joined = stack.manage("create_project", "joined", "--json")
    assert json.loads(joined.stdout)["slug"] == "joined"
    assert joined.stderr == ""
    assert stack.pids["postgres"] == before


def test_a_command_that_needs_no_database_starts_none(tmp_path: Path):
    idle = Stack(tmp_path / "home")
    idle.manage("check")
    assert not idle.home.joinpath("run").exists()


@pytest.fixture
def ordinary() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A home of an ordinary user, and how to become that user. Where our Python or the checkout is in a closed folder
    the user is given the right to read it, and no other."""
    if os.geteuid() != 0:
        pytest.skip("we are an ordinary user: every other test shows it")
    nobody = pwd.getpwnam("nobody")
    become = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    probe = [*become, sys.executable, "-c", "import sys, app; print(sys.version)"]
    if subprocess.run(probe, cwd=CHECKOUT, capture_output=True, text=True).stdout.strip() != sys.version:
        become += ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    home = Path(tempfile.mkdtemp(dir="/tmp", prefix="stepmark of nobody "))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    yield home, become
    shutil.rmtree(home)


def test_an_ordinary_user_runs_it(own_stack: Own, ordinary: tuple[Path, tuple[str, ...]]):
    folder, become = ordinary
    own = own_stack(folder / "home", prefix=become, HOME=str(folder)).start()
    assert own.get() == 200
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in own.left_running()} == {pwd.getpwnam("nobody").pw_uid}
    assert own.stop() == 0
    assert own.left_running() == []
