"""Where saying nothing is an answer: a flag that is not set, a text in which nothing is marked.

Such a field has no other way to say no. It counts for people, and for a judge or a file that has said something in the
field somewhere: at every place that their passes were asked, by the scheme they were asked under and its rules. What
waits for a field of free text counts as not asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from annotations.models import Annotation, Rater, SchemeVersion
from annotations.records import Json
from annotations.schemes import rules
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.rules import Effect, View
from annotations.schemes.schema import Scheme
from annotations.schemes.sentences import sentences
from annotations.services import trees
from annotations.services.agreement_rows import Pass, Passes, Place, agent_steps
from annotations.services.projects import scheme_of
from annotations.services.trees import Tree


class Asked(NamedTuple):
    """A place that a rater was asked in a field."""

    annotation: int
    rater: int
    place: Place
    part: str
    task: int
    step: int | None


@dataclass
class Silence:
    """What the passes were asked, worked out once for all fields."""

    passes: Passes

    def places(self, spec: FieldSpec) -> Iterator[Asked]:
        """Every place of a field that is silent where nothing is said, for every rater it counts for."""
        speakers = self._speakers(spec)
        schemes = {pk for pk, scheme in self._schemes.items() if _asks(scheme, spec)}
        parts = _parts(self.passes, spec)
        for annotation, one in self.passes.by_pk.items():
            if one.rater not in speakers or one.scheme not in schemes:
                continue
            task = self.passes.task_of[one.trajectory]
            for step, index in self._steps(spec, one):
                place = self.passes.place(spec, one, step)
                if place is None or rules.is_closed(self._effects[annotation], index, spec.name):
                    continue
                for part in parts.get(step, []) if parts is not None else [""]:
                    yield Asked(annotation, one.rater, place, part, task, step)

    def _speakers(self, spec: FieldSpec) -> set[int]:
        people = {place for place, rater in enumerate(self.passes.raters) if rater.kind == Rater.Kind.HUMAN}
        return people | {label.rater for label in self.passes.labels() if label.spec.name == spec.name}

    def _steps(self, spec: FieldSpec, one: Pass) -> Iterator[tuple[int | None, int | None]]:
        """The steps that the field is asked of, by primary key and by index; None where it is not one of steps."""
        if not spec.of_step:
            yield None, None
            return
        for pk, step in self.passes.of_trajectory[one.trajectory]:
            yield pk, step.index

    @cached_property
    def _schemes(self) -> dict[int, Scheme]:
        """The schemes that passes were made under."""
        versions = SchemeVersion.objects.filter(pk__in={one.scheme for one in self.passes.by_pk.values()})
        return {version.pk: scheme_of(version) for version in versions}

    @cached_property
    def _effects(self) -> dict[int, list[Effect]]:
        """What the rules made of each pass, which saw everything."""
        answers: dict[int, dict[rules.Place, Json]] = defaultdict(dict)
        for label in self.passes.labels():
            if not label.propagated and not label.part:
                index = None if label.step is None else self.passes.steps[label.step].index
                answers[label.annotation][index, label.spec.name] = label.value
        trees_of = self._trees()
        found = {}
        for annotation, one in self.passes.by_pk.items():
            steps = [step.index for _, step in self.passes.of_trajectory[one.trajectory]]
            hung = trees_of.get(annotation)
            view = View(steps, answers[annotation], True, hung.after if hung else None)
            found[annotation] = rules.effects(self._schemes[one.scheme], view)
        return found

    def _trees(self) -> dict[int, Tree]:
        """The trees among what was rated, by pass."""
        if all(step.parent is None for step in self.passes.steps.values()):
            return {}
        rated = dict(Annotation.objects.filter(pk__in=self.passes.by_pk).values_list("pk", "trajectory"))
        found = trees.among(set(rated.values()))
        return {annotation: found[trajectory] for annotation, trajectory in rated.items() if trajectory in found}


def _asks(scheme: Scheme, spec: FieldSpec) -> bool:
    other = scheme.field(spec.name)
    return other is not None and (other.kind, other.target) == (spec.kind, spec.target)


def _parts(passes: Passes, spec: FieldSpec) -> dict[int | None, list[str]] | None:
    """The parts of each step that the field is asked of; None where it is asked of the whole."""
    if spec.target == "tool_call":
        read = agent_steps(passes.project).values_list("pk", "tool_calls")
        return {pk: [f"call-{place}" for place in range(len(calls))] for pk, calls in read.iterator(chunk_size=1_000)}
    if spec.target == "sentence":
        texts = agent_steps(passes.project).values_list("pk", "message")
        return {
            pk: [f"{start}-{end}" for start, end in sentences(text)] for pk, text in texts.iterator(chunk_size=1_000)
        }
    return None
