"""Peak memory of one process that imports, or exports, files of 1 GB: at most 300 MB, however large the file is.

Run: DATABASE_URL=… python -m bench.memory [gigabytes [what …]]

Each import and each export runs in a process of its own, whose peak is what the kernel counted (VmHWM), the program
itself and its database driver included; the server is not. It fails where one took more.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

from bench import common, invented

MOST = 300  # MB
LIMIT = f"{MOST} MB"
KNOWN = 200  # records that are made; a file repeats them under numbers of their own


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    common.django_up()
    rows: list[common.Row] = []
    with tempfile.TemporaryDirectory(prefix="stepmark-bench-") as name:
        try:
            rows.extend(measured(Path(name), int(gigabytes * 1e9), sys.argv[2:] or list(WRITTEN)))
        finally:  # what was measured is kept where one stops it
            common.write("memory", rows, file=f"{gigabytes:g} GB each", counted="VmHWM of the process that does it")
    if missed := [row.what for row in rows if not row.reached]:
        raise SystemExit(f"more than {LIMIT}: {', '.join(missed)}")


def measured(folder: Path, size: int, names: list[str]) -> Iterator[common.Row]:
    for what in names:
        path = folder / "trajectories.jsonl"
        with path.open("wb") as out:
            many = WRITTEN[what](out.write, size)
        slug = what.replace(" ", "-")
        yield in_a_process(f"import {what}", many, "taken_in", slug, path)
        path.unlink()
        for form in EXPORTED.get(what, ()):
            yield in_a_process(f"export {what} as {form}", many, "taken_away", slug, form, folder / "out")
            shutil.rmtree(folder / "out")
        emptied()


def in_a_process(what: str, many: int, function: str, *args: object) -> common.Row:
    """Its peak, and that of the same process before it began."""
    code = f"from bench.memory import child, {function}; child({function}, {', '.join(repr(str(one)) for one in args)})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=common.ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    note = f"{told['before']:.0f} MB of it before it began; {told['seconds']:.0f} s"
    row = common.within(what, many, told["peak"], MOST, LIMIT, unit="MB", note=note)
    print(f"{row.what}: {row.ours:.0f} MB, {note}", flush=True)
    return row


def child(work: Callable[..., None], *args: str) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    django.setup()
    before, start = peak(), time.perf_counter()
    work(*args)
    print(json.dumps({"before": before, "peak": peak(), "seconds": time.perf_counter() - start}))


def peak() -> float:
    """In MB, of this process alone: what a parent took before it was forked does not count."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def taken_in(slug: str, path: str) -> None:
    from annotations.services import imports, projects

    result = imports.import_trajectories(projects.create(slug=slug), [Path(path)])
    assert result["created"] and not result["rejected"] and not result["rejected_more"], result


def taken_away(slug: str, form: str, out: str) -> None:
    from annotations.models import Project
    from annotations.services import exports

    assert exports.export(Project.objects.get(slug=slug), form, Path(out))["rows"]


def emptied() -> None:
    from django.db import connection

    tables = ("project", "task", "trajectory", "step", "annotation", "label", "original")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(f"annotations_{table}" for table in tables) + " CASCADE")


Write = Callable[[bytes], int]


def lines(write: Write, size: int) -> int:
    return _written(write, size, map(_usual, count()))


def one_list(write: Write, size: int) -> int:
    write(b"[\n")
    many = _written(write, size, (b"," * (nth > 0) + _usual(nth) for nth in count()))
    write(b"]\n")
    return many


def large(write: Write, size: int) -> int:
    """Trajectories of ten megabytes: few, so that what is held of one counts."""
    return _written(write, size, (_chat(nth, turns=1_000, words=900) for nth in count()))


def small(write: Write, size: int) -> int:
    """Trajectories of a kilobyte: many, so that what is kept of each counts."""
    return _written(write, size, (_chat(nth, turns=1, words=80) for nth in count()))


def _written(write: Write, size: int, rows: Iterator[bytes]) -> int:
    done = 0
    for nth, row in enumerate(rows, 1):  # noqa: B007
        done += write(row + b"\n")
        if done >= size:
            break
    return nth


def _usual(nth: int) -> bytes:
    """One of the trajectories that are known, under a number of its own."""
    return json.dumps(
        _known(nth % KNOWN) | {"total_index": nth, "query_index": nth // 5, "sample_index": nth % 5}
    ).encode()


@cache
def _known(nth: int) -> dict[str, object]:
    return invented.apb(invented.run(nth))


def _chat(nth: int, turns: int, words: int) -> bytes:
    said = [{"role": role, "content": f"{nth}.{turn}: {_text(words)}"} for turn in range(turns) for role in ROLES]
    return json.dumps({"id": f"run-{nth}", "messages": said}).encode()


@cache
def _text(words: int) -> str:
    return invented.words(random.Random(words), words)


ROLES = ("user", "assistant")
WRITTEN = {"lines": lines, "one list": one_list, "large trajectories": large, "small trajectories": small}
EXPORTED = {"lines": ("stepmark", "apb", "openai-chat", "parquet"), "large trajectories": ("stepmark",)}


if __name__ == "__main__":
    main()
