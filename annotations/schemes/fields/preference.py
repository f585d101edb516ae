"""Which of several is better: rollouts of a task, or steps that were tried at the same place."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Literal

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, FieldSpec, Unit, is_whole

TIE = "tie"


class PreferenceField(FieldSpec):
    """Compares rollouts (target `task`, named by their rollout numbers) or sibling steps (target `step`, by index).

    `pair`: one label a pair, at the field `name@2-5`, that stores the better one's number or "tie"; with `both_orders`
    5-2 is asked as well, the other way round, so that who always takes the first is found out. `best` stores the best
    one's number or "tie"; `rank` all of them as [[best], [second, as good as this], …]. Candidates are shown shuffled,
    in an order of each rater's own, and without saying where they come from.
    """

    kind: Literal["preference"]
    level: Literal["nominal", "ranking"] = "nominal"
    target: Literal["step", "task"] = "task"
    form: Literal["pair", "best", "rank"] = "pair"
    ties: bool = True
    both_orders: bool = False

    def problem(self) -> str:
        if (self.form == "rank") != (self.level == "ranking"):
            return "a rank has the level ranking, a pair or a best one nominal"
        return "only pairs are asked in both orders" if self.both_orders and self.form != "pair" else ""

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        bad = self._bad_rank(value, around) if self.form == "rank" else self._bad_pick(value, around)
        return f"{self.name} takes {' or '.join(map(str, self.accepted(around)))}, not {value!r}" if bad else ""

    def _bad_pick(self, value: Json, around: Around) -> bool:
        if value == TIE:
            return not self.ties
        return not is_whole(value) or (around.candidates is not None and value not in around.candidates)

    def _bad_rank(self, value: Json, around: Around) -> bool:
        if not isinstance(value, list) or not all(isinstance(group, list) and group for group in value):
            return True
        ranked = [one for group in value for one in group]
        if len(ranked) < 2 or not all(map(is_whole, ranked)) or len(set(ranked)) != len(ranked):
            return True
        if any(group != sorted(group) for group in value) or (not self.ties and len(value) != len(ranked)):
            return True
        return around.candidates is not None and set(ranked) != set(around.candidates)

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        candidates: list[Json] = list(around.candidates or [])
        if self.form == "rank":
            named = f" of {', '.join(map(str, candidates))}" if candidates else ""
            return [f"a list of groups{named}, the best first, each group in ascending order"]
        return [*(candidates or ["the number of a candidate"]), *([TIE] if self.ties else [])]

    def in_order(self, value: Json) -> Json:
        groups = self.form == "rank" and isinstance(value, list) and all(isinstance(one, list) for one in value)
        return [sorted(one) if all(map(is_whole, one)) else one for one in value] if groups else value

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        one: dict[str, Json] = {"type": "integer"} if around.candidates is None else {"enum": list(around.candidates)}
        if self.form == "rank":
            most = {} if self.ties else {"maxItems": 1}
            group = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True, **most}
            return {"type": "array", "items": group, "minItems": 1}
        return {"anyOf": [one, {"const": TIE}]} if self.ties else one

    def pairs(self, candidates: list[int]) -> list[tuple[int, int]]:
        """What is asked, first shown first; both orders where both are asked."""
        found = list(combinations(candidates, 2))
        return found + [(other, one) for one, other in found] if self.both_orders else found

    def units(self, value: Json) -> list[Unit]:
        if self.form != "rank":
            return [Unit("", value)]
        place = {one: number for number, group in enumerate(value) for one in group}
        return [Unit(f"{one}-{other}", _better(place, one, other)) for one, other in combinations(sorted(place), 2)]

    def moved(self, value: Json, steps: Mapping[int, int]) -> Json:
        if self.target != "step":
            return value
        if self.form != "rank":
            return value if value == TIE else steps.get(value)
        found = [[steps.get(one) for one in group] for group in value]
        gone = any(None in group for group in found)
        return None if gone else [sorted(one for one in group if one is not None) for group in found]

    def words(self, value: Json) -> str:
        if self.form == "rank":
            return " > ".join(" = ".join(map(str, group)) for group in value)
        return "tie" if value == TIE else f"{value} is better"

    def sample(self, around: Around = NOTHING) -> Json:
        candidates = sorted(around.candidates or [0, 1])
        return [[one] for one in candidates] if self.form == "rank" else candidates[0]


def _better(place: dict[int, int], one: int, other: int) -> Json:
    if place[one] == place[other]:
        return TIE
    return one if place[one] < place[other] else other
