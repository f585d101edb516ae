"""What an adjudication came to: how far raters agreed before, who said what was decided, and how often the adjudicator
stayed with what they had decided before they saw the others. Weighed as it is settled: raters may change their minds.

    {"fields": {FIELD: NUMBERS}, "raters": {RATER: {FIELD: {"n": places decided, "same": of these answered so}}},
     "overruled": [PLACE, …], "changed": [PLACE, …]}

NUMBERS are "places" that two raters or more answered, of these "alike" where all say the same; "pairs" of raters at
such places, of these "same"; "majority", places that had to be decided though more than half say the same, of these
"overruled"; "blind", places decided before the others were seen, of these "kept" to the end.

By hand: ann, bob and cyd say 1, 1, -1 and it is decided -1: three pairs, one of them the same; a majority, overruled;
cyd has said what was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from annotations.formats.lines import dump
from annotations.models import Adjudication
from annotations.records import Json
from annotations.services import adjudication_places as places
from annotations.services.adjudication_places import Spot
from annotations.services.projects import scheme_of

NUMBERS = ("places", "alike", "pairs", "same", "majority", "overruled", "blind", "kept")


def weigh(found: Iterable[Spot]) -> dict[str, Any]:
    """What those places come to, once everything is decided."""
    told: dict[str, Any] = {"fields": {}, "raters": {}, "overruled": [], "changed": []}
    for spot in found:
        final = spot.decided.value if spot.decided else spot.agreed
        numbers = told["fields"].setdefault(spot.spec.name, dict.fromkeys(NUMBERS, 0))
        _add(numbers, _before(spot))
        if final is None:
            continue
        for one in spot.voices:
            fields = told["raters"].setdefault(str(one.rater.pk), {})
            _add(fields.setdefault(spot.spec.name, {"n": 0, "same": 0}), {"n": 1, "same": _same(one.value, final)})
        after = _after(spot, final)
        _add(numbers, after)
        told["overruled"] += [spot.path] * after["overruled"]
        told["changed"] += [spot.path] * (after["blind"] - after["kept"])
    return told


def of(adjudication: Adjudication) -> dict[str, Any]:
    """The same of one that was settled before this was kept, from what its raters say now."""
    scheme = scheme_of(adjudication.project.scheme)
    found = places.spots(
        scheme, adjudication.trajectory_id, everybody=adjudication.everybody, besides=adjudication.annotation_id
    )
    for spot in found:
        spot.first = adjudication.firsts.get(spot.path)
    return weigh(found)


def sums(settled: Iterable[Adjudication]) -> dict[str, Any]:
    """What all of them come to together, without the places."""
    total: dict[str, Any] = {"trajectories": 0, "fields": {}, "raters": {}}
    for weighed in filter(None, (one.weighed for one in settled)):
        total["trajectories"] += 1
        for field, numbers in weighed["fields"].items():
            _add(total["fields"].setdefault(field, {}), numbers)
        for rater, fields in weighed["raters"].items():
            for field, numbers in fields.items():
                _add(total["raters"].setdefault(rater, {}).setdefault(field, {}), numbers)
    return total


def _before(spot: Spot) -> dict[str, int]:
    """How far the raters agree."""
    said = [dump(one.value) for one in spot.voices]
    if len(said) < 2:
        return {}
    pairs = list(combinations(said, 2))
    return {
        "places": 1,
        "alike": len(set(said)) == 1,
        "pairs": len(pairs),
        "same": sum(one == other for one, other in pairs),
    }


def _after(spot: Spot, final: Json) -> dict[str, int]:
    """What became of the majority and of the first decision."""
    often = Counter(dump(one.value) for one in spot.voices).most_common(1)
    most, count = often[0] if often else ("", 0)
    overruled = most != dump(final)
    majority = len(spot.voices) > 1 and 2 * count > len(spot.voices) and (spot.differs or overruled)
    blind = spot.first is not None
    return {
        "majority": int(majority),
        "overruled": int(majority and overruled),
        "blind": int(blind),
        "kept": int(blind and _same(spot.first, final)),
    }


def _same(one: Json, other: Json) -> int:
    return int(dump(one) == dump(other))


def _add(to: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        to[name] = to.get(name, 0) + int(number)
