"""What follows from answers of comparing, marking and correcting schemes: pure functions, each with its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from annotations.records import Json
from annotations.schemes.fields.places import NONE
from annotations.schemes.fields.preference import TIE

Verdicts = Mapping[tuple[int, int], Json]  # a pair in the order it was shown → the better one's number, or a tie


class Turn(NamedTuple):
    """A piece of an augmented rollout, and whose it is."""

    author: Literal["student", "teacher"]
    text: str


class Stop(NamedTuple):
    """The word at which a monitor stops, from 0, and the share of the words it has seen by then."""

    word: int
    seen: float


def pairwise(good: int, verdicts: Verdicts) -> tuple[float, bool]:
    """Share of its pairs that the good candidate wins, and whether it wins them all.

    Source: PairwiseAcc and BoNAcc of WebPRMBench, for one state. A pair that was asked in both orders is won if both
    say so: a verdict that turns with the order is no win.
    """
    asked: dict[int, list[bool]] = {}
    for pair, better in verdicts.items():
        if good in pair:
            other = pair[0] if pair[1] == good else pair[1]
            asked.setdefault(other, []).append(better == good)
    won = [all(said) for said in asked.values()]
    return sum(won) / len(won), all(won)


def win_rates(verdicts: Verdicts) -> dict[int, float]:
    """Mean result of each candidate against the others it was compared with; a tie counts half.

    Source: SPO, which scores a rollout by its win rate within its group.
    """
    results: dict[int, list[float]] = {}
    for (one, other), better in verdicts.items():
        for candidate in (one, other):
            result = 0.5 if better == TIE else float(better == candidate)
            results.setdefault(candidate, []).append(result)
    return {candidate: sum(found) / len(found) for candidate, found in sorted(results.items())}


def circles(verdicts: Verdicts) -> int:
    """How many threes of candidates beat each other in a circle. Source: SPO, on intransitive preferences."""
    beats = {(better, one if better == other else other) for (one, other), better in verdicts.items() if better != TIE}
    candidates = sorted({one for pair in verdicts for one in pair})
    return sum(_is_circle(beats, three) for three in combinations(candidates, 3))


def _is_circle(beats: set[tuple[int, int]], three: tuple[int, int, int]) -> bool:
    one, two, last = three
    forth = {(one, two), (two, last), (last, one)}
    return forth <= beats or {(after, before) for before, after in forth} <= beats


def preference_row(texts: Mapping[int, str], before: Sequence[int], better: int, other: int) -> dict[str, Json]:
    """The steps that both follow, the better one and the other one.

    Source: the rows of Step-DPO; IPO makes such a pair of a step and the safe one written in its place.
    """
    return {"prefix_steps": [texts[step] for step in before], "chosen": texts[better], "rejected": texts[other]}


def mask(spans: Iterable[Mapping[str, Json]], part: str, length: int, types: Sequence[Json]) -> list[int]:
    """1 at every code point of the part inside a span of one of the types. Source: the token penalty of Perceval."""
    inside = [0] * length
    for span in spans:
        if span["part"] == part and span["type"] in types:
            inside[span["start"] : span["end"]] = [1] * (span["end"] - span["start"])
    return inside


def stop_at(text: str, inside: Sequence[int]) -> Stop | None:
    """The first word that a mask of the text touches; None where it touches none.

    Source: FineHarm's monitor, which reads a response word by word. Words are what white space parts.
    """
    words = list(re.finditer(r"\S+", text))
    for number, word in enumerate(words):
        if any(inside[word.start() : word.end()]):
            return Stop(number, (number + 1) / len(words))
    return None


def capped(grade: float, better_was_there: bool) -> float:
    """A grade of a web step: 6 at most where a strictly better step was there. Source: the prompt of WebSCORE."""
    return min(grade, 6) if better_was_there else grade


def is_useful(grade: float) -> bool:
    """Whether a web step is kept: above 5, the line of WebSCORE's prompt between useful and not."""
    return grade > 5


def spliced(texts: Mapping[int, str], intervention: Mapping[str, Json]) -> list[str]:
    """The agent's own steps up to the error and the intervention in its place, and nothing after. Source: InT."""
    return [text for step, text in sorted(texts.items()) if step < intervention["step"]] + [intervention["text"]]


def augmented(texts: Mapping[int, str], feedback: Mapping[int, str]) -> Iterator[Turn]:
    """The student's steps, each followed by what the teacher said after it. Source: ThinkTuning."""
    for step, text in sorted(texts.items()):
        yield Turn("student", text)
        if step in feedback:
            yield Turn("teacher", feedback[step])


def shared_points(one: str, other: str) -> float:
    """Share of points, a line each, that both texts list; case, white space and a full stop do not matter.

    Our reading of RM-NLHF, which holds the points of a judge's critique against a person's.
    """
    mine, theirs = (
        {" ".join(line.casefold().split()).rstrip(".") for line in text.splitlines() if line.strip()}
        for text in (one, other)
    )
    return len(mine & theirs) / len(mine | theirs)


def alarm(labelled: Json, fired: int | None) -> Literal["right", "over-refusal", "miss"]:
    """What a monitor's first alarm is worth against the first turn that enables harm.

    Too early, or where there is none, it refuses without need; too late, or never, it misses. Source: TurnGate.
    """
    if labelled == NONE:
        return "right" if fired is None else "over-refusal"
    if fired is None or fired > labelled:
        return "miss"
    return "right" if fired == labelled else "over-refusal"


def diagnosis(hops: Sequence[int], chain: int) -> Literal["complete", "collapse", "over-extension", "distorted"]:
    """The class of a search from the hops its steps found (0: none, -1: one of its own) against a chain of so many.

    Our reading of AgenticRAGTracer: fewer hops collapse, more extend, as many but others are distorted.
    """
    taken = _taken(hops)
    if len(taken) != chain:
        return "collapse" if len(taken) < chain else "over-extension"
    return "complete" if taken == list(range(1, chain + 1)) else "distorted"


def failing_hop(hops: Sequence[int], chain: int) -> int | None:
    """The first hop of the chain that no step found; None where all were. Source: as for the diagnosis."""
    return next((hop for hop in range(1, chain + 1) if hop not in hops), None)


def _taken(hops: Sequence[int]) -> list[int]:
    """Hops in the order they were found, each of the chain once; those of its own count each time."""
    return [hop for place, hop in enumerate(hops) if hop == -1 or (hop and hop not in hops[:place])]


def joined(sampled: float, judged_right: bool) -> Literal["correct", "disputed", "incorrect"]:
    """A step's label from the share of samples that succeed after it and a judge's opinion: disputed where they differ.

    Our reading of the hybrid labels of vision-language process reward models; more than half counts as right.
    """
    if (sampled > 0.5) != judged_right:
        return "disputed"
    return "correct" if judged_right else "incorrect"


def bad_example_weight(over_turn: bool) -> int:
    """Whether a rollout without a right answer counts as a bad example: not if it ran out of turns. Source: Mini-o3."""
    return 0 if over_turn else 1


def edit_distance(draft: str, edited: str) -> int:
    """How many code points were put in, taken out or changed (Levenshtein).

    Pathology-CoT records how far experts edit; the measure is our choice.
    """
    row = list(range(len(edited) + 1))
    for number, had in enumerate(draft, start=1):
        above, row = row, [number]
        for place, has in enumerate(edited):
            row.append(min(above[place] + (had != has), above[place + 1] + 1, row[place] + 1))
    return row[-1]
