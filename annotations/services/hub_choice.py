"""Which files of a dataset on the Hugging Face hub are its data, and which somebody asks for. Never a script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from annotations.services.sources import DATA, PICTURES

PACKED = frozenset([".zip", ".tar", ".tgz", ".gz", ".zst"])
TEXT = frozenset([".txt"])
ACCEPTED = DATA | PICTURES | PACKED | TEXT
BESIDE = {"manifest.json", "dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"}
SHOWN = 20


class HubRefused(Exception):
    """Why nothing came from the hub; the message says what was found and what is accepted."""


@dataclass(frozen=True)
class HubFile:
    """A file of a dataset, by its path in it."""

    path: str
    size: int

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path.lower()).suffix


def chosen(files: Sequence[HubFile], configs: Any, only: str = "") -> list[HubFile]:
    """The data files to fetch, in the order of their paths. `configs` is what the dataset's card says of its files,
    `only` a file, a folder, a pattern, a split or a configuration. Raises HubRefused."""
    data = sorted(filter(_is_data, files), key=lambda one: one.path)
    if not data:
        kinds = Counter(one.suffix or PurePosixPath(one.path).name for one in files)
        told = ", ".join(f"{suffix} ({many})" for suffix, many in kinds.most_common(8)) or "nothing"
        raise HubRefused(f"found {told} in the dataset; accepted are {', '.join(sorted(ACCEPTED - PICTURES))}")
    said = list(_card(configs))
    if only:
        return _asked(data, said, only.strip().strip("/"))
    named = [one for one in data if any(_fits(one.path, pattern) for *_, pattern in said)]
    usual = [one for one in data if PurePosixPath(one.path).name not in BESIDE]
    return named or usual or data


def _is_data(one: HubFile) -> bool:
    """Data by its name, which leads nowhere else and hides nothing."""
    parts = PurePosixPath(one.path).parts
    plain = bool(parts) and not one.path.startswith("/") and "\\" not in one.path and "\x00" not in one.path
    return plain and one.suffix in ACCEPTED and not any(part.startswith(".") for part in parts)


def _asked(data: list[HubFile], said: list[tuple[str, str, str]], only: str) -> list[HubFile]:
    ways = (
        lambda path: path == only,
        lambda path: path.startswith(f"{only}/"),
        lambda path: any(only in (config, split, f"{config}/{split}") and _fits(path, p) for config, split, p in said),
        lambda path: fnmatchcase(path, only),
        lambda path: bool(re.search(rf"(?:^|[/_.\- ]){re.escape(only)}(?:[/_.\- \d]|$)", path)),
    )
    for way in ways:
        if found := [one for one in data if way(one.path)]:
            return found
    splits = sorted({split for _, split, _ in said} | {config for config, *_ in said})
    more = f" and {len(data) - SHOWN} more" if len(data) > SHOWN else ""
    listed = ", ".join(one.path for one in data[:SHOWN])
    raise HubRefused(
        f"found nothing called {only!r}; accepted are the files {listed}{more}"
        + (f", or {', '.join(splits)} of its card" if splits else "")
    )


def _card(configs: Any) -> Iterator[tuple[str, str, str]]:
    """Configuration, split and pattern, as a card declares its files; nothing where it says it in another way."""
    for config in configs if isinstance(configs, list) else ():
        if not isinstance(config, Mapping):
            continue
        name = str(config.get("config_name") or "default")
        files = config.get("data_files")
        for one in files if isinstance(files, list) else [files]:
            split, paths = (one.get("split"), one.get("path")) if isinstance(one, Mapping) else ("train", one)
            for path in paths if isinstance(paths, list) else [paths]:
                if isinstance(path, str) and path:
                    yield name, str(split or "train"), path.removeprefix("./")


def _fits(path: str, pattern: str) -> bool:
    """As the card means it: `**` is any folders, and `*` stays within one."""
    parts = (
        {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
        for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    )
    return path == pattern or re.fullmatch("".join(parts), path) is not None
