"""Features beside those that the embedded scorer always has: they may be missing, and a model says which it learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.records import TrajectoryRecord

Table = list[list[list[float]] | None]

MEANING = "meaning"


@dataclass(frozen=True)
class Extra:
    """`table` gives for each rollout of ONE task the values of `names` for each agent step, or None where there are
    none of that rollout: so it may be where it is somebody's word (`heard`). `identity` is kept with a model: only the
    same extra may be read for it again."""

    kind: str
    names: tuple[str, ...]
    identity: dict[str, Any]
    table: Callable[[Sequence[TrajectoryRecord]], Table]
    heard: bool = False


class MissingExtra(ValueError):
    """A model has learned of features that are not to be had here. The message says which."""


def wanted(kept: dict[str, Any], there: Sequence[Extra]) -> list[Extra]:
    """Of the extras there are, those a model has learned: kind → identity. MissingExtra where one is not there."""
    found = [one for kind, identity in kept.items() for one in there if (one.kind, one.identity) == (kind, identity)]
    if missing := sorted(set(kept) - {one.kind for one in found}):
        raise MissingExtra(f"what it learned of {', '.join(missing)} ({kept[missing[0]]}) is not to be had here")
    return found
