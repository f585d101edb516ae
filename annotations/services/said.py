"""What is said of each step in every field, with the texts that answers point at: for the steps that are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from annotations.models import Label, Rater
from annotations.schemes.fields import CorrectionField, FirstErrorField, InterventionField, SpansField
from annotations.schemes.schema import Scheme
from annotations.services import sight
from annotations.services.told import Word

if TYPE_CHECKING:
    from annotations.services.dossier import Dossier

_HEAVY = ("message", "reasoning", "tool_calls", "observations", "extra", "outline")
STEP_BODIES = tuple(f"step__{name}" for name in _HEAVY)
_BODIES = (*STEP_BODIES, *(f"cause__step__{name}" for name in _HEAVY))
_ByStep = Mapping[tuple[int, int], list[Label]]  # by pass and step


def of_steps(file: Dossier, first: int, last: int) -> Mapping[int, Sequence[Word]]:
    """By the index of the step, for those with first ≤ index < last; raters in the order of their passes, but of judges
    those first who contradict people."""
    by_step = _labels(file, first, last)
    places = {annotation.pk: at for at, annotation in enumerate(file.annotations)}
    pointing = {index for (_, index), labels in by_step.items() if any(_points(file.scheme, one) for one in labels)}
    texts = sight.texts(file.membership, file.trajectory, pointing)
    found: dict[int, list[Word]] = defaultdict(list)
    for (annotation, index), labels in sorted(by_step.items(), key=lambda one: places[one[0][0]]):
        rater = file.annotations[places[annotation]].rater.name
        found[index].append(file.teller.word(rater, labels, texts.get(index, {})))
    kinds = {one.rater.name: one.rater.kind for one in file.annotations}
    return {index: _contradicting_first(words, kinds) for index, words in found.items()}


def _contradicting_first(words: Sequence[Word], kinds: Mapping[str, str]) -> list[Word]:
    """A judge who says what no person says of the step stands before one who agrees; all else stays in its order."""
    people = {_main(word) for word in words if kinds.get(word.rater) == Rater.Kind.HUMAN} - {None}
    if not people:
        return list(words)
    judges = [word for word in words if kinds.get(word.rater) == Rater.Kind.JUDGE]
    ordered = iter(sorted(judges, key=lambda word: _main(word) in people))
    return [next(ordered) if kinds.get(word.rater) == Rater.Kind.JUDGE else word for word in words]


def _main(word: Word) -> object:
    return next((one.mark for one in word.answers if one.is_main), None)


def _labels(file: Dossier, first: int, last: int) -> _ByStep:
    found: dict[tuple[int, int], list[Label]] = defaultdict(list)
    rows = file.labels().filter(step__index__gte=first, step__index__lt=last).order_by("id")
    for label in rows.select_related("step", "cause__step").defer(*_BODIES):
        assert label.step is not None  # the filter has seen to it
        found[label.annotation_id, label.step.index].append(label)
    for label in _naming(file):
        at = label.value.get("step") if isinstance(label.value, dict) else label.value
        if isinstance(at, int) and first <= at < last:
            found[label.annotation_id, at].append(label)
    return found


def _naming(file: Dossier) -> Iterable[Label]:
    """Answers about the whole that name a step: they stand there as well."""
    names = [spec.name for spec in file.scheme.fields if isinstance(spec, FirstErrorField | InterventionField)]
    return file.of_whole().filter(field__in=names).order_by("id") if names else ()


def _points(scheme: Scheme, label: Label) -> bool:
    """Whether the answer cannot be shown without the texts of its step."""
    spec = scheme.field(label.field)
    if spec is None:
        return False
    return isinstance(spec, SpansField | CorrectionField) or spec.target in ("tool_call", "sentence")
