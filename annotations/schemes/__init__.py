"""Label schemes are data: one YAML file each in this folder, read through schema.Scheme."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from annotations.schemes.schema import Scheme

HERE = Path(__file__).parent


@cache
def shipped() -> dict[str, Scheme]:
    """The schemes that come with Stepmark, by name."""
    found = [read(path.read_text()) for path in sorted(HERE.glob("*.yaml"))]
    return {scheme.name: scheme for scheme in found}


def read(text: str) -> Scheme:
    """A scheme from its YAML. Raises pydantic.ValidationError naming the part that is wrong."""
    return Scheme.model_validate(yaml.safe_load(text))
