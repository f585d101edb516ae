"""Label schemes are data: one YAML file each in presets/, read through reading.read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from annotations.schemes.reading import Mistake, SchemeRefused, read
from annotations.schemes.schema import Scheme

PRESETS = Path(__file__).parent / "presets"


@cache
def shipped() -> dict[str, Scheme]:
    """The schemes that come with Stepmark, by name."""
    found = [read(path.read_text()) for path in sorted(PRESETS.glob("*.yaml"))]
    return {scheme.name: scheme for scheme in found}


def preset_text(name: str) -> str:
    """The YAML of a scheme that comes with Stepmark. KeyError where there is none of that name."""
    if name not in shipped():
        raise KeyError(name)
    return (PRESETS / f"{name}.yaml").read_text()


__all__ = ["PRESETS", "Mistake", "Scheme", "SchemeRefused", "preset_text", "read", "shipped"]
