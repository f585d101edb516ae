"""One target: bytes go in as a file that somebody hands in, and come out as records or located problems. Any exception,
a record that could not be stored as it is, a place that goes backwards or a slow file is a find; fuzzing goes on.

Run by `python -m bench.fuzz`: python -m bench.fuzz.reading NAME FINDS CORPUS [options of libFuzzer]
"""

from __future__ import annotations

import faulthandler
import hashlib
import importlib
import os
import pkgutil
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import django

from bench.fuzz import seeds
from bench.fuzz.mutating import Mutator

try:
    atheris: Any = importlib.import_module("atheris")
except ImportError:
    sys.exit("fuzzing needs atheris: pip install atheris==3.0.0")


def _import_formats() -> None:
    """Only formats are instrumented, for coverage of them is what steers the mutations."""
    import annotations

    others = [one.name for one in pkgutil.iter_modules(annotations.__path__, "annotations.")]
    with atheris.instrument_imports(include=["annotations"], exclude=[one for one in others if one != FORMATS]):
        package = importlib.import_module(FORMATS)
        for one in pkgutil.walk_packages(package.__path__, f"{FORMATS}."):
            importlib.import_module(one.name)


FORMATS = "annotations.formats"
_import_formats()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
django.setup()  # some services import tables; none is touched

from annotations import formats, schemes, segmenting  # noqa: E402
from annotations.formats import guessing  # noqa: E402
from annotations.formats.base import FolderFormat, Reader, Refused  # noqa: E402
from annotations.formats.mapped import Mapped  # noqa: E402
from annotations.formats.opening import values  # noqa: E402
from annotations.formats.opening.sources import of_path  # noqa: E402
from annotations.formats.pointers import pointers  # noqa: E402
from annotations.services import sources  # noqa: E402
from annotations.services.rating_ways import Inwards  # noqa: E402
from annotations.services.segments import Segmenting  # noqa: E402
from bench.fuzz.promises import Find, check  # noqa: E402

SLOW = 3.0  # seconds of processor time for one file of some kilobytes
HANGS = 60  # seconds, after which the process ends; another one goes on
SCHEME = schemes.shipped()["agent-process"]


class Target:
    def __init__(self, name: str, finds: Path) -> None:
        self.name, self.finds = name, finds
        self.form = formats.FORMATS.get(name)
        self.holds = self.form.holds if self.form else "trajectories"
        self.path = finds / seeds.READ
        self.suffix = seeds.suffix(name)
        self.inwards = Inwards(SCHEME)
        self.ways = [Segmenting(SCHEME, way) for way in segmenting.WAYS]

    def __call__(self, content: bytes) -> None:
        begun = time.process_time()
        faulthandler.dump_traceback_later(HANGS, exit=True)  # libFuzzer's own -timeout cannot end a loop in Python
        try:
            self.read(content)
            if time.process_time() - begun > SLOW:
                raise Find("slow: some kilobytes take seconds")
        except Exception as exc:  # noqa: BLE001  # what it is for
            self.keep(content, exc)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def read(self, content: bytes) -> None:
        self.path.write_bytes(content)
        way = self.ways[len(content) % len(self.ways)]
        if self.name == seeds.OPENING:
            suffix = (".json", ".jsonl.gz", ".zip", ".csv", ".parquet", "", ".txt", ".tar.gz")[sum(content[-16:]) % 8]
            self.opened(f"file{suffix}", None, way)
        elif self.name == seeds.MAPPED:
            if form := self.guessed():
                self.opened("file.json", form, way)
        else:
            assert isinstance(self.form, Reader | FolderFormat)
            self.opened(f"file{self.suffix}", self.form, way)
            self.opened(f"file{self.suffix}", None, way, but=self.form)

    def guessed(self) -> Mapped | None:
        look = values.look(of_path(self.path))
        if not look.values:
            return None
        try:
            return Mapped("mapped", "Mapped", pointers(guessing.guess(look.values[0])))
        except Refused:
            return None

    def opened(self, name: str, form: Any, way: Segmenting, but: Any = None) -> None:
        """As an import does it, up to the tables."""
        with sources.opened([(self.path, name)], form, self.holds) as units:
            for unit in units:
                if not unit.name.startswith(name):
                    raise Find(f"a unit is called {unit.name!r}")
                if not isinstance(unit.total, int) or unit.total < 0:
                    raise Find(f"a unit has {unit.total} values")
                if unit.format is None or unit.format is not but:
                    check(unit, self.inwards, way)

    def keep(self, content: bytes, exc: Exception) -> None:
        """The input and its story, once for what went wrong at a place."""
        frames = traceback.extract_tb(exc.__traceback__)
        ours = [one for one in frames if "/annotations/" in one.filename] or list(frames)
        last = frames[-1] if isinstance(exc, Find) else ours[-1]
        said = re.sub(r"\d+", "N", str(exc))[:60] if isinstance(exc, Find) else ""
        key = f"{type(exc).__name__} {Path(last.filename).name}:{last.name}:{last.line} {said}"
        path = self.finds / hashlib.sha1(key.encode()).hexdigest()[:12]
        if not path.with_suffix(".txt").exists():
            path.with_suffix(".bin").write_bytes(content)
            path.with_suffix(".txt").write_text(
                f"{key}\n" + "".join(traceback.format_exception(exc))[-6000:], "utf-8", "replace"
            )


def main() -> None:
    name, finds = sys.argv[1], Path(sys.argv[2])
    target = Target(name, finds)
    more = [path.read_bytes() for path in sorted(Path(sys.argv[3]).glob(f"{seeds.MORE}*"))]
    # Fuzz() puts its own Mutate in the place of the one that is there before.
    mutator = Mutator(lambda content, most: atheris.Mutate(content, most), [*seeds.contents(name), *more])
    atheris.Setup([sys.argv[0], *sys.argv[3:]], target.__call__, custom_mutator=mutator.__call__)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
