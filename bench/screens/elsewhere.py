"""The pages that no project's server shows: a bundle that opens from a folder, and a file that is only looked at."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command

from annotations.demo.build import HERE
from bench.common import ROOT

TAKEN = ("stepmark_demo:0:0", "stepmark_demo:0:1", "stepmark_demo:0:3")


def bundle(folder: Path, slug: str, *names: str) -> str:
    """The address of these trajectories' pages, written into that folder."""
    call_command("bundle", slug, *names, out=folder, stdout=io.StringIO())
    return folder.resolve().as_uri()


@contextmanager
def viewing(file: Path = HERE / "trajectories.jsonl") -> Iterator[str]:
    """The address at which `manage.py view` shows the file."""
    argv = [sys.executable, "manage.py", "view", str(file), "--no-browser"]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, f"`manage.py view` gave no address: {said!r}"
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
