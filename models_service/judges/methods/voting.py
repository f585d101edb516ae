"""One verdict out of several on the same case, place by place.

`majority`: the answer that more samples give than any other holds; where two are given as often, none does (SPARK's
step-level majority; CAPO's where there are two answers). `intersection`: a step is wrong only where every sample finds
it wrong, else the commonest other answer holds (CAPO). `average`: as majority, and of numbers their mean (CAPO). CAPO
and SPARK are read from their abstracts and pages, not from their code.

The share of samples behind each answer is kept as its chance, whatever the rule. Samples that said nothing are left out
and counted; they are no votes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from annotations.formats.lines import dump
from annotations.records import Json
from annotations.schemes.fields import ScaleField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.judging import path
from annotations.schemes.rules import Place
from models_service.judges import closing
from models_service.judges.asked import Asking, Case, Judging, Verdict, together
from models_service.judges.methods import once


@dataclass(frozen=True)
class Vote:
    """What samples say at one place: each answer that was given, by its JSON, with how often."""

    counts: Mapping[str, int]
    values: Mapping[str, Json]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def chances(self) -> dict[str, float]:
        """Each answer's share of the samples that answered here."""
        return {key: count / self.total for key, count in self.counts.items()}

    def smoothed(self, classes: int) -> dict[str, float]:
        """(n + ½) / (K + ½ · classes): no answer is impossible because a few samples did not give it.

        >>> Vote({"1": 3}, {"1": 1}).smoothed(3)["1"]
        0.7777777777777778
        """
        return {key: (count + 0.5) / (self.total + 0.5 * classes) for key, count in self.counts.items()}

    def leading(self, but: Json = None) -> Json:
        """The answer that is given more often than any other but that one; None where two are given as often."""
        left = {key: count for key, count in self.counts.items() if but is None or key != dump(but)}
        ordered = sorted(left.items(), key=lambda item: -item[1])
        if not ordered or (len(ordered) > 1 and ordered[0][1] == ordered[1][1]):
            return None
        return self.values[ordered[0][0]]


def asking(judging: Judging, case: Case) -> Asking[Verdict]:
    """Ask `samples` times, all at once, and let them vote."""
    several = [once.asking(judging, case, number=number) for number in range(judging.settings.samples)]
    return combined(case, (yield from together(several)), judging.settings.method)


def combined(case: Case, verdicts: Sequence[Verdict], rule: str) -> Verdict:
    """The verdict that holds by the rule. It has failed where every sample has."""
    heard = [one for one in verdicts if not one.failed]
    silent = [one.failed for one in verdicts if one.failed]
    told: dict[str, Any] = {"samples": len(verdicts), "rule": rule} | ({"silent": silent} if silent else {})
    if not heard:
        return Verdict(detail=told, failed=f"none of {len(verdicts)} samples was an answer; the first: {silent[0]}")
    made = Verdict(detail=told)
    ties = []
    for place, vote in votes(case, heard).items():
        spec = case.scheme.field(place[1])
        value = None if spec is None else _held(case, spec, vote, rule)
        made.chances[place] = vote.chances()
        if value is None:
            ties.append(path(place))
            continue
        made.labels[place] = value
        if why := next((one.explanations[place] for one in heard if _says(one, place, value)), ""):
            made.explanations[place] = why
    for place in closing.closed(case.scheme, case.record.steps, case.steps, made.labels, made.labels):
        del made.labels[place]
        made.explanations.pop(place, None)
    if ties:
        told["ties"] = ties
    told["votes"] = {path(place): dict(vote.counts) for place, vote in votes(case, heard).items()}
    if (alike := reliability([wrong_steps(case, one) for one in heard])) is not None:
        told["reliability"] = alike
    if not made.labels:
        made.failed = "the samples are split on everything that was asked"
    return made


def votes(case: Case, verdicts: Sequence[Verdict]) -> dict[Place, Vote]:
    """By place, in reading order; only places where somebody answered. Texts are not voted on."""
    found: dict[Place, Vote] = {}
    for place in case.arounds:
        spec = case.scheme.field(place[1])
        said = [one.labels[place] for one in verdicts if place in one.labels]
        if said and spec is not None and spec.level != "none":
            found[place] = Vote(Counter(dump(one) for one in said), {dump(one): one for one in said})
    return found


def _held(case: Case, spec: FieldSpec, vote: Vote, rule: str) -> Json:
    if rule == "average" and isinstance(spec, ScaleField) and not spec.dimensions:
        return _mean(spec, vote)
    wrong = case.scheme.wrong
    if rule == "intersection" and spec.name == case.scheme.main and wrong is not None:
        return wrong if vote.counts.get(dump(wrong)) == vote.total else vote.leading(but=wrong)
    return vote.leading()


def _mean(spec: ScaleField, vote: Vote) -> Json:
    """The mean, put on the scale's own steps."""
    mean = sum(vote.values[key] * count for key, count in vote.counts.items()) / vote.total
    return min(spec.numbers, key=lambda one: (abs(one - mean), one)) if spec.numbers else mean


def _says(one: Verdict, place: Place, value: Json) -> bool:
    return place in one.explanations and place in one.labels and dump(one.labels[place]) == dump(value)


def wrong_steps(case: Case, verdict: Verdict) -> frozenset[int]:
    """The steps that it finds wrong."""
    main, wrong = case.scheme.main, case.scheme.wrong
    return frozenset(
        step
        for (step, name), value in verdict.labels.items()
        if step is not None and name == main and wrong is not None and dump(value) == dump(wrong)
    )


def reliability(sets: Sequence[frozenset[int]]) -> float | None:
    """How alike the samples are: the mean Jaccard index of their wrong steps over pairs; two that find none are alike.
    None of fewer than two.

    >>> reliability([frozenset({2, 3}), frozenset({3}), frozenset({3, 5})])
    0.4444444444444444
    """
    pairs = list(combinations(sets, 2))
    if not pairs:
        return None
    return sum(len(one & other) / len(one | other) if one | other else 1.0 for one, other in pairs) / len(pairs)
