"""What every benchmark shares: a throw-away database, many trajectories, timing, and a dated file of ratios.

A benchmark is a module with a `main()`. It calls `django_up()` before it imports anything of ours that needs tables,
and ends with `write(...)`: one row a comparison, ours against a named limit, both measured in this run.
"""

from __future__ import annotations

import atexit
import gzip
import json
import os
import platform
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from app.stack import paths

if TYPE_CHECKING:
    from annotations.models import Project

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
SHARED = ROOT.parent / "shared" / "data" / "agentprocessbench"
TRAJECTORIES = SHARED / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
SIZES = (1_000, 10_000)


@dataclass(frozen=True)
class Row:
    """One comparison. `ours` and `limit` are seconds unless `unit` says otherwise; `ratio` is ours ÷ limit as the aim
    counts it, and `reached` whether it keeps to the aim."""

    what: str
    size: int
    ours: float
    limit: float
    limit_is: str
    ratio: float
    aim: str
    reached: bool
    unit: str = "s"
    note: str = ""


def at_most(what: str, size: int, ours: float, limit: float, limit_is: str, aim: float, **more: Any) -> Row:
    """A row whose aim is: ours takes at most `aim` times what the limit takes."""
    ratio = ours / limit
    return Row(what, size, ours, limit, limit_is, ratio, f"time ≤ {aim:g} × limit", ratio <= aim, **more)


def share_of(what: str, size: int, ours: float, limit: float, limit_is: str, aim: float, **more: Any) -> Row:
    """A row whose aim is: ours runs at `aim` or more of the limit's speed. `ours` and `limit` are times."""
    ratio = limit / ours
    return Row(what, size, ours, limit, limit_is, ratio, f"speed ≥ {aim:g} of limit", ratio >= aim, **more)


def within(what: str, size: int, ours: float, limit: float, limit_is: str, **more: Any) -> Row:
    """A row whose aim is: ours is at most the limit. Where the limit is nothing at all, the ratio is what there is."""
    return Row(what, size, ours, limit, limit_is, ours / limit if limit else ours, "≤ limit", ours <= limit, **more)


def beside(what: str, size: int, ours: float, limit: float, limit_is: str, **more: Any) -> Row:
    """A row that only says how many times the limit's time ours takes: nothing is aimed at."""
    return Row(what, size, ours, limit, limit_is, ours / limit, "", True, **more)


def django_up() -> None:
    """Point Django at a new, migrated database of its own on the server of $DATABASE_URL (or on the embedded one,
    which must be running); it is dropped when the process ends."""
    import django
    import psycopg

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    server = os.environ.get("DATABASE_URL") or _embedded_url()
    name = f"bench_{uuid.uuid4().hex[:10]}"
    _on_server(psycopg, server, f'CREATE DATABASE "{name}"')
    atexit.register(_on_server, psycopg, server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    parts = urlsplit(server)
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
    django.setup()

    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    atexit.register(connections.close_all)


def _on_server(psycopg: Any, server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _embedded_url() -> str:
    # Not from the settings: read before DATABASE_URL is set, they would name the installation's own database.
    home = Path(os.environ.get("STEPMARK_HOME") or Path(__file__).parents[1] / "var").absolute()
    return f"postgres://stepmark@/stepmark?host={quote(str(paths.run_dir(home)))}"


def lines(count: int, source: Path = TRAJECTORIES) -> Iterator[bytes]:
    """`count` AgentProcessBench records made of the shared ones, each with ids of its own; five rollouts a task.

    The texts differ from copy to copy (the question says which), so that nothing is served from one cached page.
    """
    with gzip.open(source) as stream:
        originals = [json.loads(line) for line in stream]
    tasks = len(originals) // 5
    for number in range(count):
        copy, place = divmod(number, len(originals))
        record = dict(originals[place])
        if copy:
            record["query_index"] += copy * tasks
            record["total_index"] += copy * len(originals)
            record["question"] += f" (copy {copy})"
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@contextmanager
def jsonl(count: int) -> Iterator[Path]:
    """A plain JSONL file of that many trajectories; gone at the end."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"stepmark-bench-{os.getpid()}-{count}.jsonl"
    try:
        with path.open("wb") as out:
            out.writelines(lines(count))
        yield path
    finally:
        path.unlink(missing_ok=True)


def project(slug: str, trajectories: int = 0, **fields: Any) -> Project:
    """A project with that many imported trajectories and their reference labels, its tables analysed."""
    from django.db import connection

    from annotations.services import imports, projects

    made = projects.create(slug=slug, **fields)
    if trajectories:
        with jsonl(trajectories) as path:
            result = imports.import_trajectories(made, [path])
        assert result["created"] == trajectories and not result["rejected"], result
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        made.refresh_from_db()
    return made


def timed(work: Callable[[], Any]) -> float:
    """Seconds one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best(work: Callable[[], Any], repeats: int = 3) -> float:
    """The quickest of several calls: the least disturbed by the machine's other work."""
    return min(timed(work) for _ in range(repeats))


def quantile(seconds: list[float], share: float) -> float:
    """The value below which that share of the measurements lies: quantile(times, 0.95) is p95."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[round(share * 100) - 1]


def write(name: str, rows: list[Row], **notes: Any) -> Path:
    """Print the rows as a table and keep them as bench/results/<date>-<name>.json with the machine they ran on."""
    when = datetime.now(UTC)
    document = {
        "benchmark": name,
        "at": when.isoformat(timespec="seconds"),
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
        "notes": notes,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{when:%Y-%m-%d}-{name}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for row in rows:
        verdict = f"({row.aim}: {'reached' if row.reached else 'MISSED'})  " if row.aim else ""
        print(
            f"{row.what:<34} {row.size:>7,}  ours {row.ours:.4g} {row.unit}  limit {row.limit:.4g} {row.unit}"
            f"  ratio {row.ratio:.3g}  {verdict}[{row.limit_is}] {row.note}"
        )
    return path


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "commit": commit.stdout.strip(),
    }


def _cpu() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.processor()
