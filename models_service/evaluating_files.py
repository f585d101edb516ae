"""Label files as they are handed to an evaluation: which record is whose, about which set, and what cannot be used.

The set is the record's `dataset`. Where it has none it is the one that all other records of the file name; else the
one that the file's name begins with; else the only one that the reference has; else the file's name up to "__".

The rater is the folder that a file lies in where several of the files share it, else the record's `annotator`, else
the file's name. In two cases that would take several raters for one, so it is the other way round: where a shared
folder holds what several annotators say of one record, they go by `annotator`; where files in several folders are of
one annotator and of the same records, they go by folder.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.opening import values
from annotations.formats.opening.sources import of_path
from annotations.formats.opening.unpacking import BREAKS
from annotations.records import Problem
from models_service.statistics import official

ACCEPTED = "-1, 0, 1 or null"
TERNARY = (1, 0, -1)
ENDINGS = (".gz", ".zst", ".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Entry:
    """A record that can be scored, and where it stands. `key` is what it is joined on within its set."""

    path: Path
    line: int
    record: dict[str, Any]
    dataset: str
    key: str = ""

    @property
    def annotator(self) -> str:
        said = self.record.get("annotator")
        return said.strip() if isinstance(said, str) and said.strip() else stem(self.path)

    @cached_property
    def folder(self) -> Path:
        return self.path.resolve().parent

    @property
    def place(self) -> str:
        return f"{self.path}, line {self.line}"


@dataclass
class Read:
    """What files hold, and what of it cannot be used. `empty`: files without any record, and what set they are of."""

    entries: list[Entry] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    empty: dict[Path, str] = field(default_factory=dict)

    def datasets(self) -> list[str]:
        return list(dict.fromkeys(one.dataset for one in self.entries))


def read(paths: Sequence[Path], sets: Sequence[str] = ()) -> Read:
    """All records of the files, in order. `sets`: those that the reference has, where this is not the reference.
    OSError where a file cannot be opened."""
    into = Read()
    for path in paths:
        refused: list[Problem] = []
        rows = list(_rows(path, refused))
        named = {said for _, row in rows if (said := (row.get("dataset") or "").strip())}
        usual = named.pop() if len(named) == 1 else _set_of(path, sets)
        entries = [one for line, row in rows if (one := _entry(path, line, row, usual, refused))]
        into.entries += entries
        into.refused += sorted(refused, key=lambda one: one.line)
        if not entries:
            into.empty[path] = usual
    return into


def _rows(path: Path, refused: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of the file that name a usable set, or none."""
    source = of_path(path)
    shape = values.shape_of(source)
    try:
        for line in values.read(source, "lines" if shape in ("text", "nothing") else shape):
            if line.reason:
                refused.append(Problem(str(path), line.number, "", line.reason))
            elif not isinstance(line.value, dict):
                reason = f"found {found(line.value)}; accepted is a JSON object with step_labels"
                refused.append(Problem(str(path), line.number, "", reason))
            elif not isinstance(line.value.get("dataset") or "", str):
                reason = f"found {found(line.value['dataset'])}; accepted is a text"
                refused.append(Problem(str(path), line.number, "dataset", reason))
            else:
                if line.doubled:
                    reason = "found the key twice in one object; the last one counts"
                    refused.append(Problem(str(path), line.number, line.doubled, reason))
                yield line.number, line.value
    except BREAKS as exc:
        refused.append(Problem(str(path), 1, "", f"the file cannot be read: {exc}"))


def _entry(path: Path, line: int, row: dict[str, Any], usual: str, refused: list[Problem]) -> Entry | None:
    """The record with its key; None where it has none, or labels of no kind. Single labels that are none are told."""
    dataset = (row.get("dataset") or "").strip() or usual
    try:
        key = _key(row, dataset)
        refused += [Problem(str(path), line, name, reason) for name, reason in _odd(row)]
    except Refused as exc:
        refused.append(Problem(str(path), line, exc.field, exc.reason))
        return None
    return Entry(path, line, row, dataset, key)


def _key(row: dict[str, Any], dataset: str) -> str:
    try:
        (key,) = official.newest([row], dataset)
    except KeyError:
        accepted = "total_index, or query_index with sample_index, or record_id"
        raise Refused("total_index", f"found nothing that names the trajectory; accepted is {accepted}") from None
    except (ValueError, OverflowError) as exc:
        raise Refused("", f"found a number that is too long ({exc}); accepted are indices and dates") from None
    return key


