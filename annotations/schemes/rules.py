"""The rules a scheme can name: what they fill in, what they no longer ask, what they seal, what they object to.

A rule is one function over what was said in one pass. Its keyword-only parameters are what a scheme may set:
`field`, `until`, `first` and `then` name fields, `fields` several; `value`, `before` and `values` are answers of
`field`. frontend_templates/static/js/rules.js has the same functions for the browser; a test holds the two together.

What comes before and after a step is meant along the way on which it was tried: in a tree, the steps it hangs on and
those that hang on it. Its siblings are neither.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from annotations.records import Json

if TYPE_CHECKING:
    from annotations.schemes.fields.base import FieldSpec
    from annotations.schemes.schema import Scheme

Place = tuple[int | None, str]  # the index of a step (None: the whole trajectory) and a field, perhaps with "@part"
Implied = dict[int, int]  # index of a step whose label is implied → index of the step whose label implies it
After = Mapping[int, int | None]  # index of a step → index of the agent's step it was tried after, if any


@dataclass(frozen=True)
class View:
    """What a rule looks at: the indexes of the agent's steps in order, what the person said and nothing that was filled
    in, and whether the end was shown to them (None: in this pass nothing is kept back). Where the trajectory is a tree,
    `after` says where each step hangs, also of steps that are not looked at; None where one follows the other."""

    steps: Sequence[int]
    answers: Mapping[Place, Json]
    revealed: bool | None = None
    after: After | None = None

    @cached_property
    def before(self) -> After:
        """The step before each, of those that are looked at; None before the first."""
        if self.after is None:
            return dict(zip(self.steps, [None, *self.steps], strict=False))
        looked, found = set(self.steps), dict[int, int | None]()
        for step in self.steps:
            above = self.after.get(step)
            while above is not None and above not in looked:
                above = self.after.get(above)
            found[step] = above
        return found

    def of(self, name: str) -> list[Json]:
        """What is said in the field at each step."""
        return [self.answers.get((step, name)) for step in self.steps]


@dataclass(frozen=True)
class Effect:
    """`implied` steps get the answer `fills` in `field`. `closed` places are not asked any more, `sealed` fields take
    no change now, `problems` say at which place what has to be put right before the pass is handed in."""

    field: str = ""
    fills: Json = None
    implied: Implied = dataclasses.field(default_factory=dict)
    closed: frozenset[Place] = frozenset()
    closes: Callable[[int | None, str], bool] | None = None  # of places, where they are too many to name
    sealed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    problems: Mapping[Place, str] = dataclasses.field(default_factory=dict)


Rule = Callable[..., Effect]


def carry_forward(view: View, *, field: str, value: Json, until: str = "") -> Effect:
    """A `value` reaches every later step until one that is labelled or where `until` says something, and no further.

    A step where `until` says something and that is yet labelled `value` is a new error and carries on. Source: the
    error-propagation rule of AgentProcessBench's guidelines, made reversible: nothing here overwrites what was said.
    """
    implied: Implied = {}
    causes: dict[int | None, int | None] = {}
    stops = view.of(until) if until else [None] * len(view.steps)
    for step, answer, stop in zip(view.steps, view.of(field), stops, strict=True):
        cause = causes.get(view.before[step])
        if answer is not None:
            cause = step if answer == value else None
        elif stop is not None:
            cause = None
        elif cause is not None:
            implied[step] = cause
        causes[step] = cause
    return Effect(field, value, implied)


def first_error(view: View, *, field: str, value: Json, before: Json) -> Effect:
    """The first `value` ends the work: what is unlabelled before it is `before`, what comes after it is not asked. In a
    tree each way down has its own first one; what stands before several is implied by the one that comes first.

    Source: ProcessBench, which rates the steps before the earliest error as right and leaves those after it unrated.
    """
    implied: Implied = {}
    after = _after(view, field, value)
    walked: set[int] = set()
    for step, answer in zip(view.steps, view.of(field), strict=True):
        if answer != value or step in after:
            continue
        above = view.before[step]
        while above is not None and above not in walked:
            walked.add(above)
            if view.answers.get((above, field)) is None:
                implied[above] = step
            above = view.before[above]
    return Effect(field, before, implied, _closed(after))


def stop_after_first_error(view: View, *, field: str, value: Json) -> Effect:
    """Steps after the first `value` are not asked. Source: phase 2 of PRM800K, which ends a solution there."""
    return Effect(closed=_closed(_after(view, field, value)))


def hindsight_lock(view: View, *, first: str, then: str) -> Effect:
    """`first` is asked before the end is shown and sealed by showing it, `then` is asked after. Source: RLHS, which
    rates with foresight, reveals what came of it, and rates again. Only a progressive pass keeps the end back."""
    if view.revealed is None:
        return Effect()
    if view.revealed:
        return Effect(sealed={first: "It was given before the end was known, and stays."})
    places = [(step, then) for step in view.steps] + [(None, then)]
    return Effect(closed=frozenset(places), sealed={then: "It is asked once the end is shown."})


def exclusive(view: View, *, fields: Sequence[str]) -> Effect:
    """At one place only one of the `fields` says something."""
    problems: dict[Place, str] = {}
    for step, part in {(step, part_of(name)) for step, name in view.answers if base_of(name) in fields}:
        said = [name for name in fields if (step, name + part) in view.answers]
        if len(said) > 1:
            problems[step, said[-1] + part] = f"goes not with {said[0]}"
    return Effect(problems=problems)


def must_explain(view: View, *, field: str, values: Sequence[Json], by: str) -> Effect:
    """Where `field` says one of the `values`, the field `by` says why."""
    said = view.answers.items()
    places = [(step, by + part_of(name)) for (step, name), one in said if base_of(name) == field and says(one, values)]
    return Effect(problems={place: "has to say why" for place in places if place not in view.answers})


RULES: Mapping[str, Rule] = {
    "carry-forward": carry_forward,
    "first-error": first_error,
    "stop-after-first-error": stop_after_first_error,
    "hindsight-lock": hindsight_lock,
    "exclusive": exclusive,
    "must-explain": must_explain,
}
FILL = ("carry-forward", "first-error")
NAMES_A_FIELD = ("field", "until", "first", "then", "by")


def _after(view: View, field: str, value: Json) -> set[int]:
    """The steps that come after one of which the field says that."""
    found: set[int] = set()
    for step in view.steps:
        before = view.before[step]
        if before in found or (before is not None and view.answers.get((before, field)) == value):
            found.add(step)
    return found


def _closed(steps: Iterable[int]) -> frozenset[Place]:
    """Every place of these steps: `closed` names fields by "*"."""
    return frozenset((step, "*") for step in steps)


def parameters(name: str) -> dict[str, bool]:
    """What the rule takes, and whether it must be given."""
    found = list(inspect.signature(RULES[name]).parameters.values())[1:]
    return {one.name: one.default is inspect.Parameter.empty for one in found}


def conditions(fields: Sequence[FieldSpec], view: View) -> Effect:
    """Closes what a `when` does not ask: a step is looked at for itself, a part of it for the same part, the trajectory
    for all."""
    by_name = {spec.name: spec for spec in fields}
    waiting = {spec.name: by_name[spec.when.field] for spec in fields if spec.when}
    anywhere = {name: _anywhere(view, by_name[name], other) for name, other in waiting.items()}

    def closes(step: int | None, name: str) -> bool:
        spec = by_name[base_of(name)]
        other = waiting.get(spec.name)
        if spec.when is None or other is None:
            return False
        if not (spec.of_step and other.of_step):
            return not anywhere[spec.name]
        if spec.target == other.target:
            return not spec.when.holds(view.answers.get((step, other.name + part_of(name))))
        said = [one for place, one in view.answers.items() if place[0] == step and base_of(place[1]) == other.name]
        return not any(map(spec.when.holds, said))

    return Effect(closes=closes)


def _anywhere(view: View, spec: FieldSpec, other: FieldSpec) -> bool:
    """Whether the condition holds of the trajectory, or at any step where the other field is one of steps."""
    assert spec.when is not None
    return any(base_of(name) == other.name and spec.when.holds(one) for (_, name), one in view.answers.items())


def says(answer: Json, values: Sequence[Json]) -> bool:
    """Whether the answer is one of the values or, of several chosen, has one of them."""
    said = answer if isinstance(answer, list) else [answer]
    return any(one == value and isinstance(one, bool) == isinstance(value, bool) for one in said for value in values)


def base_of(name: str) -> str:
    return name.partition("@")[0]


def part_of(name: str) -> str:
    """What follows the field's name, with its "@"; "" where it is asked of no part."""
    return name[len(base_of(name)) :]


def effects(scheme: Scheme, view: View) -> list[Effect]:
    """What every rule of the scheme makes of the pass."""
    named = [RULES[rule.rule](view, **rule.settings) for rule in scheme.rules]
    return [*named, conditions(scheme.fields, view)]


def implied_by(
    scheme: Scheme, steps: Sequence[int], answers: Mapping[Place, Json], after: After | None = None
) -> Implied:
    """What the scheme's filling rule fills in: index of a step → index of the step whose label implies it.

    `steps` are the indexes of the agent steps in order, `answers` what the person said and nothing that was filled in,
    `after` where each step hangs if they are a tree.
    """
    rule = scheme.propagation
    return RULES[rule.rule](View(steps, answers, after=after), **rule.settings).implied if rule else {}


def is_closed(found: Sequence[Effect], step: int | None, name: str) -> bool:
    """Whether the place is not asked, or not any more."""
    base = base_of(name)
    return any(
        (step, base) in one.closed or (step, "*") in one.closed or (one.closes and one.closes(step, name))
        for one in found
    )
