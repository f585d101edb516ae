"""A dataset of the hub on its way in, by real workers: a network that dies in the middle, and a worker that does."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.hub import Hub, serving
from tests.live.stacks import Stack, until
from tests.live.test_workers import FIND, SAMPLE, ask, send, state, tree

pytestmark = pytest.mark.live
COUNT = 1_500  # trajectories in two files


@pytest.fixture(scope="module")
def served() -> Iterator[Hub]:
    with serving() as hub:
        yield hub


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, served: Hub) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("hub") / "home"
    running = Stack(home, HF_ENDPOINT=served.address, HF_TOKEN="", RUN_STALE_SECONDS="5").start()
    until(lambda: running.health().get("workers"), what="a living worker")
    yield running
    running.stop()
    assert running.left_running() == []


def put(served: Hub, name: str) -> int:
    """A dataset of two files, and how many bytes they are."""
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    rows = [
        sample[number % len(sample)] | {"total_index": number, "query_index": number, "sample_index": 0}
        for number in range(COUNT)
    ]
    files = {f"{part}.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows[part::2]).encode() for part in (0, 1)}
    served.put(name, files)
    return sum(map(len, files.values()))


def begin(stack: Stack, slug: str, name: str) -> int:
    stack.manage("create_project", slug)
    code = (
        f"jobs.start('import', Project.objects.get(slug={slug!r}), None, what='trajectories', hub={{'name': {name!r}}})"
    )
    return int(stack.shell(f"{FIND}answer = {code}.pk"))


def done(stack: Stack, pk: int) -> int:
    return int(ask(stack, "SELECT done FROM annotations_run WHERE id = %s", pk)[0])


def told(stack: Stack, pk: int) -> tuple[object, ...]:
    question = "SELECT state, error, result->'created', result->'rejected' FROM annotations_run WHERE id = %s"
    return tuple(ask(stack, question, pk))


def ranges(served: Hub, name: str, path: str) -> list[int]:
    """Where each request for the file began."""
    asked = [said for at, said in served.asked if at.startswith(f"/datasets/{name}/") and at.endswith(path)]
    return [int(one.removeprefix("bytes=").removesuffix("-")) for one in asked]


def test_a_network_that_dies_in_the_middle_is_waited_for(stack: Stack, served: Hub) -> None:
    size = put(served, "lab/network")
    served.pause = 2**16 * 6 / size  # some six seconds in all
    pk = begin(stack, "network", "lab/network")
    until(lambda: done(stack, pk) > 0, what="the first bytes")
    served.dead = True
    time.sleep(3)
    assert state(stack, pk) == "running"
    served.dead = False
    until(lambda: state(stack, pk) not in {"queued", "running"}, 90, "the rest")
    assert told(stack, pk) == ("done", "", COUNT, [])
    begun = ranges(served, "lab/network", "/0.jsonl")
    assert begun[0] == 0 < begun[-1], "it went on where it stood"


def test_an_import_goes_on_when_its_worker_is_killed_while_it_fetches(stack: Stack, served: Hub) -> None:
    size = put(served, "lab/worker")
    served.pause = 2**16 * 6 / size
    pk = begin(stack, "worker", "lab/worker")
    until(lambda: done(stack, pk) > 0, what="the first bytes")
    dying = tree(stack, "worker")
    send(dying, signal.SIGKILL)
    assert state(stack, pk) == "running"
    served.pause = 0
    stack.wait_back("worker", dying[0])
    until(lambda: state(stack, pk) not in {"queued", "running"}, 120, "the rest")
    assert told(stack, pk) == ("done", "", COUNT, [])
    rows = """SELECT count(*) FROM annotations_trajectory
              WHERE project_id = (SELECT project_id FROM annotations_run WHERE id = %s)"""
    assert ask(stack, rows, pk)[0] == COUNT
