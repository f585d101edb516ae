"""Scores read as probabilities: P(not wrong) by the calibration that holds for a score's run, else as the scorer said.

A calibration is applied where scores are read, by the database, so that every page, order and filter says the same and
scores stay what the scorer said. The maps are those of models_service/statistics/calibrating.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, F, FloatField, Func, IntegerField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Exp, Greatest, Least, Ln

from annotations.models import Calibration

SUREST = 1e-6  # a probability is read as at least this far from 0 and 1
FARTHEST = 30.0  # log-odds are held to this, so that no exponential overflows


def in_force(project: int, runs: Iterable[int] | None = None) -> Mapping[int, Calibration]:
    """The calibration that holds for each scoring run of the project that has one, of these runs or of all. Their
    reports are not read."""
    found = Calibration.objects.filter(project=project).order_by("scored", "-id").distinct("scored").defer("report")
    return {one.scored_id: one for one in (found if runs is None else found.filter(scored__in=list(runs)))}


def probability(held: Mapping[int, Calibration], *, only: bool = False) -> Combinable:
    """P(not wrong) of a score as it is to be shown, null where it has none: by the calibration of its run in `held`,
    and without one as the scorer said it (`only`: null)."""
    other = Value(None) if only else F("probability")
    cases = [_case(run, one.parameters) for run, one in held.items()]
    return Case(*cases, default=other, output_field=FloatField())


def _case(run: int, parameters: dict[str, Any]) -> When:
    if parameters["of"] == "value":
        return When(run=run, then=_said(parameters, F("value")))
    # LEAST and GREATEST pass over nulls: without the condition no probability would be a small one.
    return When(run=run, probability__isnull=False, then=_said(parameters, _log_odds()))


def _said(parameters: dict[str, Any], number: Combinable) -> Combinable:
    method = parameters["method"]
    if method == "unchanged":
        return F("probability")
    if method == "isotonic":
        return _between(number, parameters["at"], parameters["says"])
    scale, bias = (1 / parameters["temperature"], 0.0) if method == "temperature" else _line(parameters)
    return Value(1.0) / (Value(1.0) + Exp(-_held(number * Value(scale) + Value(bias), -FARTHEST, FARTHEST)))


def _line(parameters: dict[str, Any]) -> tuple[float, float]:
    return parameters["scale"], parameters["bias"]


def _held(number: Combinable, low: float, high: float) -> Combinable:
    return Least(Greatest(number, Value(low)), Value(high), output_field=FloatField())


def _log_odds() -> Combinable:
    held = _held(F("probability"), SUREST, 1 - SUREST)
    return Ln(held) - Ln(Value(1.0) - held)


def _between(number: Combinable, at: Sequence[float], says: Sequence[float]) -> Combinable:
    """Straight between the knots, level beyond the ends."""
    number = _held(number, at[0], at[-1])
    place = Least(Func(number, _array(at), function="width_bucket", output_field=IntegerField()), Value(len(at) - 1))
    slopes = [
        (above - below) / (right - left) for left, right, below, above in zip(at, at[1:], says, says[1:], strict=False)
    ]
    return _nth(says, place) + _nth(slopes, place) * (number - _nth(at, place))


def _array(numbers: Sequence[float]) -> Combinable:
    return Value(list(numbers), output_field=ArrayField(FloatField()))


def _nth(numbers: Sequence[float], place: Combinable) -> Combinable:
    """The number at that place of the list, counted from 1."""
    shape = {"template": "((%(expressions)s])", "arg_joiner": ")["}
    return Func(_array(numbers), place, output_field=FloatField(), **shape)
