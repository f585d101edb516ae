"""What rubrics come to beyond their score: what to mend, and what a retry gained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annotations.records import Json
from annotations.schemes.fields import RubricField
from annotations.schemes.fields.base import NOTHING, Around


def unmet(spec: RubricField, value: Mapping[str, str], around: Around = NOTHING) -> list[str]:
    """The items answered no, in the rubric's order: for a retry (HeRL), for the next edit (ProImage-Bench)."""
    return [name for name in spec.asked(around) if value.get(name) == "no"]


def retry_bonus(
    spec: RubricField, first: Mapping[str, str], retry: Mapping[str, str], around: Around = NOTHING
) -> float | None:
    """The rubric score of a retry less that of the first attempt (HeRL)."""
    before, after = spec.points(first, around), spec.points(retry, around)
    return None if before is None or after is None else after - before


def verified(answer: Json, flaws: Iterable[Json], points: float | None, limit: float) -> bool:
    """Whether a rollout counts in Verified Pass@N (RRM): right answer, no flawed step, rubric score at the limit.

    `flaws` is what was said of each step. That a flawed step alone keeps it out is our reading.
    """
    return answer == 1 and all(one == ["none"] for one in flaws) and points is not None and points >= limit
