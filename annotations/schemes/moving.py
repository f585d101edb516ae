"""An answer goes with the steps it names, where these stand elsewhere in another version of a trajectory."""

from __future__ import annotations

from collections.abc import Mapping

from annotations.records import Json
from annotations.schemes.fields import PreferenceField
from annotations.schemes.fields.base import FieldSpec


def name(spec: FieldSpec, said: str, steps: Mapping[int, int]) -> str | None:
    """The name the answer stands under: that of a pair of steps says which. None where one of them is gone."""
    if not (isinstance(spec, PreferenceField) and spec.of_step and "@" in said):
        return said
    pair = [steps.get(int(one)) if one.isdecimal() else None for one in said.partition("@")[2].split("-")]
    return None if None in pair else f"{spec.name}@{'-'.join(map(str, pair))}"


def value(spec: FieldSpec, said: Json, steps: Mapping[int, int]) -> Json:
    """The answer itself (old index → new). None where a step it names is gone; one that the field cannot take stays."""
    return said if spec.refusal(said) else spec.moved(said, steps)
