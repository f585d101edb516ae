"""A rating in the words of another scheme: what a file says in its own, on the way to the project's; or outwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from annotations import schemes
from annotations.records import Json, Problem, RatingRecord, TrajectoryRecord
from annotations.schemes import conversions
from annotations.schemes.conversions import Route
from annotations.schemes.maps import Lost
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme
from annotations.services import trees
from annotations.services.unconverted import Unheld


def over(route: Route, record: TrajectoryRecord, said: RatingRecord) -> tuple[RatingRecord, list[Lost]]:
    """The rating of the record where the way leads, and the answers that did not get there."""
    source, target = route.hops[0].source, route.hops[-1].target
    # Schemes name steps by their places in the trajectory, ratings by those in the original file.
    at = {step.source_index: place for place, step in enumerate(record.steps)}
    whole = source.final if source.main_field.of_step else source.main
    answers: dict[Place, Json] = {(at[index], source.main): one for index, one in said.steps.items() if index in at}
    why: dict[Place, str] = {(at[index], source.main): text for index, text in said.explanations.items() if index in at}
    if said.final is not None:
        answers[None, whole], why[None, whole] = said.final, said.final_explanation
    steps, tree = (
        [place for place, step in enumerate(record.steps) if step.source == "agent"],
        trees.of_record(record.steps),
    )
    made = route.convert(answers, steps, after=tree.after if tree else None)
    told = {place: why.get(made.came[place], "") for place in made.answers}
    final = (None, target.final if target.main_field.of_step else target.main)
    main = {place[0]: place for place in made.answers if place[0] is not None and place[1] == target.main}
    index = {place: step.source_index for place, step in enumerate(record.steps)}
    rating = replace(
        said,
        steps={index[step]: made.answers[place] for step, place in main.items()},
        explanations={index[step]: told[place] for step, place in main.items() if told[place]},
        final=made.answers.get(final),
        final_explanation=told.get(final, ""),
        scheme=target.name,
    )
    return rating, list(made.lost)


class Taken(NamedTuple):
    """A record with its rating in the project's words, what of it has none, and labels of steps that are not there."""

    record: TrajectoryRecord
    unheld: Sequence[Unheld] = ()
    problems: Sequence[Problem] = ()


class Inwards:
    """Ratings of files on their way to the project's scheme."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self._ways: dict[str, Route | None] = {}

    def take(self, record: TrajectoryRecord, file: str, line: int) -> Taken:
        said = record.rating
        if said is None or said.scheme in ("", self.scheme.name):
            return Taken(record)
        route = self._way(said.scheme)
        if route is None:
            accepted = ", ".join(conversions.targets(schemes.shipped()[said.scheme])) or "none"
            reason = (
                f"the labels are those of {said.scheme}, and no way from there to this project's scheme "
                f"{self.scheme.name} is declared, so they stay out; schemes they can come in under: "
                f"{said.scheme}, {accepted}"
            )
            many = len(said.steps) + (said.final is not None)
            return Taken(replace(record, rating=None), [Unheld(said.scheme, "", reason, file, line, labels=many)])
        at = {step.source_index for step in record.steps}
        rating, lost = over(route, record, said)
        unheld = [Unheld(said.scheme, one.place[1], one.why, file, line, one.place[0], one.value) for one in lost]
        stray = [
            Problem(file, line, f"step_labels.{index}", "the trajectory has no such step")
            for index in said.steps
            if index not in at
        ]
        return Taken(replace(record, rating=rating), unheld, stray)

    def _way(self, name: str) -> Route | None:
        if name not in self._ways:
            self._ways[name] = conversions.route(schemes.shipped()[name], self.scheme)
        return self._ways[name]
