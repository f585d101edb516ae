"""How the two sample annotators label: like the author, except where people really differ."""

from __future__ import annotations

from collections.abc import Callable

# What happened at a step, the author's label, a number that varies from rollout to rollout → the person's label.
Judgement = Callable[[str, int, int], int]


def strict(what: str, label: int, turn: int) -> int:
    """Maya: a call that does not parse is a mistake; thinking aloud brings nothing."""
    if what == "broken-call":
        return -1 if turn % 2 else 0
    if what == "repeat":
        return -1 if turn % 3 == 0 else 0
    return label


def lenient(what: str, label: int, turn: int) -> int:
    """Tomas: checking twice is fine, thinking aloud is work, and a slip whose call succeeds is easily overlooked."""
    if what in {"repeat", "thinking"}:
        return 1
    if what == "loop":
        return 0 if turn % 2 else -1
    if what == "slip" and turn % 3 == 0:
        return 1
    if what == "correction" and turn % 4 == 0:
        return 0
    return label


PEOPLE: dict[str, Judgement] = {"maya": strict, "tomas": lenient}
