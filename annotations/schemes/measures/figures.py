"""Small figures over pairs of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from annotations.records import Json


def mean_shift(grades: Iterable[tuple[float, float]]) -> float | None:
    """How far grades moved on the mean from before to after the outcome was shown (RLHS)."""
    shifts = [after - before for before, after in grades]
    return sum(shifts) / len(shifts) if shifts else None


def mean_absolute_error(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Of estimates against what was labelled (PRIMO)."""
    errors = [abs(one - other) for one, other in pairs]
    return sum(errors) / len(errors) if errors else None


def share_of(pairs: Iterable[tuple[Json, Json]], before: Json, now: Json) -> float | None:
    """Of what an older label called `before`, the share that is `now` (3LF's audit of binary formality)."""
    found = [after for older, after in pairs if older == before]
    return found.count(now) / len(found) if found else None


def aligned(similarity: float, limit: float = 0.5) -> bool:
    """Whether a prediction counts as the true action (LongNAP)."""
    return similarity >= limit


def majority(votes: Iterable[Json]) -> Json:
    """What most raters say; None where nobody does or the first two are level, which goes to review (KAT-V1)."""
    first = Counter(votes).most_common(2)
    return None if not first or (len(first) == 2 and first[0][1] == first[1][1]) else first[0][0]


def f1(found: int, asked: int, needed: int) -> float | None:
    """Of what was `found` among those asked for and those needed (DiagBench's examinations, TRM's wrong sentences)."""
    return 2 * found / (asked + needed) if asked + needed else None
