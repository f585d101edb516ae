"""What there is around an answer: the parts a field is asked of, and the steps, texts, items and rollouts it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from annotations.models import Annotation, Step, Trajectory
from annotations.rendering import parts as texts
from annotations.schemes.fields import FirstErrorField, InterventionField, PreferenceField, RubricField, SpansField
from annotations.schemes.fields.base import NOTHING, Around, FieldSpec
from annotations.schemes.schema import Scheme
from annotations.schemes.sentences import sentences
from annotations.services import rubrics

Parts = Mapping[int | None, Mapping[str, list[str]]]  # step (None: the trajectory) → field → its parts there


def parts(annotation: Annotation, scheme: Scheme) -> dict[int | None, dict[str, list[str]]]:
    """The parts that fields are asked of, as far as the pass shows its steps. Empty where the scheme asks of none."""
    found: dict[int | None, dict[str, list[str]]] = {}
    by_call = [spec.name for spec in scheme.fields if spec.target == "tool_call"]
    by_sentence = [spec.name for spec in scheme.fields if spec.target == "sentence"]
    if by_call or by_sentence:
        for index, calls, message in _shown(annotation).values_list("index", "tool_calls", "message"):
            names = {name: [f"call-{place}" for place in range(len(calls))] for name in by_call}
            names |= {name: [f"{start}-{end}" for start, end in sentences(message)] for name in by_sentence}
            found[index] = names
    if pairs := {spec.name: _pairs(annotation, spec) for spec in scheme.fields if is_pair(spec) and not spec.of_step}:
        found[None] = pairs
    for spec in scheme.fields:
        if isinstance(spec, PreferenceField) and spec.of_step:
            for index, among in siblings(annotation).items():
                found.setdefault(index, {})[spec.name] = _named(spec, among) if is_pair(spec) else [""]
    return found


def of(annotation: Annotation, spec: FieldSpec, step: int | None, name: str) -> Around:
    """What the answer to that field of that step may name, as far as its kind looks at it."""
    if isinstance(spec, FirstErrorField | InterventionField):
        return Around(step, steps=list(_shown(annotation).values_list("index", flat=True)))
    if isinstance(spec, SpansField):
        return Around(step, lengths=lengths(annotation, step))
    if isinstance(spec, RubricField):
        return Around(step, items=rubrics.items(annotation, spec))
    if isinstance(spec, PreferenceField):
        return Around(step, candidates=_candidates(annotation, spec, step, name))
    return NOTHING


def is_pair(spec: FieldSpec) -> bool:
    """Whether the field is asked of each pair of what it compares."""
    return isinstance(spec, PreferenceField) and spec.form == "pair"


def turned(name: str) -> str:
    """The name of a pair the other way round; each rater is asked it in an order of their own."""
    field, _, pair = name.partition("@")
    one, _, other = pair.partition("-")
    return f"{field}@{other}-{one}"


def has_parts(spec: FieldSpec) -> bool:
    """Whether it is asked of parts of a step, or of pairs, and so under names of their own."""
    return spec.target in ("tool_call", "sentence") or is_pair(spec)


def asks_nothing(annotation: Annotation, spec: FieldSpec) -> bool:
    """Whether it is a rubric for which there is no list yet, of the task or of the scheme."""
    return isinstance(spec, RubricField) and not spec.asked(Around(items=rubrics.items(annotation, spec)))


def is_part(annotation: Annotation, spec: FieldSpec, step: int | None, name: str) -> bool:
    """Whether there is such a part; of a field without parts, always."""
    part = name.partition("@")[2]
    steps = _shown(annotation).filter(index=-1 if step is None else step)
    if isinstance(spec, PreferenceField) and spec.form == "pair":
        return len(_candidates(annotation, spec, step, name)) == 2
    if spec.target == "tool_call":
        calls = steps.values_list("tool_calls", flat=True).first() or []
        return part in {f"call-{place}" for place in range(len(calls))}
    if spec.target == "sentence":
        message = steps.values_list("message", flat=True).first() or ""
        return part in {f"{start}-{end}" for start, end in sentences(message)}
    return True


def asked_of(spec: FieldSpec) -> str:
    """Of what, in words."""
    if is_pair(spec):
        return "pairs, as field@2-5"
    return {"tool_call": "tool calls, as field@call-0", "sentence": "sentences, as field@start-end"}.get(
        spec.target, f"the {spec.target}"
    )


def lengths(annotation: Annotation, step: int | None) -> dict[str, int]:
    """The code points of each text of a step, by part."""
    mine = Step.objects.filter(trajectory_id=annotation.trajectory_id)
    found = mine.filter(index=step).first() if step is not None else None
    return {one.name: len(one.text) for one in texts.parts(found, pictures=False)} if found else {}


def rollouts(annotation: Annotation) -> list[int]:
    """The numbers of the task's rollouts, in an order that is the rater's own and stays the same for them."""
    task = Trajectory.objects.live().filter(task=annotation.trajectory.task_id)
    return _shuffled(annotation, task.values_list("rollout", flat=True))


def siblings(annotation: Annotation) -> dict[int, list[int]]:
    """For the first of each group of steps that were tried at the same place, the group, shuffled as rollouts are; as
    far as the pass shows its steps."""
    groups: dict[int | None, list[int]] = {}
    for index, parent in _shown(annotation).filter(parent__isnull=False).values_list("index", "parent"):
        groups.setdefault(parent, []).append(index)
    return {group[0]: _shuffled(annotation, group) for group in groups.values() if len(group) > 1}


def _pairs(annotation: Annotation, spec: FieldSpec) -> list[str]:
    return _named(spec, rollouts(annotation))


def _named(spec: FieldSpec, candidates: list[int]) -> list[str]:
    assert isinstance(spec, PreferenceField)
    return [f"{one}-{other}" for one, other in spec.pairs(candidates)]


def _candidates(annotation: Annotation, spec: PreferenceField, step: int | None, name: str) -> list[int]:
    among = rollouts(annotation) if step is None else siblings(annotation).get(step, [])
    if spec.form != "pair":
        return sorted(among)
    one, _, other = name.partition("@")[2].partition("-")
    named = [int(one), int(other)] if one.isdecimal() and other.isdecimal() else []
    return named if set(named) <= set(among) else []


def _shuffled(annotation: Annotation, candidates: Iterable[int]) -> list[int]:
    """By a hash of the pass and the candidate: the same at each look, another for each rater."""

    def place(one: int) -> str:
        return hashlib.sha256(f"{annotation.rater_id}:{annotation.trajectory.task_id}:{one}".encode()).hexdigest()

    return sorted(candidates, key=place)


def _shown(annotation: Annotation) -> Any:
    steps = Step.objects.of_agent().filter(trajectory_id=annotation.trajectory_id).order_by("index")
    return steps if annotation.frontier is None else steps.filter(index__lte=annotation.frontier)
