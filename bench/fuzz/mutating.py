"""Mutations that keep the form of what they change: values within JSON, members within archives, lines within texts."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import zstandard

from bench.fuzz.seeds import tarred, zipped

Raw = Callable[[bytes, int], bytes]
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.5, -0.0, 1e308, 2**31 - 1, 2**31, 2**53, 2**63, 2**70, -(2**40), 10**400),
    *("", " ", "x", "0", "1", "-1", "1e5", "nan", "Infinity", "{", "[]", "{}", "null", '"', "\\", "\x00", "\ud800"),
    *("😀", "é" * 500, "\u2028", "\r\n", "a\n\n\nb", "٣", "²", "True", "2024-02-30T25:00:00Z", "2024-01-01T00:00:00Z"),
    *('{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '["\\ud800"]', "[" * 3000, '{"a":' * 500, "9" * 5000),
    *("data:image/png;base64,iVBORw0KGgo=", "data:;base64,%%%", "../x", "/x", "C:\\x", "http://[", "system", "user"),
    *([], {}, [None], [[]], [{}], [1, "a"], {"a": 1}, {"": ""}, [{"role": "user"}], [[["x"]]], {"role": 1}),
)
BYTES = (b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b",", b'"', b"[", b"]", b"{", b"}", b"NaN")
USTAR = b"ustar"
FIELDS = b"\x00\x01\x08\x0c\x0e\x5d\x7f\x80\xff 0157xgLKS"  # methods, kinds of entries, digits, signs
NAMES = (
    "../out",
    "/root",
    "a/b/c.json",
    "a.jsonl.gz",
    "a.zip",
    "a.tar",
    ".hidden",
    "a\\b",
    "C:/x",
    "",
    "a.csv",
    "é.json",
)


class Mutator:
    """`raw` is libFuzzer's own mutation, `words` what stands in the seeds."""

    def __init__(self, raw: Raw, seeds: list[bytes]) -> None:
        self.raw, self.dice = raw, random.Random(0)
        known = [value for seed in seeds for _, value in _values(seed)]
        self.parts = [one for value in known for *_, one in _places(value)] or [None]
        self.keys = sorted({key for value in known for holder, key, _ in _places(value) if isinstance(holder, dict)})
        lines = {line.strip() for seed in seeds for line in seed.splitlines() if len(line) < 200}
        self.pieces = [*sorted(lines), *(f'"{key}"'.encode() for key in self.keys), *BYTES]

    def __call__(self, content: bytes, most: int, seed: int) -> bytes:
        self.dice.seed(seed)
        made = self.packed(content, most) if self.dice.random() > 0.04 else self.raw(content, most)
        return made if len(made) <= most else content[:most]

    def packed(self, content: bytes, most: int, depth: int = 0) -> bytes:
        """Changes what is packed, mostly, and packs it again."""
        if depth > 2 or self.dice.random() < 0.08:
            return self.text(content, most)
        if (content.startswith(b"PK") or content[257:262] == USTAR) and self.dice.random() < 0.4:
            return self.damaged(content)
        try:
            if content.startswith(b"\x1f\x8b"):
                inner = zlib.decompressobj(31).decompress(content, 2**20)
                return gzip.compress(self.packed(inner, most * 4, depth + 1), 1, mtime=0)
            if content.startswith(b"\x28\xb5\x2f\xfd"):
                inner = zstandard.ZstdDecompressor().decompressobj().decompress(content)[: 2**20]
                return zstandard.compress(self.packed(inner, most * 4, depth + 1))
            if content.startswith(b"PK\x03\x04"):
                return zipped(self.members(_unzipped(content), most, depth))
            if content[257:262] == USTAR:
                return tarred(self.members(_untarred(content), most, depth))
        except Exception:  # noqa: BLE001  # whatever damaged archives do to Python's own readers
            return self.raw(content, most)
        return self.document(content, most)

    def damaged(self, content: bytes) -> bytes:
        """An archive with fields of its headers changed; a tar's checksums fit, or nothing after them would be read."""
        made = bytearray(content)
        tar = content[257:262] == USTAR
        heads = [at for at in range(0, len(made) - 511, 512) if made[at + 257 : at + 262] == USTAR] if tar else []
        heads = heads or [hit.start() for hit in re.finditer(rb"PK[\1-\6][\1-\6]", content)] or [0]
        for _ in range(self.dice.choice((1, 1, 2, 4))):
            places = (self.dice.randrange(512), self.dice.randrange(100, 158), 156) if tar else range(4, 60)
            at, many = self.dice.choice(heads) + self.dice.choice(places), self.dice.choice((1, 1, 2, 4, 12))
            made[at : at + many] = bytes(self.dice.choice(FIELDS) for _ in range(many))
        for at in heads if tar and self.dice.random() < 0.9 else ():
            made[at + 148 : at + 156] = b" " * 8
            made[at + 148 : at + 156] = b"%06o\0 " % sum(made[at : at + 512])
        return bytes(made)

    def members(self, files: dict[str, bytes], most: int, depth: int) -> dict[str, bytes]:
        if not files:
            return {"a.json": b"{}"}
        name, dice = self.dice.choice(list(files)), self.dice.random()
        if dice < 0.8:
            return files | {name: self.packed(files[name], most, depth + 1)}
        if dice < 0.86:
            return {one: content for one, content in files.items() if one != name}
        if dice < 0.93:
            other = self.dice.choice([*NAMES, *files, f"{name}x", f"deep/{name}"])
            return {(other if one == name else one): content for one, content in files.items()}
        return files | {self.dice.choice([*NAMES, *(f"copy/{one}" for one in files)]): files[name]}

    def document(self, content: bytes, most: int) -> bytes:
        """Changes values where there is JSON: the whole, or a line of it."""
        found = list(_values(content))
        if not found or self.dice.random() < 0.12:
            return self.text(content, most)
        line, value = self.dice.choice(found)
        for _ in range(self.dice.choice((1, 1, 1, 2, 2, 3, 6))):
            value = self.value(value, most)
        try:
            text = json.dumps(value, ensure_ascii=self.dice.random() < 0.3).encode(errors="surrogatepass")
        except (ValueError, RecursionError):
            return self.raw(content, most)
        if line is None:
            return text
        rows = content.split(b"\n")
        rows[line] = text
        if self.dice.random() < 0.1:
            rows.insert(self.dice.randrange(len(rows) + 1), self.dice.choice(rows))
        return b"\n".join(rows)

    def value(self, value: Any, most: int) -> Any:
        """The value with one place within it changed."""
        places = list(_places(value))
        if not places or self.dice.random() < 0.02:
            return _copied(self.dice.choice((*ODD, [value], {"a": value}, *self.parts[:50])))
        holder, key, inner = self.dice.choice(places)
        dice = self.dice.random()
        if dice < 0.3:
            holder[key] = _copied(self.dice.choice(ODD))
        elif dice < 0.45:
            holder[key] = self.changed(inner, most)
        elif dice < 0.57:
            holder[key] = _copied(self.dice.choice((self.dice.choice(self.parts), self.dice.choice(places)[2])))
        elif dice < 0.67:
            del holder[key]
        elif isinstance(holder, list):
            self.order(holder, key, inner)
        elif dice < 0.9 and self.keys:
            other = self.dice.choice(self.keys)
            holder[other] = _copied(inner) if dice < 0.78 else _copied(self.dice.choice(self.parts))
            if dice < 0.72:
                holder.pop(key, None)
        else:
            holder[key] = json.dumps(inner)
        return value

    def order(self, holder: list[Any], key: int, inner: Any) -> None:
        dice = self.dice.random()
        if dice < 0.4:
            holder.insert(self.dice.randrange(len(holder) + 1), _copied(inner))
        elif dice < 0.7:
            self.dice.shuffle(holder)
        elif dice < 0.8:
            del holder[key:]
        else:
            holder.insert(key, _copied(self.dice.choice(ODD)))

    def changed(self, value: Any, most: int) -> Any:
        """A value of the same kind, mostly."""
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self.dice.choice((value + 1, value - 1, -value, value * 2**32, value % 2**60 / 4, str(value)[:40]))
        if isinstance(value, float):
            return self.dice.choice((-value, value * 1e300, round(value, 1), str(value)))
        if isinstance(value, str):
            try:
                inner = json.loads(value)
            except (ValueError, RecursionError):
                inner = None
            if isinstance(inner, dict | list) and self.dice.random() < 0.8:
                return json.dumps(self.value(inner, most))
            return self.text(value.encode(errors="replace"), most).decode(errors="replace")
        return json.dumps(value) if self.dice.random() < 0.5 else [value]

    def text(self, content: bytes, most: int) -> bytes:
        """Pieces put in, cut out, doubled or changed places."""
        dice, length = self.dice.random(), len(content)
        at = self.dice.randrange(length + 1)
        end = min(length, at + self.dice.choice((1, 3, 10, 40, 200)))
        if dice < 0.25:
            return content[:at] + self.dice.choice(self.pieces) + content[at if dice < 0.15 else end :]
        if dice < 0.4:
            return content[:at] + content[end:]
        if dice < 0.5:
            return content[:end] + content[at:end] * self.dice.choice((1, 1, 2, 50)) + content[end:]
        if dice < 0.7:
            rows = content.split(b"\n")
            one, other = self.dice.randrange(len(rows)), self.dice.randrange(len(rows))
            if dice < 0.6:
                rows[one], rows[other] = rows[other], rows[one]
            else:
                rows.insert(one, rows[other] if dice < 0.65 else self.dice.choice(self.pieces))
            return b"\n".join(rows)
        return self.raw(content, most) if length else self.dice.choice(self.pieces)


def _values(content: bytes) -> Iterator[tuple[int | None, Any]]:
    """The JSON values: the whole's, or those of the lines, by these."""
    try:
        yield None, json.loads(content)
        return
    except (ValueError, RecursionError):
        pass
    for number, row in enumerate(content.split(b"\n")[:200]):
        if row[:1] in (b"{", b"["):
            try:
                yield number, json.loads(row)
            except (ValueError, RecursionError):
                continue


def _places(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every place within: what holds it, its key there, what stands there."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        inner = (
            list(holder.items()) if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        )
        for key, one in inner:
            yield holder, key, one
            waiting.append(one)


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {one.filename: archive.read(one) for one in archive.infolist()[:60] if one.file_size < 2**20}


def _untarred(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [one for one in archive if one.isreg() and one.size < 2**20][:60]
        return {one.name: found.read() for one in members if (found := archive.extractfile(one))}
