"""Who says what in a file: the rating of a record that has one, and what every rater says where the file knows."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from annotations import schemes
from annotations.formats.lines import dump, load
from annotations.records import Json, PassRecord, RatingRecord, TrajectoryRecord
from annotations.schemes.schema import Scheme, thawed
from annotations.services.answers import Mark, Voices
from annotations.services.told import Answer, Word

SCHEME = schemes.shipped()["agent-process"]  # of labels that do not say whose words they are in
FILE = "in the file"
Place = int | None


@dataclass(frozen=True)
class Said:
    """One rater's labels, by the places of steps (None: the whole); those of the main field and of the others."""

    name: str
    voices: Voices
    kind: str = ""
    state: str = ""
    comment: str = ""
    answers: Mapping[tuple[Place, str], tuple[Json, str]] = field(default_factory=dict)

    @property
    def scheme(self) -> Scheme:
        return self.voices.scheme

    @property
    def main(self) -> dict[int, Mark]:
        """The main answers of steps, in order."""
        found = {place: value for (place, name), (value, _) in self.answers.items() if name == self.scheme.main}
        return {place: self.voices.main.mark(value) for place, value in sorted(_of_steps(found))}

    @property
    def final(self) -> Mark | None:
        said = self.answers.get((None, self.scheme.final or self.scheme.main))
        return None if said is None else self.voices.mark(self.scheme.final or self.scheme.main, said[0])

    def why(self, place: int) -> str:
        return self.answers.get((place, self.scheme.main), (None, ""))[1]

    def word(self, place: Place) -> Word | None:
        found = [self._answer(name, *one) for (at, name), one in self.answers.items() if at == place]
        return Word(self.name, sorted(found, key=lambda one: not one.is_main)) if found else None

    def _answer(self, name: str, value: Json, why: str) -> Answer:
        base, _, part = name.partition("@")
        spec = self.scheme.field(base)
        title, kind = (spec.title, spec.kind) if spec else (base, "text")
        mark = self.voices.mark(name, value)
        return Answer(title, kind, mark, part=part, is_main=base == self.scheme.main, explanation=why)


def raters(record: TrajectoryRecord) -> list[Said]:
    found = [_rating(record, record.rating)] if record.rating else []
    documents = {one.sha256: dump(one.document) for one in record.schemes}
    places = {None, *range(len(record.steps))}
    found += [_pass(one, documents.get(one.scheme, ""), places) for one in record.passes]
    return [one for one in found if one.answers]


def _rating(record: TrajectoryRecord, said: RatingRecord) -> Said:
    scheme = schemes.shipped().get(said.scheme, SCHEME)
    at = {step.source_index: place for place, step in enumerate(record.steps)}
    labels = (
        (at[index], value, said.explanations.get(index, "")) for index, value in said.steps.items() if index in at
    )
    answers: dict[tuple[Place, str], tuple[Json, str]] = {(at, scheme.main): (one, why) for at, one, why in labels}
    if said.final is not None:
        answers[None, scheme.final or scheme.main] = said.final, said.final_explanation
    return Said(FILE, Voices(scheme), comment=said.comment, answers=answers)


def _pass(said: PassRecord, document: str, places: Container[Place]) -> Said:
    there = (one for one in said.answers if one.place in places)
    answers = {(one.place, one.field): (one.value, one.explanation) for one in there}
    return Said(said.rater, Voices(_scheme(document)), said.kind, said.state, said.comment, answers)


@lru_cache(maxsize=32)
def _scheme(document: str) -> Scheme:
    try:
        return thawed(load(document))
    except ValueError:  # the answers are shown as they stand
        return SCHEME


def _of_steps(found: Mapping[Place, Json]) -> Iterator[tuple[int, Json]]:
    return ((place, one) for place, one in found.items() if place is not None)
