"""When two steps are the same: by what they did, and by all that was said, done and seen. Ids of calls do not count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from annotations.records import Json
from annotations.rendering.parts import Part, Told, parts, text_of


def action_hash(step: Told) -> str:
    """Equal for equal actions: the same tools with the same arguments, however these are spaced or ordered; where
    nothing was called, the same words. 16 hexadecimal digits."""
    calls = [[str(one.get("name") or ""), _canonical(one.get("arguments"))] for one in step.tool_calls]
    return _digest(["calls", *(part for call in calls for part in call)] if calls else ["says", _folded(step.message)])


def seen_hash(observations: Iterable[Json]) -> str:
    """Equal where equal things came back, in the same order, their white space folded; "" where nothing did. Only what
    was seen counts, not the ids of calls nor how long they took. 16 hexadecimal digits."""
    texts = [_folded(text_of(one.get("content") if isinstance(one, dict) else one)) for one in observations]
    return _digest(["seen", *texts]) if texts else ""


def turn_hash(source: str, step: Told, told: Iterable[Part] | None = None) -> str:
    """Equal where all a reader sees of the two steps is equal. 16 hexadecimal digits. `told`: its parts, where the
    caller has them."""
    return _digest([source, *(text for part in (parts(step) if told is None else told) for text in _seen(part))])


def sequence_hash(hashes: Iterable[str]) -> str:
    """Equal for equal hashes in the same order. 32 hexadecimal digits; migration 0009 has it in SQL."""
    return hashlib.sha256(",".join(hashes).encode()).hexdigest()[:32]


def _seen(part: Part) -> Iterator[str]:
    yield from (part.kind, part.title, part.text)
    yield from (image.mark for image in part.images)


def _canonical(arguments: Json) -> str:
    """JSON with its keys in order and no spaces of its own; what is no JSON, with its white space folded."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return _folded(arguments)
    try:
        return json.dumps(arguments, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except (TypeError, RecursionError):
        return _folded(text_of(arguments))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _digest(texts: Iterable[str]) -> str:
    whole = hashlib.blake2b(digest_size=8)
    for text in texts:
        whole.update(text.encode(errors="surrogatepass"))
        whole.update(b"\x1f")
    return whole.hexdigest()
