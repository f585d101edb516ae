"""What a step adds to the belief in the right answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Scored
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, final_answer, is_tree, marked, window
from models_service.scorers.belief.formulas import log_gain
from models_service.scorers.belief.probing import Belief, series
from models_service.scorers.belief.returns import by_turn, centred
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import LanguageModel
from models_service.scorers.language.gathering import Work
from models_service.scorers.reference.matching import token_f1

INTRINSIC = "of its own answer, right or wrong"


class InformationGain(BeliefScorer):
    """p_t − p_(t−1), where p_t is how likely the right answer is after step t, and p_0 after the bare question
    (source: Information Gain-based Policy Optimization, IGPO). Its code gives the last turn the F1 of its answer's
    words in place of a gain; here every step keeps its gain, so that one number means one thing, and the F1 stands
    beside the last one as `outcome`. Of several accepted answers the likeliest counts, at each step anew; `answer` says
    which."""

    title = "information gain"
    needs = "the answer in the task's reference"
    range: tuple[float | None, float | None] = (-1.0, 1.0)
    reads_reference = True

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answers, ways = self.accepted(record), self.ways(record)
        asking, found, some = self.asking, dict[int, Believed](), self.some(record)
        rows = yield from series(ways, answers, asking.probe, asking.normalisation, asking.draws, asking.seed)
        for way, row in zip(ways, rows, strict=True):
            for place, before, after in zip(way.places, row, row[1:], strict=False):
                found[place] = self._step(way, before, after, some)
        if self.reads_reference and not is_tree(record):
            last, outcome = max(found), max(token_f1(final_answer(record), one) for one in answers)
            found[last] = found[last]._replace(more={**found[last].more, "outcome": outcome})
        return found

    def _step(self, way: Way, before: Belief, after: Belief, flags: Sequence[str]) -> Believed:
        return Believed(
            self.gain(before.p, after.p),
            [("belief before", before.p), ("belief after", after.p)],
            [*marked(way, before, after), *flags],
            {"before": before.p, "after": after.p, "answer": after.answer, **window(way)},
        )

    def gain(self, before: float, after: float) -> float:
        return after - before


class InformationPotential(InformationGain):
    """log(p_t + 1e-8) − log(p_(t−1) + 1e-8) for the right answer: the case of SIOP in which the answer is known and its
    weight is 1. A step that takes the belief from .001 to .01 counts as much here as one from .1 to 1."""

    title = "information potential"
    range = (log_gain(0.0, 1.0), log_gain(1.0, 0.0))

    def gain(self, before: float, after: float) -> float:
        return log_gain(after, before)


class OwnGain(InformationGain):
    """The same for the answer that the rollout itself ends with: what each step adds to the confidence in it, without a
    reference (source: the abstract of SubSearch, whose intrinsic reward takes the change after each sub-query)."""

    title = "information gain for its own answer"
    needs = "an answer at the end"
    reads_reference = False

    def accepted(self, record: TrajectoryRecord) -> list[str]:
        return [self.own_answer(record)]

    def some(self, record: TrajectoryRecord) -> list[str]:
        return [INTRINSIC]


class GainReturns(InformationGain):
    """Gains as advantages within the rollouts of a task. `by` "igpo": the last turn's gain is the F1 of its answer, a
    turn's number the discounted sum from it on, less the mean over the group. "a2tgpo": the z-score of the gain among
    the rollouts at the same turn, its discounted sum over the root of the number of terms."""

    title = "information gain, as advantage"
    needs = "the answer in the task's reference, and other rollouts of the task"
    range = (None, None)
    siblings = True

    def __init__(
        self, language: Mapping[str, Any] | LanguageModel, *, by: str = "igpo", discount: float = 1.0, **options: Any
    ) -> None:
        super().__init__(language, **options)
        if by not in ("igpo", "a2tgpo") or not 0 <= discount <= 1:
            raise ValueError(f"by is igpo or a2tgpo, discount from 0 to 1; found {by!r}, {discount}")
        self.by, self.discount = by, discount

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        if is_tree(record):
            raise self.lacks("the steps of a tree are no one sequence")
        return (yield from super().work(record))

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        said = super().score(records, prepared)
        groups: dict[str, list[int]] = defaultdict(list)
        for place, one in enumerate(said):
            if one and not isinstance(one, CannotScore):
                groups[records[place].task.external_id].append(place)
        for places in groups.values():
            if len(places) == 1:
                said[places[0]] = self.lacks("no other rollout of the task could be scored")
                continue
            rows = [one for place in places if not isinstance(one := said[place], CannotScore)]
            for place, row in zip(places, self._advantages(rows), strict=True):
                said[place] = row
        return said

    def _advantages(self, rows: Sequence[Sequence[StepScore]]) -> list[tuple[StepScore, ...]]:
        gains = [[self._reward(one) for one in row] for row in rows]
        made = centred(gains, self.discount) if self.by == "igpo" else by_turn(gains, self.discount)
        return [
            tuple(replace(one, value=value, detail={**one.detail, "gain": one.value}) for one, value in pairs)
            for pairs in (list(zip(row, values, strict=True)) for row, values in zip(rows, made, strict=True))
        ]

    def _reward(self, one: StepScore) -> float:
        return float(one.detail.get("outcome", one.value)) if self.by == "igpo" else one.value
