"""What the tests of imports share: records like the sample's, files of them, and what came of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from annotations.models import Project
from annotations.services import imports

SAMPLES = Path(__file__).parents[1] / "samples"
APB = SAMPLES / "apb.jsonl"
CHAT = SAMPLES / "openai-chat.jsonl"


def rows(path: Path = APB) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def file(folder: Path, *values: object, name: str = "made.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in values))
    return path


def rollout(number: int, **changed: Any) -> dict[str, Any]:
    """A record like the sample's first, as another rollout."""
    return rows()[0] | {"total_index": number, "sample_index": number} | changed


def take(project: Project, *paths: Path, **how: Any) -> dict[str, Any]:
    return imports.import_trajectories(project, list(paths), **how)


def counts(result: dict[str, Any]) -> tuple[int, int, int, int]:
    return result["created"], result["updated"], result["unchanged"], len(result["rejected"])
