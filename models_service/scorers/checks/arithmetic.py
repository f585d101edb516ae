"""Whether the sums an agent writes out come to what it says: exact fractions, nothing is run."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers.checks.share import UNCHECKED, held
from models_service.scorers.reading import clip
from models_service.scorers.ruled import Found, RuledScorer
from models_service.scorers.text import said

NUMBER = r"[-+]?[$€£]?\d[\d,]*(?:\.\d+)?"
# Both ends are at numbers or brackets, so that "x = 3" and "2 apples + 3 = 5 pieces" are no sums.
SUM = re.compile(
    rf"(?<![.)^*/+\-×÷·] )(?<![\w.)^*/+\-×÷·,(])"
    rf"((?:\(\s*){{0,9}}{NUMBER}(?:[\s()]{{0,3}}[-+*/×÷·][\s()]{{0,3}}{NUMBER}){{1,40}}(?:\s*\)){{0,9}})\s*=\s*({NUMBER})(?![\w%]|[.,]\d|\s*[-+*/×÷·^(]\s*[\d(])"
)
SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", ",": "", "$": "", "€": "", "£": ""})
LONGEST = 30  # digits of a number
OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Arithmetic(RuledScorer):
    """The share of a step's written-out sums that are right, to the digits that are given."""

    title = "arithmetic"
    needs = "sums with their results, such as 12 * 3 = 36"

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        found = [[(f"{left.strip()} = {right}", wrong(left, right)) for left, right in _sums(step)] for step in steps]
        if not any(found):
            raise self.lacks("no sum is written out in it")
        return [held(one, UNCHECKED) for one in found]


def wrong(left: str, right: str) -> str:
    """What the sum comes to where that is not what is said; "" where it is."""
    value = evaluated(left)
    assert value is not None  # others are not asked about
    said_ = right.translate(SIGNS)
    decimals = len(said_.partition(".")[2])
    if abs(value - Fraction(said_)) * 10**decimals * 2 <= 1:  # off by no more than rounding to those digits
        return ""
    return f"it is {float(value):.6g}"


def evaluated(text: str) -> Fraction | None:
    """A sum of numbers with + - * / and brackets; None where it is none, or divides by zero."""
    try:
        return _value(ast.parse(text.translate(SIGNS).strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return -_value(node.operand) if isinstance(node.op, ast.USub) else _value(node.operand)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Fraction(str(node.value))
    raise ValueError("no sum")


def _sums(step: StepRecord) -> list[tuple[str, str]]:
    found = SUM.findall(clip(said(step)))
    short = [one for one in found if len(max(re.findall(r"\d+", "".join(one)), key=len)) <= LONGEST]
    return [(left, right) for left, right in short if evaluated(left) is not None]
