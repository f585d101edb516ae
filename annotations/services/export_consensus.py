"""One word out of several raters' words on a trajectory, by a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from annotations.formats.lines import dump
from annotations.records import Json


@dataclass(frozen=True)
class Word:
    """What is said of one trajectory, steps by their places: `values` in the scheme's main field, `grades` of them.
    `final` is the verdict as it was given, `verdict` its grade, `reasons` stand beside the labels themselves."""

    by: str = ""
    values: Mapping[int, Json] = field(default_factory=dict)
    grades: Mapping[int, int] = field(default_factory=dict)
    final: Json = None
    verdict: int | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    explanations: Mapping[int, str] = field(default_factory=dict)
    final_explanation: str = ""
    corrections: Mapping[int, str] = field(default_factory=dict)
    propagated: frozenset[int] = frozenset()
    comment: str = ""
    updated_at: str = ""

    @property
    def places(self) -> set[int]:
        return {*self.values, *self.grades}

    def at(self, place: int) -> str:
        """What is said of the step, so that two who say the same have the same."""
        return str(self.grades[place]) if place in self.grades else dump(self.values[place])


def differ(words: Sequence[Word]) -> bool:
    """Whether two of them say something else of one step, or of the whole."""
    said: dict[int | None, set[str]] = {}
    for word in words:
        for place in word.places:
            said.setdefault(place, set()).add(word.at(place))
        if word.final is not None:
            said.setdefault(None, set()).add(_final(word))
    return any(len(one) > 1 for one in said.values())


def agreed(words: Sequence[Word], rule: str) -> Word:
    """What holds by the rule. A step of which nothing holds has no label."""
    if len(words) == 1 and rule != "one":
        return replace(words[0], by=f"consensus:{rule}")
    if len(words) < 2:
        return words[0] if words else Word()
    places = sorted(set().union(*(word.places for word in words)))
    holds = {place: _held([w for w in words if place in w.places], rule, place) for place in places}
    chosen = {place: group for place, group in holds.items() if group}
    final = _held([word for word in words if word.final is not None], rule, None)
    return Word(
        by=f"consensus:{rule}",
        values={place: said for place, group in chosen.items() if (said := _value(group, place)) is not None},
        grades={place: group[0].grades[place] for place, group in chosen.items() if place in group[0].grades},
        final=_commonest([word.final for word in final]),
        verdict=final[0].verdict if final else None,
        reasons=_first(chosen, "reasons"),
        explanations=_first(chosen, "explanations"),
        final_explanation=next((word.final_explanation for word in final if word.final_explanation), ""),
        corrections=_first(chosen, "corrections"),
        propagated=frozenset(p for p, group in chosen.items() if all(p in word.propagated for word in group)),
        updated_at=max(word.updated_at for word in words),
    )


def _held(words: Sequence[Word], rule: str, place: int | None) -> list[Word]:
    """Those whose word holds; nobody where none does."""
    says = [word.at(place) if place is not None else _final(word) for word in words]
    wrong = [word for word in words if (word.grades.get(place) if place is not None else word.verdict) == -1]
    if rule == "any-wrong" and wrong:
        return wrong
    counted = Counter(says).most_common(2)
    if not counted or (len(counted) > 1 and (rule == "unanimous" or counted[0][1] == counted[1][1])):
        return []
    return [word for word, said in zip(words, says, strict=True) if said == counted[0][0]]


def _final(word: Word) -> str:
    return str(word.verdict) if word.verdict is not None else dump(word.final)


def _value(words: Sequence[Word], place: int) -> Json:
    return _commonest([word.values[place] for word in words if place in word.values])


def _commonest(values: Sequence[Json]) -> Json:
    """The value most of them have; of several the first in the order of their text."""
    if not values:
        return None
    counted = Counter(dump(value) for value in values)
    best = min(counted, key=lambda text: (-counted[text], text))
    return next(value for value in values if dump(value) == best)


def _first(chosen: Mapping[int, Sequence[Word]], name: str) -> dict[int, str]:
    found = {place: (getattr(word, name).get(place) for word in group) for place, group in chosen.items()}
    return {place: text for place, texts in found.items() if (text := next(filter(None, texts), ""))}
