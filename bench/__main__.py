"""`python -m bench [name…]`: every benchmark, or the named ones, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import settings
from app.stack.postgres import Postgres

NOT_BENCHMARKS = {"__init__", "__main__", "common", "invented"}


def main(names: list[str]) -> int:
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_BENCHMARKS)
    if unknown := set(names) - set(known):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = []
    with database():
        for name in names or known:
            print(f"--- {name}", flush=True)
            if subprocess.run([sys.executable, "-c", f"from bench.{name} import main; main()"]).returncode:
                failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


@contextmanager
def database() -> Iterator[None]:
    """The server of $DATABASE_URL, or the embedded one, started where it does not run."""
    if "DATABASE_URL" in os.environ:
        yield
        return
    server = Postgres(settings.STEPMARK_HOME)
    server.start()
    try:
        yield
    finally:
        server.leave()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