def _odd(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The labels that are none, and why. Refused where there is nothing that could be labels."""
    said = row.get("step_labels")
    if not isinstance(said, (dict, list, type(None))):
        raise Refused("step_labels", f"found {found(said)}; accepted is an object, a list or null")
    if "step_labels" not in row:
        yield "step_labels", "found nothing, which says nothing of any step; accepted is an object, a list or null"
    try:
        for step, label in said.items() if isinstance(said, dict) else enumerate(said or ()):
            official.integer(step)
            if label is not None and official.integer(label) not in TERNARY:
                yield f"step_labels.{str(step)[:40]}", f"found {found(label)}; accepted is {ACCEPTED}"
    except ValueError as exc:
        raise Refused("step_labels", f"found a number that is too long ({exc}); accepted is {ACCEPTED}") from None


def _set_of(path: Path, sets: Sequence[str]) -> str:
    """The set of a file whose records do not say."""
    name = stem(path)
    begun = [one for one in sets or official.OFFSETS if name.lower().startswith(one.lower())]
    if begun:
        return max(begun, key=len)
    return sets[0] if len(sets) == 1 else name.split("__")[0]


def stem(path: Path) -> str:
    name = path.name
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name or path.name


def by_rater(said: Read, paths: Sequence[Path]) -> tuple[dict[str, dict[str, list[Entry]]], list[str]]:
    """The records by rater and set, and in words where a name was told another way. A rater of whom there is only an
    empty file has an empty list."""
    names, notes = _names(said.entries, paths)
    raters: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for one in said.entries:
        raters[names.get((one.folder, one.annotator), one.annotator)][one.dataset].append(one)
    for path, dataset in said.empty.items():
        folder = path.resolve().parent
        among = {name for (other, _), name in names.items() if other == folder}
        raters[among.pop() if len(among) == 1 else stem(path)][dataset].extend(())
    return {name: dict(sets) for name, sets in raters.items()}, notes


def _names(entries: Sequence[Entry], paths: Sequence[Path]) -> tuple[dict[tuple[Path, str], str], list[str]]:
    """By folder and annotator what the rater is called, where that is not just the annotator."""
    many = Counter(path.parent for path in {one.resolve() for one in paths})
    annotators: dict[Path, set[str]] = defaultdict(set)
    for one in entries:
        annotators[one.folder].add(one.annotator)
    mixed = _mixed(entries, {folder for folder, files in many.items() if files > 1})
    notes = [
        f"{one} holds what several annotators say of the same records: they go by annotator." for one in sorted(mixed)
    ]
    shared = {folder for folder, files in many.items() if files > 1} - mixed
    scattered = _scattered(one for one in entries if one.folder not in shared)
    tails = _tails(shared.union(*scattered.values()))
    names = {(folder, annotator): tails[folder] for folder in shared for annotator in annotators[folder] or {""}}
    for annotator, folders in sorted(scattered.items()):
        notes.append(f"Files in {len(folders)} folders are of {annotator} and of the same records: they go by folder.")
        for folder in folders:
            alone = len(annotators[folder]) == 1
            names[folder, annotator] = tails[folder] if alone else f"{tails[folder]}/{annotator}"
    return names, notes


def _mixed(entries: Iterable[Entry], shared: set[Path]) -> set[Path]:
    """The shared folders in which several annotators speak of one record."""
    voices: dict[tuple[Path, str, str], set[str]] = defaultdict(set)
    for one in entries:
        if one.folder in shared:
            voices[one.folder, one.dataset, one.key].add(one.annotator)
    return {folder for (folder, _, _), said in voices.items() if len(said) > 1}


def _scattered(entries: Iterable[Entry]) -> dict[str, set[Path]]:
    """The annotators of whom one record has labels in several folders, and those folders."""
    places: dict[tuple[str, str, str], set[Path]] = defaultdict(set)
    for one in entries:
        places[one.annotator, one.dataset, one.key].add(one.folder)
    several: dict[str, set[Path]] = defaultdict(set)
    for (annotator, _, _), folders in places.items():
        if len(folders) > 1:
            several[annotator] |= folders
    return several


def _tails(folders: set[Path]) -> dict[Path, str]:
    """A name for each: the last part of its path, or as many as tell it apart."""
    names = {}
    for folder in folders:
        others = folders - {folder}
        parts = next(
            n for n in range(1, len(folder.parts) + 1) if not any(_tail(o, n) == _tail(folder, n) for o in others)
        )
        names[folder] = _tail(folder, parts)
    return names


def _tail(folder: Path, parts: int) -> str:
    return "/".join(folder.parts[-parts:])
