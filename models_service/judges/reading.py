"""An answer in the form that was asked for, read as labels under the scheme: all that it says, and nothing it does not.

What is no part of the question (steps that were not asked, keys nobody knows, what the scheme does not ask any more
where something else is said) is left out and noted. Everything else that is not as the scheme has it is a problem. No
value is turned into another: "1" is not 1, true is not 1, and nothing said is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from annotations.records import Json, StepRecord
from annotations.rendering import parts as texts
from annotations.schemes import judging
from annotations.schemes.fields import FlagField, RubricField, SpansField, TaxonomyField
from annotations.schemes.fields.base import FieldSpec, is_number, is_whole
from annotations.schemes.judging import Arounds, Problem, Reading
from annotations.schemes.rules import After, Place, base_of, part_of
from annotations.schemes.schema import Scheme
from models_service.judges import closing, quotes

MOST_NOTED = 50


@dataclass
class Notes:
    """What an answer says beside its labels. `ignored` are places that were not asked. `evidence` are the words that a
    verdict rests on, `unfounded` the places of those that stand nowhere in the trajectory; `confidence` is from 0 to
    100."""

    ignored: list[str] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    unfounded: list[str] = field(default_factory=list)

    def ignore(self, place: str) -> None:
        if len(self.ignored) < MOST_NOTED and place not in self.ignored:
            self.ignored.append(place[:200])

    def keep(self, places: Collection[str]) -> None:
        """Forget what goes with no label."""
        self.evidence = {place: one for place, one in self.evidence.items() if place in places}
        self.confidence = {place: one for place, one in self.confidence.items() if place in places}

    def check(self, steps: Sequence[StepRecord]) -> None:
        """Find the evidence that stands nowhere in the trajectory."""
        every = [one.text for step in steps for one in texts.parts(step, pictures=False)] if self.evidence else []
        self.unfounded = unfounded(self.evidence, every)

    def as_json(self) -> dict[str, Json]:
        every = {
            "ignored": self.ignored,
            "evidence": self.evidence,
            "confidence": self.confidence,
            "unfounded": self.unfounded,
        }
        return {name: value for name, value in every.items() if value}


class Heard(NamedTuple):
    reading: Reading
    notes: Notes


@dataclass(frozen=True)
class Known:
    """What other answers about the same trajectory have said: some fields are asked only where others say something."""

    arounds: Arounds = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)


def read(
    scheme: Scheme, arounds: Arounds, steps: Sequence[StepRecord], answer: Json, known: Known | None = None
) -> Heard:
    """The answer as labels, with its problems and what else it said."""
    known = known or Known()
    taken = _Taken(scheme, arounds, steps)
    told = taken.whole(answer)
    hang = closing.after(steps)
    found = _under(scheme, arounds, told, known, hang)
    asked = judging.steps_of({**known.arounds, **arounds})
    while closed := closing.closed(scheme, steps, asked, {**known.reading.labels, **found.labels}, found.labels):
        for place in closed:
            _without(told, place)
            taken.notes.ignore(judging.path(place))
        found = _under(scheme, arounds, told, known, hang)
    # What stands at a place that is a problem already is not also missing there.
    spoken = {one.place for one in taken.problems}
    found.problems = taken.problems + [one for one in found.problems if one.place not in spoken]
    found.labels = {place: one for place, one in found.labels.items() if judging.path(place) not in spoken}
    taken.notes.keep({judging.path(place) for place in found.labels})
    taken.notes.check(steps)
    return Heard(found, taken.notes)


def of_step(answer: Json, arounds: Arounds) -> Json:
    """An answer in the form of one step as one about a trajectory. An answer that names another step is about that
    one."""
    steps = judging.steps_of(arounds)
    if not isinstance(answer, dict) or "labels" not in answer or len(steps) != 1:
        return answer
    step = answer.get("step", steps[0])
    rest = {name: one for name, one in answer.items() if name not in ("step", "labels", "steps")}
    return {**rest, "steps": {str(step) if is_whole(step) else repr(step): answer["labels"]}}


def _under(scheme: Scheme, arounds: Arounds, told: Json, known: Known, hang: After | None) -> Reading:
    """The answer together with what is known, and of what comes of that only what is about these places."""
    if not known.reading.labels or not isinstance(told, dict):
        return judging.read(scheme, arounds, told, hang)
    whole = judging.read(scheme, {**known.arounds, **arounds}, _joined(spoken(scheme, known.reading), told), hang)
    paths = [judging.path(place) for place in known.reading.labels if place not in arounds]
    return Reading(
        {place: one for place, one in whole.labels.items() if place in arounds},
        {place: one for place, one in whole.explanations.items() if place in arounds},
        [one for one in whole.problems if not any(f"{one.place}.".startswith(f"{path}.") for path in paths)],
    )


def spoken(scheme: Scheme, reading: Reading) -> dict[str, Json]:
    """Labels as schemes.judging reads them."""
    whole: dict[str, Json] = {}
    for (step, name), value in reading.labels.items():
        spec = scheme.field(name)
        explained = spec is not None and judging.is_explained(spec)
        why = {"why": reading.explanations.get((step, name)) or "-"} if explained else {}
        group = whole if step is None else whole.setdefault("steps", {})
        here = group.setdefault("trajectory" if step is None else str(step), {})
        if part := part_of(name)[1:]:
            here.setdefault(base_of(name), {})[part] = {**why, "answer": value}
        else:
            here[name] = {**why, "answer": value}
    return whole


def _joined(one: Json, other: Json) -> Json:
    """Two answers about different places as one."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other
    both = {key: _joined(one[key], other[key]) for key in one if key in other}
    return {**one, **other, **both}


