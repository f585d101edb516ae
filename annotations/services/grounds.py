"""What the answers about one trajectory may name, from the steps of a record: no table is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from annotations.records import Json, StepRecord
from annotations.rendering import parts as texts
from annotations.schemes.fields import FirstErrorField, InterventionField, PreferenceField, RubricField, SpansField
from annotations.schemes.fields.base import NOTHING, Around, FieldSpec
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme
from annotations.schemes.sentences import sentences
from annotations.services import around

Items = Mapping[str, Json]  # items of a rubric, by name


class Ground:
    """One trajectory. `rollouts` are the numbers of its task's rollouts (None: not known here), `items` the task's own
    items by rubric field. services/around.py says the same of a stored pass."""

    def __init__(
        self,
        steps: Sequence[StepRecord],
        rollouts: Sequence[int] | None = None,
        items: Mapping[str, Items] | None = None,
    ) -> None:
        self.steps, self.rollouts, self.items = steps, rollouts, items or {}

    @cached_property
    def agents(self) -> list[int]:
        return [place for place, step in enumerate(self.steps) if step.source == "agent"]

    @cached_property
    def siblings(self) -> dict[int, list[int]]:
        """For the first of each group of steps that were tried after the same one, the group."""
        groups: dict[int, list[int]] = {}
        for place in self.agents:
            if (parent := self.steps[place].parent) is not None:
                groups.setdefault(parent, []).append(place)
        return {group[0]: group for group in groups.values() if len(group) > 1}

    def around(self, spec: FieldSpec, step: int | None, name: str) -> Around:
        """What the answer to that field at that place may name, as far as its kind looks at it."""
        if isinstance(spec, FirstErrorField | InterventionField):
            return Around(step, steps=self.agents)
        if isinstance(spec, SpansField):
            return Around(step, lengths={} if step is None else self.lengths(step))
        if isinstance(spec, RubricField):
            return Around(step, items=self.items.get(spec.name))
        if isinstance(spec, PreferenceField):
            return Around(step, candidates=self._candidates(spec, step, name))
        return NOTHING

    def lengths(self, step: int) -> dict[str, int]:
        """The code points of each text of a step, by part."""
        return {one.name: len(one.text) for one in texts.parts(self.steps[step], pictures=False)}

    def parts(self, spec: FieldSpec, step: int | None) -> list[str]:
        """The parts that the field is asked of at that step."""
        if spec.target == "tool_call" and step is not None:
            return [f"call-{place}" for place in range(len(self.steps[step].tool_calls))]
        if spec.target == "sentence" and step is not None:
            return [f"{start}-{end}" for start, end in sentences(self.steps[step].message)]
        if isinstance(spec, PreferenceField) and around.is_pair(spec):
            return [f"{one}-{other}" for one, other in spec.pairs(list(self._among(step) or []))]
        return []

    def is_part(self, spec: FieldSpec, step: int | None, name: str) -> bool:
        """Whether there is such a part; of a field without parts, always. A pair may stand in either order."""
        part = name.partition("@")[2]
        if not around.is_pair(spec):
            return not around.has_parts(spec) or part in self.parts(spec, step)
        one, _, other = part.partition("-")
        among = self._among(step)
        named = {int(one), int(other)} if one.isdecimal() and other.isdecimal() else set()
        return len(named) == 2 and (among is None or named <= set(among))

    def places(self, scheme: Scheme) -> Iterator[tuple[Place, FieldSpec]]:
        """Every place the scheme asks, in reading order."""
        for step in (*self.agents, None):
            for spec in scheme.trajectory_fields if step is None else scheme.step_fields:
                if isinstance(spec, PreferenceField) and spec.form != "pair" and not self._among(step):
                    continue
                named = [f"{spec.name}@{part}" for part in self.parts(spec, step)]
                for name in named if around.has_parts(spec) else [spec.name]:
                    yield (step, name), spec

    def arounds(self, scheme: Scheme) -> dict[Place, Around]:
        """What there is around each place the scheme asks."""
        return {place: self.around(spec, *place) for place, spec in self.places(scheme)}

    def _among(self, step: int | None) -> Sequence[int] | None:
        return self.rollouts if step is None else self.siblings.get(step, [])

    def _candidates(self, spec: PreferenceField, step: int | None, name: str) -> list[int] | None:
        if spec.form != "pair":
            among = self._among(step)
            return None if among is None else sorted(among)
        return [int(one) for one in name.partition("@")[2].split("-")] if self.is_part(spec, step, name) else []
