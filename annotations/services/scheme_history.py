"""Which pass came from which over changes of the scheme, and which of before is good again as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from annotations.models import Annotation, Event

CARRIED = "scheme.carried_over"  # a pass got a successor under another version
RESTORED = "scheme.restored"  # a pass of before is in force again


def earlier(annotations: Sequence[Annotation], version: int | None) -> dict[int, Annotation]:
    """By live pass, the one under that scheme version that it came from, where nobody has said anything new since."""
    live = {one.pk: one for one in annotations}
    walking = {pk: pk for pk in live}  # where the walk back stands → the pass it began with
    found: dict[int, Annotation] = {}
    seen = set(live)
    while walking and version is not None:
        steps = {before: walking[now] for now, before in _before(list(walking)) if before not in seen}
        rows = Annotation.objects.filter(pk__in=steps).select_related("rater").in_bulk()
        seen |= set(steps)
        walking = {}
        for before, began in steps.items():
            row = rows.get(before)
            if row is None or began in found or not _same(row, live[began]):
                continue
            if row.scheme_id == version:
                found[began] = row
            else:
                walking[before] = began
    return found


def _before(annotations: Sequence[int]) -> list[tuple[int, int]]:
    """Each pass with those whose place it took, the newest first."""
    events = Event.objects.filter(verb__in=(CARRIED, RESTORED), annotation__in=annotations).order_by("-pk")
    rows = events.values_list("annotation", "before__annotation")
    return [(now, before) for now, before in rows if now is not None and isinstance(before, int)]


def _same(row: Annotation, live: Annotation) -> bool:
    """Whether nothing was said between the two: every word on a pass makes its revision grow."""
    return row.revision == live.revision and row.trajectory_id == live.trajectory_id
