"""What a step's checks come to."""

from __future__ import annotations

from collections.abc import Sequence

from models_service.scorers.ruled import Found

UNCHECKED = "nothing to check"


def held(checks: Sequence[tuple[str, str]], nothing: str = UNCHECKED) -> Found:
    """The share of checks that held. Each is what was checked and what is wrong with it ("" where it held). A step
    without any breaks none: 1, and it says that nothing was checked."""
    if not checks:
        return Found(1.0, (), [nothing])
    share = sum(not wrong for _, wrong in checks) / len(checks)
    return Found(share, [(f"{what}: {wrong}"[:200], -1 / len(checks)) for what, wrong in checks if wrong])
