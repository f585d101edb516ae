"""What a scheme's answers say of steps, as grades: 1 right, 0 neither, -1 wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from annotations import schemes
from annotations.formats.lines import dump
from annotations.records import Json
from annotations.schemes import conversions
from annotations.schemes.conversions import Route
from annotations.schemes.fields import FirstErrorField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.maps import base
from annotations.schemes.rules import After, Place
from annotations.schemes.schema import Scheme
from annotations.services.answers import fits, verdict
from annotations.services.wrongs import Wrong

GRADES = {"right": 1, "neutral": 0, "wrong": -1}
PLAIN = ("agent-process", "binary")  # schemes whose answers are grades: what others are converted to


class Grading:
    """How one scheme grades. Over the declared maps to a scheme whose answers are grades, where there are some; else by
    what its answers look like."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme, self.main = scheme, scheme.main_field
        self.route = _route(scheme)
        self.wrong = Wrong(scheme)
        self.verdict = verdict(scheme)
        self._known: dict[str, int | None] = {}
        self._after = Grading(self.route.hops[-1].target) if self.route else None

    @property
    def known(self) -> bool:
        """Whether answers of the scheme say that a step is wrong."""
        return bool(self.route) or (self.wrong.known and self.main.of_step)

    def steps(
        self,
        answers: Mapping[Place, Json],
        steps: Sequence[int],
        filled: Collection[Place] = frozenset(),
        after: After | None = None,
    ) -> dict[int, int]:
        """The grades of steps, by place; `after` says where each hangs, if they are a tree. Of a step whose parts are
        graded, the worst."""
        if self.route and self._after:
            return self._after.steps(self.route.convert(answers, steps, filled, after=after).answers, steps)
        found: dict[int, int] = {}
        for (step, name), value in answers.items():
            if step is None or base(name) != self.main.name:
                continue
            grade = self._grade(value)
            if grade is not None:
                found[step] = min(grade, found.get(step, grade))
        return found

    def final(self, value: Json) -> int | None:
        """The verdict on the whole. Where the first wrong step is, is no verdict on what came of it."""
        spec = self.verdict
        if spec is None or isinstance(spec, FirstErrorField) or value is None or not fits(spec, value):
            return None
        return _tone(spec, value)

    def _grade(self, value: Json) -> int | None:
        key = dump(value)
        if key not in self._known:
            wrong = self.wrong.says(value)
            self._known[key] = -1 if wrong else _tone(self.main, value) if fits(self.main, value) else None
        return self._known[key]


def _tone(spec: FieldSpec, value: Json) -> int | None:
    return GRADES.get(spec.tone(value))


def _route(scheme: Scheme) -> Route | None:
    if scheme.name in PLAIN:
        return None
    every = schemes.shipped()
    return next((way for name in PLAIN if (way := conversions.route(scheme, every[name]))), None)
