"""Math-Shepherd: a solution with a tag after each step, and the same text with + or - in the tag's place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LineFormat, text
from annotations.formats.math_shepherd_tags import TAG, Piece, apart, listed, tagged
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

KEYS = ("input", "label", "task")
FIRST = re.compile(r"(?:(?<=\s)|^)Step 1\s*:")
NUMBERED = re.compile(r"Step \d+\s*:")


class MathShepherd(LineFormat, Writer):
    """The tag stands anywhere between two steps, with or without a space or a line before it. Only a place where
    `label` has + or - for it is one: signs of the mathematics, and a tag that is a piece of a word, stay text. The
    labels can also be a list, one for each tag, of signs or fractions, as OpenRLHF has them; a fraction, even 1.0, is
    an estimate and no verdict: it is kept with its step. The problem ends where "Step 1:" begins, or with a line."""

    name = "math-shepherd"
    title = "Math-Shepherd, and OpenRLHF's rows for process reward models"
    purpose = "reward"
    keeps = "Problem, steps, + or - of each, the spaces around the tags, scores of steps, and fields of its own."
    loses = (
        "Written: neutral labels and all after the first step without + or -, explanations, and trajectories of other "
        "formats in whose text the tag occurs, and how a tree branches: each way to "
        "a leaf is a row, one where they end alike. Lists of labels are written as tagged texts."
    )

    def recognises(self, row: Json) -> bool:
        if not isinstance(row, dict) or not isinstance(row.get("input"), str) or TAG not in row["input"]:
            return False
        label = row.get("label")
        return isinstance(label, str | list)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        said, label = text(row, "input"), row.get("label")
        pieces = listed(said, label) if isinstance(label, list) else apart(said, label)
        problem, first = _problem(pieces[0].text)
        pieces = [Piece(first, pieces[0].label), *pieces[1:]]
        tail = pieces.pop().text if pieces[-1].label is None and not pieces[-1].text.strip() else None
        steps = (StepRecord("user", 0, problem.strip()), *(_step(one, place) for place, one in enumerate(pieces, 1)))
        layout = {"problem": problem[len(problem.rstrip()) :], "tail": tail} | _lead(problem)
        return TrajectoryRecord(
            task=TaskRecord(naming.prompt_id(steps), source=text(row, "task", 200), instruction=steps[0].message),
            steps=steps,
            extra=solutions.kept(self.name, row, KEYS, KEYS) | {"layout": layout},
            rating=_rating(pieces),
        )

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts:
            remembered = solutions.memory(labelled.record, self.name)
            written: set[tuple[int, ...]] = set()
            for way in solutions.written(labelled.record):
                if not remembered and any(TAG in one for one in (way.prompt, *way.steps)):
                    continue
                pieces = self._pieces(labelled, way, remembered)
                if (places := way.places[: len(pieces[1])]) in written:
                    continue
                written.add(places)
                if made := tagged(*pieces):
                    source = labelled.record.task.source
                    row = {"input": made[0], "label": made[1], "task": source}
                    yield solutions.ordered(row, remembered, KEYS, ("label",))

    def _pieces(
        self, labelled: Labelled, way: solutions.Written, remembered: dict[str, Any]
    ) -> tuple[str, list[Piece], str]:
        """What stands before the first step, the steps up to the first without + or -, and what comes after."""
        layout = remembered.get("layout") or {}
        pieces: list[Piece] = []
        for number, (place, said) in enumerate(zip(way.places, way.steps, strict=True), start=1):
            label = labelled.grades.get(place)
            if not label:
                break
            pieces.append(Piece(_spaced(labelled.record.steps[place], said, number), label))
        whole = len(pieces) == len(way.steps)
        before = f"{layout.get('before', '')}{way.prompt}{layout.get('problem', ' ' if way.prompt else '')}"
        return before, pieces, (layout.get("tail") or "") if whole else ""


def _rating(pieces: Sequence[Piece]) -> RatingRecord | None:
    steps = {place: one.label for place, one in enumerate(pieces, start=1) if isinstance(one.label, int)}
    return RatingRecord(steps, scheme="binary") if steps else None


def _problem(said: str) -> tuple[str, str]:
    """The problem, with the space after it, and the first step."""
    if hit := FIRST.search(said):
        return said[: hit.start()], said[hit.start() :]
    end = said.find("\n") + 1
    return said[:end], said[end:]


def _lead(problem: str) -> dict[str, Json]:
    before = problem[: len(problem) - len(problem.lstrip())] if problem.strip() else ""
    return {"before": before} if before else {}


def _step(piece: Piece, place: int) -> StepRecord:
    """The step, its spaces beside it where they are not the usual ones."""
    said = piece.text.strip()
    extra: dict[str, Json] = {}
    start = len(piece.text) - len(piece.text.lstrip()) if said else 0
    spaces = [piece.text[:start], piece.text[start + len(said) :]]
    if spaces != _usual(place) or not NUMBERED.match(said):
        extra["spaces"] = spaces
    if isinstance(piece.label, float):
        extra["values"] = {"score": piece.label}
    return StepRecord("agent", place, said, extra=extra)


def _usual(number: int) -> list[str]:
    return ["" if number == 1 else "\n", " "]


def _spaced(step: StepRecord, said: str, number: int) -> str:
    spaces = step.extra.get("spaces") if isinstance(step.extra, dict) else None
    if spaces:
        return f"{spaces[0]}{said}{spaces[1]}"
    before, after = _usual(number)
    named = said if NUMBERED.match(said) else f"Step {number}: {said}"
    return f"{before}{named}{after}"
