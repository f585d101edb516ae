"""What becomes of a step: whether what it brought is used, and whether the agent does the same again."""

from __future__ import annotations

import math

from models_service.scorers.reading import Rollout, likeness, share

ABSENT = -1.0
FAR = 100  # how many later steps are looked at

NAMES = (
    "own answer in the observation", "names of the observation used later", "most similar later call",
    "next call like this one", "later answer is another", "ends without an answer",
    "steps before, ending without an answer",
)  # fmt: skip


def values(rollout: Rollout, place: int) -> list[float]:
    turn, after = rollout.turns[place], rollout.turns[place + 1 : place + 1 + FAR]
    told = set().union(*(one.names | one.numbers for one in after))
    known = rollout.task_marks | turn.names | turn.numbers
    alike = [likeness(turn.call_words, one.call_words) for one in after if turn.calls and one.calls]
    answers = [one.answer_words for one in after if one.answer]
    return [
        share(rollout.answer_words, turn.observed_words, ABSENT) if turn.observed else ABSENT,
        math.log1p(len((turn.observed_marks - known) & told)) if turn.observed else ABSENT,
        max(alike, default=0.0),
        alike[0] if alike and after[0].calls else 0.0,
        float(not turn.answer_words <= answers[-1]) if turn.answer and answers else ABSENT,
        float(not rollout.answer_words),
        float(place) * (not rollout.answer_words),
    ]
