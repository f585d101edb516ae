"""Which labels of one pass go along to a new version of its trajectory, and why each other one does not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotations.models import Label
from annotations.records import Json
from annotations.schemes import moving
from annotations.schemes.schema import Scheme
from annotations.services.resegmented import Moved
from annotations.services.segments import WHOLE_KINDS, agree

GONE = "its step changed or is gone"
NAMES = "it names a step that changed or is gone"
CAUSE = "the label that implied it did not go along"
APART = "its step is one with others now, and not all of them have this answer"
TOGETHER = "its step is one with others now, and an answer like this is not that of them all"


@dataclass(frozen=True)
class Kept:
    """A label, and what it is on the new version. `cause` is the id of the old label that implied it."""

    label: Label
    step: int | None
    field: str
    value: Json
    explanation: str
    cause: int | None


class Carrying:
    """One pass on its way. `lost` are the labels that stay behind, with the reason."""

    def __init__(self, scheme: Scheme, moved: Moved) -> None:
        self.scheme, self.moved = scheme, moved
        self.lost: list[tuple[Label, str]] = []
        self._stands_for: dict[int, int] = {}  # a label that is one with others now → the one that goes along

    def kept(self, labels: Sequence[Label]) -> list[Kept]:
        found: list[Kept] = []
        together: dict[tuple[int, str], list[Label]] = defaultdict(list)
        for label in labels:
            if label.step_id in self.moved.several:
                together[self.moved.several[label.step_id], label.field].append(label)
            elif label.step_id is not None and label.step_id not in self.moved.one:
                parts = self.moved.cut.get(label.step_id)
                self._lose([label], f"its step was cut into {parts} parts" if parts and parts > 1 else GONE)
            else:
                found += self._along(label, self.moved.one[label.step_id] if label.step_id else None)
        for (step, _), several in together.items():
            found += self._united(several, step)
        return self._with_causes(found)

    def _along(self, label: Label, step: int | None, why: str = "") -> list[Kept]:
        """The label as it names steps where these stand now."""
        spec = self.scheme.field(label.field)
        name, value = label.field, label.value
        if spec:
            name, value = (
                moving.name(spec, name, self.moved.indexes) or "",
                moving.value(spec, value, self.moved.indexes),
            )
        if not name or value is None:
            self._lose([label], NAMES)
            return []
        return [Kept(label, step, name, value, why or label.explanation, label.cause_id)]

    def _united(self, labels: Sequence[Label], step: int) -> list[Kept]:
        """The one label of a step that is several of before, where all of those have it."""
        spec = self.scheme.field(labels[0].field)
        many = sum(one == step for one in self.moved.several.values())
        if spec is None or spec.kind not in WHOLE_KINDS or "@" in labels[0].field:
            self._lose(labels, TOGETHER)
            return []
        if not agree([one.value for one in labels], many):
            self._lose(labels, APART)
            return []
        own = {one.pk for one in labels}
        first = next(one for one in labels if one.cause_id not in own)
        self._stands_for.update((one.pk, first.pk) for one in labels)
        texts = dict.fromkeys(one.explanation for one in labels if one.explanation)
        return self._along(first, step, "\n".join(texts))

    def _with_causes(self, found: Sequence[Kept]) -> list[Kept]:
        """Those whose cause goes along, or that have none; each with the label that stands for its cause now."""
        kept = [replace(one, cause=self._stands_for.get(one.cause, one.cause)) if one.cause else one for one in found]
        while True:
            alive = {one.label.pk for one in kept}
            orphans = [one.label for one in kept if one.cause is not None and one.cause not in alive]
            if not orphans:
                return kept
            self._lose(orphans, CAUSE)
            kept = [one for one in kept if one.label not in orphans]

    def _lose(self, labels: Sequence[Label], why: str) -> None:
        self.lost += [(label, why) for label in labels]
