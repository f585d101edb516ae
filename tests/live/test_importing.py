"""Servers and commands are killed in the middle of an import: it ends as if nothing had been, and nothing is twice."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.stack import paths
from tests.live.people import Annotator
from tests.live.stacks import CHECKOUT, Stack, until

pytestmark = pytest.mark.live

SAMPLE = CHECKOUT / "annotations" / "demo" / "trajectories.jsonl"
RECORDS = 2000
VICTIMS = ("worker", "postgres", "web")

PREPARE = f"""
from tests import make
owner = make.user("importer")
for victim in {("nobody", "command", *VICTIMS)}:
    make.project(owner=owner, slug=f"import-{{victim}}")
answer = owner.username
"""

STORED = """
SELECT json_build_object(
    'trajectories', count(DISTINCT t.id), 'identities', count(DISTINCT t.external_id), 'versions', max(t.version),
    'tasks', (SELECT count(*) FROM annotations_task WHERE project_id = p.id),
    'places', (SELECT json_build_array(count(*), count(DISTINCT (s.trajectory_id, s.index)))
        FROM annotations_step s JOIN annotations_trajectory o ON o.id = s.trajectory_id WHERE o.project_id = p.id),
    'passes', (SELECT json_build_array(count(*), count(DISTINCT (a.trajectory_id, a.rater_id)))
        FROM annotations_annotation a JOIN annotations_rater r ON r.id = a.rater_id WHERE r.project_id = p.id),
    'labels', (SELECT json_build_array(count(*), count(DISTINCT (l.annotation_id, l.step_id, l.field)))
        FROM annotations_label l JOIN annotations_annotation a ON a.id = l.annotation_id
        JOIN annotations_rater r ON r.id = a.rater_id WHERE r.project_id = p.id),
    'imports', (SELECT count(*) FROM annotations_event WHERE project_id = p.id AND verb = 'trajectories.imported'))
FROM annotations_project p JOIN annotations_trajectory t ON t.project_id = p.id
WHERE p.slug = %s GROUP BY p.id
"""
ARRIVED = """
SELECT count(*) FROM annotations_trajectory t JOIN annotations_project p ON p.id = t.project_id WHERE p.slug = %s
"""


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that looks for dead workers sooner than others."""
    running = Stack(tmp_path_factory.mktemp("importing") / "home", RUN_STALE_SECONDS="4").start()
    until(lambda: running.health().get("workers"), what="a living worker")
    yield running
    running.stop()
    assert running.left_running() == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample again and again, as other rollouts of other tasks."""
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    path = tmp_path_factory.mktemp("many") / "many.jsonl"
    with path.open("w") as out:
        for number in range(RECORDS):
            known = {"total_index": number, "query_index": number // 5, "sample_index": number % 5}
            out.write(json.dumps(sample[number % len(sample)] | known) + "\n")
    return path


@pytest.fixture(scope="module")
def owner(importing: Stack) -> Annotator:
    return Annotator(importing.url, importing.shell(PREPARE))


@pytest.fixture(scope="module")
def undisturbed(importing: Stack, owner: Annotator, many: Path) -> dict[str, Any]:
    """What an import that nobody disturbs tells and leaves."""
    run = upload(owner, "import-nobody", many)
    found = {"told": ended(owner, "import-nobody", run), "stored": ask(importing, STORED, "import-nobody")}
    assert found["told"]["created"] == found["stored"]["trajectories"] == found["stored"]["identities"] == RECORDS
    assert found["stored"]["imports"] == found["stored"]["versions"] == 1
    for what in ("places", "passes", "labels"):
        assert len(set(found["stored"][what])) == 1, "each once"
    return found


def ask(stack: Stack, question: str, slug: str) -> Any:
    """The one value of an answer straight from the stack's database; 0 where there is none, or no database now."""
    try:
        with psycopg.connect(host=str(paths.run_dir(stack.home)), dbname="stepmark", user="stepmark") as connection:
            row = connection.execute(question, [slug]).fetchone()
            return row[0] if row else 0
    except psycopg.OperationalError:
        return 0


def upload(person: Annotator, slug: str, path: Path) -> int:
    """The import started through the API; its run."""
    edge = "an-edge-that-no-record-holds"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
    body = head.encode() + path.read_bytes() + f"\r\n--{edge}--\r\n".encode()
    answer = person.ask(f"/api/v1/projects/{slug}/runs/import/", body, f"multipart/form-data; boundary={edge}")
    assert answer.status == 201, answer
    return int(answer.body["id"])


def ended(person: Annotator, slug: str, run: int) -> dict[str, Any]:
    """What the run tells once it is over."""

    def over() -> dict[str, Any] | None:
        try:
            told = person.ask(f"/api/v1/projects/{slug}/runs/{run}/")
        except OSError:
            return None
        if told.status != 200 or told.body["state"] in {"queued", "running"}:
            return None
        return dict(told.body)

    told = until(over, 60, "an end")
    assert (told["state"], told["done"], told["total"]) == ("done", RECORDS, RECORDS), told
    return dict(told["result"])


def halfway(stack: Stack, slug: str) -> None:
    there = until(lambda: ask(stack, ARRIVED, slug), what="the first rows")
    assert there < RECORDS


@pytest.mark.parametrize("victim", VICTIMS)
def test_an_import_ends_as_if_nothing_had_been_killed(
    victim: str, importing: Stack, owner: Annotator, many: Path, undisturbed: dict[str, Any]
) -> None:
    slug = f"import-{victim}"
    run = upload(owner, slug, many)
    halfway(importing, slug)
    killed = importing.kill(victim)
    importing.wait_back(victim, killed)
    found = {"told": ended(owner, slug, run), "stored": ask(importing, STORED, slug)}
    assert found == undisturbed


def test_a_killed_command_is_simply_run_again(importing: Stack, many: Path, undisturbed: dict[str, Any]) -> None:
    slug = "import-command"
    argv = [*importing.command, "import_trajectories", slug, str(many), "--json"]
    first = subprocess.Popen(argv, cwd=CHECKOUT, env=importing.env, stdout=subprocess.PIPE)
    halfway(importing, slug)
    first.kill()
    said, _ = first.communicate()
    assert (first.returncode, said) == (-signal.SIGKILL, b"")
    there = ask(importing, ARRIVED, slug)
    assert 0 < there < RECORDS

    told = json.loads(importing.manage("import_trajectories", slug, str(many), "--json").stdout)
    assert (told["created"], told["unchanged"]) == (RECORDS - there, there)
    assert told["rejected"] == []
    assert ask(importing, STORED, slug) == undisturbed["stored"]
