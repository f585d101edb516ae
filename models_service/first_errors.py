"""What the numbers of a run say beside judges of the first error, and signs of what they measure, kept with the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.models import Project
from annotations.services import judged_steps
from annotations.services.judged_steps import Rows
from annotations.services.rankable import Rankable
from annotations.services.runs import Claim
from models_service.statistics import filtering
from models_service.statistics.filtering import Share, Verdicts

SHOWN = 20  # disputed rollouts that are named


def keep(claim: Claim, rollouts: list[Rankable], wrong_at: float | None) -> None:
    """`wrong_at` is the number at or below which the scorer calls a step wrong; None where it does not say right or
    wrong, so that it names no first error. Trees are not among the rollouts."""
    numbers = judged_steps.of_run(claim.run, [one.trajectory for one in rollouts])
    whole = [[one for one in row if one is not None] for row in numbers.values() if row and None not in row]
    found: dict[str, Any] = {"lowest_at_last": _said(filtering.lowest_at_last(whole))}
    if wrong_at is not None:
        found |= _beside(claim, rollouts, numbers, wrong_at)
    claim.keep(first_errors=found)


def _beside(claim: Claim, rollouts: list[Rankable], numbers: Rows, wrong_at: float) -> dict[str, Any]:
    sampled = {pk: filtering.first_error(row, wrong_at) for pk, row in numbers.items()}
    right = [(one.right, sampled.get(one.trajectory)) for one in rollouts if one.right is not None]
    judges = judged_steps.of_judges(claim.run.project, list(numbers))
    return {
        "wrong_at": wrong_at,
        "right_with_errors": _said(filtering.right_with_errors(right)),
        "noise": _said(filtering.noise(_beside_people(claim.run.project, numbers))),
        "judges": [_judge(name, said, sampled) for name, said in judges.items()],
    }


def _beside_people(project: Project, numbers: Rows) -> Iterator[tuple[float | None, bool | None]]:
    for trajectory, said in judged_steps.of_people(project, list(numbers)).items():
        for number, label in zip(numbers[trajectory], said, strict=True):
            yield number, None if label is None else label > 0


def _judge(name: str, said: Rows, sampled: dict[int, int | None]) -> dict[str, Any]:
    both = {pk: Verdicts(sampled[pk], filtering.first_error(row)) for pk, row in said.items() if pk in sampled}
    places = list(both)
    found = filtering.consensus(list(both.values()))
    shown = [places[place] for place in found.disputed[:SHOWN]]
    names = judged_steps.names(shown)
    return {
        "name": name,
        "kept": len(found.kept),
        "disputed": len(found.disputed),
        "open": len(found.open),
        "shown": [
            {"trajectory": pk, "name": names[pk], "scorer": _step(both[pk].sampled), "judge": _step(both[pk].judged)}
            for pk in shown
        ],
    }


def _step(number: int | None) -> int | None:
    """Steps are counted from 1 where people read them; None: there is no error."""
    return None if number is None or number == filtering.NO_ERROR else number + 1


def _said(share: Share) -> dict[str, Any]:
    return {"hits": share.hits, "of": share.of, "value": share.value}