def _without(told: Json, place: Place) -> None:
    step, name = place
    here = told["trajectory"] if step is None else told["steps"][str(step)]
    if part := part_of(name)[1:]:
        del here[base_of(name)][part]
    else:
        del here[name]


class _Taken:
    """The answer on its way from the form that was sent to the one that schemes.judging reads."""

    def __init__(self, scheme: Scheme, arounds: Arounds, steps: Sequence[StepRecord]) -> None:
        self.scheme, self.steps = scheme, steps
        self.places = {judging.path(place): place for place in arounds}
        self.heads = {"trajectory" if step is None else f"steps.{step}" for step, _ in arounds}
        self.notes = Notes()
        self.problems: list[Problem] = []

    def whole(self, answer: Json) -> Json:
        if not isinstance(answer, dict):
            return answer
        told: dict[str, Json] = {}
        for group, said in answer.items():
            if group == "steps" and isinstance(said, dict):
                told["steps"] = {
                    step: one for step, each in said.items() if (one := self._place(f"steps.{step}", each))
                }
            elif group == "trajectory":
                told |= {"trajectory": one} if (one := self._place("trajectory", said)) else {}
            elif group == "steps" and any(head != "trajectory" for head in self.heads):
                told["steps"] = said
            else:
                self.notes.ignore(str(group))
        return {group: one for group, one in told.items() if one or group not in ("steps", "trajectory")}

    def _place(self, at: str, said: Json) -> Json:
        """What is said of one step, or of the trajectory, as far as it was asked."""
        if at not in self.heads:
            self.notes.ignore(at)
            return None
        if not isinstance(said, dict):
            return said if said is not None else None
        found = {}
        for name, one in said.items():
            spec = self.scheme.field(name) if "@" not in name else None
            path = f"{at}.{name}"
            if spec is None or not any(place == path or place.startswith(f"{path}.") for place in self.places):
                self.notes.ignore(path)
            elif path in self.places:
                if (entry := self._entry(path, spec, one)) is not None:
                    found[name] = entry
            elif (several := self._parts(path, spec, one)) is not None:
                found[name] = several
        return found

    def _parts(self, path: str, spec: FieldSpec, said: Json) -> Json:
        if not isinstance(said, dict):
            return said
        found = {}
        for part, one in said.items():
            if f"{path}.{part}" not in self.places:
                self.notes.ignore(f"{path}.{part}")
            elif (entry := self._entry(f"{path}.{part}", spec, one)) is not None:
                found[part] = entry
        return found or None

    def _entry(self, path: str, spec: FieldSpec, said: Json) -> Json:
        """One entry as schemes.judging has it; None where it says nothing."""
        if not isinstance(said, dict) or "answer" not in said:
            return said
        if _is_nothing(spec, said["answer"]):
            return None
        keys = ("why", "answer") if judging.is_explained(spec) else ("answer",)
        for name in said:
            if name not in (*keys, "evidence", "confidence"):
                self.notes.ignore(f"{path}.{name}")
        if isinstance(evidence := said.get("evidence"), str) and evidence.strip():
            self.notes.evidence[path] = evidence.strip()
        sure: Json = said.get("confidence")
        if is_number(sure) and 0 <= sure <= 100:
            self.notes.confidence[path] = sure
        entry = {name: said[name] for name in keys if name in said}
        entry["answer"] = self._answer(path, spec, said["answer"])
        return entry

    def _answer(self, path: str, spec: FieldSpec, answer: Json) -> Json:
        if isinstance(spec, RubricField) and isinstance(answer, list):
            return self._listed(path, answer)
        if isinstance(spec, SpansField) and isinstance(answer, list):
            step = self.places[path][0]
            try:
                return [quotes.placed(span, step, self.steps) for span in answer]
            except quotes.NotThere as no:
                self.problems.append(Problem(f"{path}.answer", str(no)))
        return answer

    def _listed(self, path: str, answer: list[Json]) -> Json:
        """Items as a list, where the form could not name them."""
        pairs = [one for one in answer if isinstance(one, dict) and set(one) == {"item", "answer"}]
        names = [one["item"] for one in pairs]
        if (
            len(pairs) != len(answer)
            or not all(isinstance(name, str) for name in names)
            or len(set(names)) != len(names)
        ):
            self.problems.append(Problem(f"{path}.answer", "accepted are objects of item and answer, each item once"))
            return answer
        return {one["item"]: one["answer"] for one in pairs}


def _is_nothing(spec: FieldSpec, answer: Json) -> bool:
    """Whether the entry says that there is nothing to say: a flag that is not set, a list without items."""
    if answer is None or (isinstance(spec, FlagField) and answer is False):
        return True
    if isinstance(spec, SpansField | TaxonomyField) and answer == []:
        return True
    return spec.kind in ("text", "correction") and isinstance(answer, str) and not answer.strip()


def unfounded(evidence: Mapping[str, str], every: Collection[str]) -> list[str]:
    """The places whose evidence is nowhere in these texts, blanks, case and outer quotation marks aside."""
    missing = [place for place, quote in evidence.items() if not any(quote in text for text in every)]
    even = "\n".join(map(_even, every)) if missing else ""
    return [place for place in missing if not all(part in even for part in _pieces(evidence[place]))]


def _pieces(quote: str) -> list[str]:
    """The quoted words; where something was left out between them, what stands around it."""
    return [_even(part) for part in re.split(r"\[?(?:…|\.\.\.)\]?", quote.strip("\"'“”‘’«» \n")) if part.strip()]


def _even(text: str) -> str:
    return " ".join(text.casefold().split())
