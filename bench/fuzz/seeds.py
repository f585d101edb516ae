"""What fuzzing begins with: the samples of the tests, plain and packed, a folder as an archive of its files."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import zstandard

SAMPLES = Path(__file__).resolve().parents[2] / "tests" / "samples"
OPENING, MAPPED = "opening", "mapped"  # detection and archives; the format that somebody makes by pointing
OF_ANY = (OPENING, MAPPED)
LONGEST = 24_000  # bytes of an input
BIGGEST, OF_ONE, MOST = 30 * 2**20, 6, 60  # of a file that is looked at; seeds of one file, and of a format
MORE, READ = "more-", "being-read"


def names() -> list[str]:
    """Every target: a sample's format, and those that any file is for."""
    from annotations.formats import FORMATS

    return [*OF_ANY, *(name for name, one in FORMATS.items() if one.reads)]


def sample(name: str) -> Path | None:
    return next((one for one in sorted(SAMPLES.iterdir()) if one.name.split(".")[0] == name), None)


def suffix(name: str) -> str:
    """How a file of the target is called in the end."""
    path = sample(name)
    return ".zip" if path and path.is_dir() else path.suffix if path else ""


def sown(name: str, corpus: Path, more: Iterable[bytes] = ()) -> Path:
    """The corpus, with the seeds of the target in it. Of those that are `more` the mutations learn words too."""
    corpus.mkdir(parents=True, exist_ok=True)
    for content in contents(name):
        (corpus / hashlib.sha1(content).hexdigest()).write_bytes(content)
    for content in more:
        (corpus / f"{MORE}{hashlib.sha1(content).hexdigest()}").write_bytes(content)
    return corpus


def found(folder: Path) -> dict[str, list[bytes]]:
    """What records of the folder's files were made of, by format: some small ones of each file."""
    from annotations.services import sources

    made: defaultdict[str, list[bytes]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size < BIGGEST:
            with sources.opened([(path, path.name)]) as units:
                for unit in units:
                    if unit.format and len(made[unit.format.name]) < MOST:
                        contents = (item.original for item in islice(unit.items(), 50))
                        made[unit.format.name] += [one for one in contents if 0 < len(one) < LONGEST][:OF_ONE]
    return made


def contents(name: str) -> Iterator[bytes]:
    if name in OF_ANY:
        for path in sorted(SAMPLES.iterdir()):
            yield from _of(path, every=name == OPENING)
    elif found := sample(name):
        yield from _of(found, every=False)


def _of(path: Path, *, every: bool) -> Iterator[bytes]:
    if path.is_dir():
        yield zipped({one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file()})
        return
    content = path.read_bytes()
    yield content
    if every:
        yield gzip.compress(content, mtime=0)
        yield zstandard.compress(content)
        yield zipped({f"inner/{path.name}": content, "b.txt": b"note"})
        yield gzip.compress(tarred({f"inner/{path.name}": content}), mtime=0)
        yield tarred({path.name: content, f"{'deep' * 40}/é.json": content}, tarfile.GNU_FORMAT)
        yield zipped({path.name: content}, zipfile.ZIP_DEFLATED)
    elif path.suffix in (".jsonl", ".json"):
        yield content.splitlines()[0] if path.suffix == ".jsonl" else b"[" + content + b"]"


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def tarred(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()
