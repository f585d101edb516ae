"""What stands small beside the name of a step: who speaks, which part of a message it is, where in a tree it hangs, and
the numbers that its file gave it. Numbers could sway a judgement: they are shown as scores and outcomes are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Func, IntegerField

from annotations.models import Step
from annotations.records import Json
from annotations.services.axis import Place
from annotations.services.trees import Tree
from annotations.services.visibility import Visible

LONGEST = 80  # characters of a name
BIGGEST = 200_000  # bytes of what is read of a long step to find its name
NUMBERS = 8  # of a step, as many as are shown
LINKS = 12  # to siblings
AS_SCORES = frozenset(["q", "value", "visits", "prior"])
AS_OUTCOME = frozenset(["reward"])


@dataclass(frozen=True)
class Hung:
    """Where a step hangs in a tree: `after` which of the agent's steps (None: it begins a way), whether that is not the
    one right above it, and with which others, the step itself `nth` of `many`."""

    after: Place | None
    apart: bool
    nth: int = 1
    many: int = 1
    others: tuple[Place, ...] = ()

    @property
    def more(self) -> int:
        """How many siblings are not among `others`."""
        return self.many - 1 - len(self.others)


@dataclass(frozen=True)
class Beside:
    """`part` is which of how many of a message."""

    name: str = ""
    part: tuple[int, int] | None = None
    hung: Hung | None = None
    numbers: tuple[tuple[str, str], ...] = ()

    @property
    def tells(self) -> bool:
        """Whether there is anything to read."""
        told = self.hung is not None and (self.hung.apart or self.hung.many > 1)
        return bool(self.name or self.part or told or self.numbers)


NOTHING = Beside()


def of(tree: Tree | None, steps: Sequence[Step], may: Visible, last: int | None = None) -> dict[int, Beside]:
    """By index, of these steps of one trajectory. `last` is the last step that is shown: siblings beyond it are not
    told of."""
    extras = _extras(steps)
    return {step.index: _beside(step.index, extras.get(step.index), tree, may, last) for step in steps}


def _beside(index: int, extra: Json, tree: Tree | None, may: Visible, last: int | None) -> Beside:
    told = extra if isinstance(extra, dict) else {}
    hung = _hung(tree, index, last) if tree and index in tree.parents else None
    return Beside(_name(told), _part(told), hung, tuple(_numbers(told, may)))


def _extras(steps: Sequence[Step]) -> dict[int, Json]:
    """What the records keep of the file, by index. Of long steps it is not in memory yet, and read where it is
    small: no page needs megabytes for a name."""
    unread = [step.pk for step in steps if "extra" in step.get_deferred_fields()]
    found = {step.index: step.extra for step in steps if "extra" not in step.get_deferred_fields()}
    if unread:
        size = Func(F("extra"), function="octet_length", output_field=IntegerField())
        small = Step.objects.filter(pk__in=unread).order_by().annotate(size=size).filter(size__lte=BIGGEST)
        found |= dict(small.values_list("index", "extra"))
    return found


def _name(told: Mapping[str, Json]) -> str:
    fields = told.get("fields")
    name = fields.get("name") if isinstance(fields, dict) else None
    return " ".join(name.split())[:LONGEST] if isinstance(name, str) else ""


def _part(told: Mapping[str, Json]) -> tuple[int, int] | None:
    part = told.get("part")
    if not isinstance(part, dict):
        return None
    number, many = part.get("number"), part.get("many")
    return (number, many) if type(number) is int and type(many) is int else None


def _hung(tree: Tree, index: int, last: int | None) -> Hung:
    above, family = tree.after[index], [step for step in tree.siblings(index) if last is None or step <= last]
    at = bisect_left(tree.agent, index)
    before = tree.agent[at - 1] if at else None
    others = [step for step in family if step != index][:LINKS]
    return Hung(
        None if above is None else _place(tree, above),
        above != before,
        family.index(index) + 1 if index in family else 1,
        max(1, len(family)),
        tuple(_place(tree, step) for step in others),
    )


def _place(tree: Tree, index: int) -> Place:
    return Place(index, bisect_left(tree.agent, index) + 1)


def _numbers(told: Mapping[str, Json], may: Visible) -> list[tuple[str, str]]:
    values = told.get("values")
    given: dict[str, Any] = values if isinstance(values, dict) else {}
    shown = [(name, _written(value)) for name, value in given.items() if _is_shown(name, may) and _is_number(value)]
    return shown[:NUMBERS]


def _is_shown(name: str, may: Visible) -> bool:
    """Of what we do not know the meaning, only to those who see everything; what a step cost is no judgement of it."""
    if may.extra:
        return "token" not in name
    return (may.scores and name in AS_SCORES) or (may.outcome and name in AS_OUTCOME)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _written(value: float) -> str:
    return (f"{value:.4g}" if isinstance(value, float) else str(value)[:20]).replace("-", "\N{MINUS SIGN}")
