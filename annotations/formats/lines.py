"""JSON values and their texts: lines of a file, whatever is in them. Streaming: one line is in memory at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from math import isinf
from typing import IO, overload

from annotations.formats.opening.unpacking import BREAKS, Broken
from annotations.records import Json

# What one line may ask of memory. One of plain text takes three times its bytes; a hostile one at all three limits some
# 4 GB, for what is parsed of it is bound by what it can hold of values.
LONGEST = 512 * 2**20  # bytes; a longer line is reported and passed over, however little it took compressed
MOST = 4_000_000  # opening brackets; parsed, each can be an object of two hundred bytes
MOST_VALUES = 40_000_000  # commas, in texts or between values; parsed, a value can take sixty bytes
DEEPEST = 200  # levels; pages and workers read back what is stored, with less stack to spare than here
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
NUL, REPLACEMENT = "\u2400", "\ufffd"

_suspicious = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_unstorable = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Line:
    """One line that is not blank: its value, or the reason why there is none. `raw` is what stands there. `replaced`
    counts what was made visible: NUL as ␀, a lone surrogate or a byte that is no UTF-8 as U+FFFD. `doubled` names a
    key that one of its objects has twice; the last counts."""

    number: int
    value: Json = None
    reason: str = ""
    replaced: int = 0
    doubled: str = ""
    raw: bytes = field(default=b"", compare=False, repr=False)


def read(stream: IO[bytes]) -> Iterator[Line]:
    """The lines of the stream. One that breaks off ends with a line that says so."""
    number = 0
    try:
        while raw := stream.readline(LONGEST):
            number += 1
            if len(raw) == LONGEST and not raw.endswith(b"\n"):
                _pass_over_rest(stream)
                yield Line(number, reason=f"the line is longer than {LONGEST >> 20} MiB")
            elif number == 1 and raw.startswith(UTF_16):
                yield Line(number, reason="found UTF-16; accepted is UTF-8")
                return
            elif raw := (raw.removeprefix(BOM) if number == 1 else raw).strip():
                yield parse(number, raw)
    except BREAKS as exc:
        yield Line(number + 1, reason=broken(exc))


def broken(exc: Exception) -> str:
    return str(exc) if isinstance(exc, Broken) else f"the file breaks off here ({exc})"


def count(stream: IO[bytes]) -> int:
    """How many lines there are, for showing progress; those that can be read where it breaks off."""
    total, last = 0, b"\n"
    try:
        while block := stream.read(2**20):
            total, last = total + block.count(b"\n"), block
    except BREAKS:
        pass
    return total + (not last.endswith(b"\n"))


def parse(number: int, raw: bytes) -> Line:
    """The JSON value of one line. NaN, infinities, nesting beyond DEEPEST, more than MOST brackets or MOST_VALUES
    commas are refused."""
    brackets = raw.count(b"[") + raw.count(b"{")
    if brackets > MOST:
        return Line(number, reason=f"the line has {brackets:,} opening brackets; accepted are up to {MOST:,}")
    if (commas := raw.count(b",")) > MOST_VALUES:
        return Line(number, reason=f"the line has {commas:,} commas; accepted are up to {MOST_VALUES:,}")
    text, replaced = decoded(raw)
    twice = _Twice()
    try:
        value = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse, object_pairs_hook=twice.take).decode(text)
    except RecursionError:
        return Line(number, reason=_too_deep, raw=raw)
    except ValueError as exc:
        return Line(number, reason=f"not JSON: {str(exc)[:200]}", raw=raw)
    if brackets > DEEPEST and _depth_exceeds(value, DEEPEST):
        return Line(number, reason=_too_deep, raw=raw)
    if _suspicious.search(text):
        value, more = storable(value)
        replaced += more
    return Line(number, value, replaced=replaced, doubled=twice.key, raw=raw)


class _Twice:
    """Makes objects, and remembers the first key that one of them had twice."""

    def __init__(self) -> None:
        self.key = ""

    def take(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(pairs)
        if len(made) != len(pairs) and not self.key:
            seen: set[str] = set()
            self.key = next(key for key, _ in pairs if key in seen or seen.add(key))[:80]  # type: ignore[func-returns-value]
        return made


def dump(value: Json) -> str:
    """JSON as a line holds it: compact, in the order it came, every character as itself. ValueError for NaN,
    RecursionError for what is nested too deep."""
    if isinstance(value, str):
        return encode_basestring(value)
    if not value and isinstance(value, (tuple, list, dict)):
        return "{}" if isinstance(value, dict) else "[]"  # most that is dumped is empty
    return "".join(_encoded(value, 0))


def load(text: str) -> Json:
    """What dump wrote."""
    return [] if text == "[]" else {} if text == "{}" else _decoder.decode(text)


class Packed(Sequence[Json]):
    """A JSON list kept as its text until somebody looks inside; who only writes it out again never has to."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def _unpacked(self) -> list[Json]:
        value: list[Json] = _decoder.decode(self.text)
        return value

    def __len__(self) -> int:
        return len(self._unpacked())

    def __iter__(self) -> Iterator[Json]:
        return iter(self._unpacked())

    @overload
    def __getitem__(self, place: int) -> Json: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Json]: ...
    def __getitem__(self, place: int | slice) -> Json:
        return self._unpacked()[place]


def storable(value: Json) -> tuple[Json, int]:
    """The value with every character a database text cannot hold made visible, keys included, and how many."""
    if isinstance(value, str):
        return _unstorable.subn(lambda hit: NUL if hit[0] == "\x00" else REPLACEMENT, value)
    if isinstance(value, list):
        cleaned = [storable(one) for one in value]
        return [one for one, _ in cleaned], sum(n for _, n in cleaned)
    if isinstance(value, dict):
        pairs = [(storable(key), storable(one)) for key, one in value.items()]
        return {key[0]: one[0] for key, one in pairs}, sum(key[1] + one[1] for key, one in pairs)
    return value, 0


def _pass_over_rest(stream: IO[bytes]) -> None:
    while (rest := stream.readline(2**20)) and not rest.endswith(b"\n"):
        pass


def decoded(raw: bytes) -> tuple[str, int]:
    """The text, with what no text is made visible, and how often that was."""
    nuls = raw.count(b"\x00")
    if nuls:
        raw = raw.replace(b"\x00", NUL.encode())
    try:
        return raw.decode(), nuls
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
        return text, nuls + text.count(REPLACEMENT) - raw.count(REPLACEMENT.encode())


def _depth_exceeds(value: Json, limit: int) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > limit:
            return True
        inner: list[Json] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(item for item in one.values() if isinstance(item, (dict, list)))
            elif isinstance(one, list):
                inner.extend(item for item in one if isinstance(item, (dict, list)))
        level = inner
    return False


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _refuse(name: str) -> float:
    raise ValueError(f"found {name}, which JSON does not have")


_too_deep = f"nested more than {DEEPEST} levels deep"
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
# JSONEncoder.encode makes this anew for every value, which takes longer than most values do. None: no compiled one.
_compiled = getattr(json.encoder, "c_make_encoder", None)
_encoded: Callable[[Json, int], Iterable[str]] = (
    _compiled(None, _encoder.default, encode_basestring, None, ":", ",", False, False, False)
    if _compiled
    else lambda value, _: _encoder.iterencode(value)
)
_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
