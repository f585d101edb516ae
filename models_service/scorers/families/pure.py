"""PURE: TRL's rendering, scored by how much likelier right is than wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models_service.scorers.families.base import Said
from models_service.scorers.families.trl import TRL


class PURE(TRL):
    """Question, then each step and an empty line, every piece tokenised by itself, without a first token; P(right) −
    P(wrong), decided at 0 (source: CJReinforce/PURE). Its authors warn that irrelevant thanks score well and that long
    single steps are scored unreliably; they make one number of a solution by a soft minimum."""

    name = "pure"
    title = "PURE-PRM"
    source = "jinachris/PURE-PRM-7B"
    range = (-1.0, 1.0)
    probability = False
    trained = 8192
    begins = False

    def __init__(self, tokenizer: Any, separator: str = "\n\n") -> None:
        super().__init__(tokenizer, separator)

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[1] - row[0]) for row in rows]
