"""What a step adds to the belief in its rollout's own answer, weighed by how many rollouts give that answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from annotations.records import TrajectoryRecord
from models_service.scorers.base import CannotScore, Scored
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, final_answer, is_tree, marked, window
from models_service.scorers.belief.formulas import cluster_weights, log_gain, mean
from models_service.scorers.belief.probing import series
from models_service.scorers.belief.verdicts import YES_NO, chances
from models_service.scorers.evidence.support import Support
from models_service.scorers.language.asked import LanguageModel, inert
from models_service.scorers.language.gathering import Work, gathered
from models_service.statistics.canonical import canonical

SAME = ("spelling", "entailment")
ALONE = "the only rollout of its task that answers"
ENTAILS = (
    "Question: {question}\n\nFirst answer: {one}\nSecond answer: {other}\n\n"
    "If the first answer to the question is right, must the second be right too?"
)


class Cluster(NamedTuple):
    """Rollouts whose answers mean the same, by their places; the answer in the spelling that most of them use."""

    answer: str
    places: tuple[int, ...]


class Consensus(BeliefScorer):
    """q·(log(p_t + 1e-8) − log(p_(t−1) + 1e-8)), where p_t is how likely the rollout's own answer is after step t and
    q the share of the task's answering rollouts that give it; the last step gets (1 − λ)·q more, λ = .5, and the only
    step of a rollout that term alone (source: the code of SIOP). No reference is read. Answers are one where they are
    spelled the same in canonical form, or (`same` "entailment") where the language model holds that each implies the
    other; what is connected through others is one too, so that the order of rollouts changes nothing. With `eta`, q is
    in proportion to q·exp(eta · evidence), evidence being the mean share of supported sentences (evidence/support.py)
    of the rollouts with that answer. Consensus is not truth: where most rollouts err alike, it rewards the error."""

    title = "consensus potential"
    needs = "an answer at the end, and other rollouts of the task"
    siblings = True

    def __init__(
        self,
        language: Mapping[str, Any] | LanguageModel,
        *,
        same: str = "spelling",
        share: float = 0.5,
        eta: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(language, **options)
        if same not in SAME or not 0 <= share <= 1:
            raise ValueError(f"same is one of {', '.join(SAME)}, share (λ) from 0 to 1; found {same!r}, {share}")
        self.same, self.share, self.eta = same, share, eta
        most = log_gain(1.0, 0.0)
        self.range = (-most, most + 1 - share)

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        groups: dict[str, list[int]] = defaultdict(list)
        for place, record in enumerate(records):
            if final_answer(record) and not is_tree(record):
                groups[record.task.external_id].append(place)
        found = gathered(self.language, [self._clusters(records, places) for places in groups.values()])
        shares: dict[int, tuple[str, float, bool]] = {}
        refused: dict[int, CannotScore] = {}
        for places, clusters in zip(groups.values(), found, strict=True):
            if isinstance(clusters, CannotScore):
                refused |= dict.fromkeys(places, clusters)
                continue
            for one, share in zip(clusters, self._weights(records, clusters), strict=True):
                shares |= dict.fromkeys(one.places, (one.answer, share, len(places) == 1))
        works = [self._work(record, shares.get(at), refused.get(at)) for at, record in enumerate(records)]
        return self.finished(records, works)

    def _clusters(self, records: Sequence[TrajectoryRecord], places: Sequence[int]) -> Work[list[Cluster]]:
        by_spelling: dict[str, list[int]] = defaultdict(list)
        for place in places:
            said = final_answer(records[place])
            by_spelling[canonical(said) or said].append(place)
        spellings = sorted(by_spelling)
        joined = [{one} for one in spellings]
        if self.same == "entailment" and len(spellings) > 1:
            shown = {one: _usual(records, by_spelling[one]) for one in spellings}
            joined = yield from self._entailing(_question(records[places[0]]), shown)
        return [
            Cluster(_usual(records, at), tuple(at))
            for group in joined
            if (at := [place for one in sorted(group) for place in by_spelling[one]])
        ]

    def _entailing(self, question: str, shown: Mapping[str, str]) -> Work[list[set[str]]]:
        """The spellings, joined where each entails the other."""
        pairs = [(one, other) for one, other in combinations(shown, 2)]
        both_ways = [pair for one, other in pairs for pair in ((one, other), (other, one))]
        asked = [ENTAILS.format(question=question, one=shown[a], other=shown[b]) for a, b in both_ways]
        said = yield from chances(self.asking, asked, YES_NO)
        groups = [{one} for one in shown]
        for (one, other), there, back in zip(pairs, said[::2], said[1::2], strict=True):
            if min(there, back) > 0.5:
                both = [group for group in groups if one in group or other in group]
                groups = [group for group in groups if group not in both] + [set().union(*both)]
        return groups

    def _weights(self, records: Sequence[TrajectoryRecord], clusters: Sequence[Cluster]) -> list[float]:
        evidence = [mean([_supported(records[at]) for at in one.places]) for one in clusters] if self.eta else []
        return cluster_weights([len(one.places) for one in clusters], evidence, self.eta)

    def _work(
        self, record: TrajectoryRecord, given: tuple[str, float, bool] | None, refused: CannotScore | None
    ) -> Work[Said]:
        self.own_answer(record)  # says why where there is none
        if given is None:
            raise refused or self.lacks("the rollouts' answers could not be compared")
        answer, share, alone = given
        ways, asking, found = self.ways(record), self.asking, dict[int, Believed]()
        rows = yield from series(ways, [answer], asking.probe, asking.normalisation, asking.draws, asking.seed)
        for way, row in zip(ways, rows, strict=True):
            for place, before, after in zip(way.places, row, row[1:], strict=False):
                found[place] = Believed(
                    share * log_gain(after.p, before.p),
                    [("belief before", before.p), ("belief after", after.p), ("rollouts with this answer", share)],
                    [*marked(way, before, after), *([ALONE] if alone else [])],
                    {"before": before.p, "after": after.p, "share": share, "answer": answer, **window(way)},
                )
        last = max(found)
        gain = found[last].value if len(found) > 1 else 0.0
        found[last] = found[last]._replace(value=gain + (1 - self.share) * share)
        return found


def _usual(records: Sequence[TrajectoryRecord], places: Sequence[int]) -> str:
    """The spelling that most of these rollouts use; of several the shortest, then the first by letter."""
    said = Counter(final_answer(records[place]) for place in places)
    return min(said, key=lambda one: (-said[one], len(one), one))


def _question(record: TrajectoryRecord) -> str:
    asked = record.task.instruction or next((step.message for step in record.steps if step.source == "user"), "")
    return inert(asked)


def _supported(record: TrajectoryRecord) -> float:
    [said] = Support().score([record])
    return 0.0 if isinstance(said, CannotScore) or not said else mean([one.value for one in said])
