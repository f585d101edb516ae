"""Working off a scoring run: what is left of it, task by task, each trajectory once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from django.db import transaction

from annotations.records import TrajectoryRecord
from annotations.services import rankable, run_estimates, scorer_entries, scores
from annotations.services.runs import Claim
from models_service import chunks, deployable, first_errors, learning, ranking, scorers
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer, checked, scored
from models_service.scorers.embedded import EmbeddedScorer
from models_service.spending import Spending

REASONS, OTHER = 50, "other reasons"
READS = {"reads_reference": "reads the reference", "reads_outcome": "reads the outcome"}


def perform(claim: Claim) -> None:
    """Score what this run has not scored yet, so that another worker goes on where one died."""
    scorer = _scorer(claim)
    _told(claim, scorer)
    _chosen(claim)
    todo = scores.left(claim.run)
    already = scores.count_scored(claim.run) + len(scores.skipped(claim.run))
    claim.expect(already + len(todo), already=already)
    spending = Spending(claim, scorer)
    for (found, wanted), said in scored(scorer, _read(claim, scorer, todo)):
        _store(
            claim,
            {
                one.id: (one, _frank(scorer, checked(one.record, s)))
                for one, s in zip(found, said, strict=True)
                if one.id in wanted
            },
            spending,
        )
        claim.advance(len(wanted))
    rollouts = rankable.of_run(claim.run)
    ranking.keep(claim, rollouts)
    first_errors.keep(claim, rollouts, scorer.wrong_at)


def _told(claim: Claim, scorer: Scorer) -> None:
    """Keep with the run where its scores come from. ValueError where it goes on with other weights than it began with:
    its scores would be of two models."""
    now, before = scorer.provenance, claim.run.result.get("provenance")
    if scorer.reads_reference or scorer.reads_outcome:
        claim.keep(**scores.READ_REFERENCE)  # before any score is stored, so that none is ever shown without it
    if before is None:
        price = scorer_entries.all_of_them().get(claim.run.config["scorer"], {}).get("price")
        claim.keep(provenance=now, **({"price": price} if price else {}))
    elif any(before.get(key) != now.get(key) for key in ("models", "sha256", "rendering")):
        raise ValueError("the model has changed since this run began; repeat the run, so that all is scored by one")


def _chosen(claim: Claim) -> None:
    """Settle which trajectories a run looks at that is only a try."""
    limit = claim.run.config.get("limit")
    if limit and "sample" not in claim.run.result:
        claim.keep(sample=run_estimates.sample(claim.run.project, limit, seed=claim.run.pk))


def _read(
    claim: Claim, scorer: Scorer, todo: list[tuple[int, int]]
) -> Iterator[tuple[tuple[list[scores.Rollout], set[int]], list[TrajectoryRecord]]]:
    """Some trajectories at a time: the rollouts and which of them are wanted, and their records."""
    for tasks, wanted in chunks.of_tasks(todo, scorer.at_once):
        claim.check()
        found = scores.rollouts(
            claim.run.project, tasks, with_reference=scorer.reads_reference, with_outcome=scorer.reads_outcome
        )
        if not scorer.siblings:
            found = [one for one in found if one.id in wanted]
        yield (found, wanted), [one.record for one in found]


def _frank(scorer: Scorer, said: Scored) -> Scored:
    """The same; where the scorer has read reference or outcome, each score says so, whatever the scorer says of
    itself."""
    reads = [flag for name, flag in READS.items() if getattr(scorer, name)]
    if not reads or isinstance(said, CannotScore):
        return said
    flags = [[*one.detail.get("flags", []), *reads] for one in said]
    told = tuple(replace(one, detail=one.detail | {"flags": each}) for one, each in zip(said, flags, strict=True))
    return Partly(told, said.unscored) if isinstance(said, Partly) else told


def _scorer(claim: Claim) -> Scorer:
    name, entries = claim.run.config["scorer"], scorer_entries.all_of_them()
    if entries.get(name, {}).get("added"):
        deployable.checked(entries[name])
    scorer = scorers.load(name, entries)
    return learning.taught(claim) if isinstance(scorer, EmbeddedScorer) else scorer


def _pooled(reasons: Counter[str]) -> dict[str, int]:
    """The reasons with their counts, the rare ones together: some name a number, and no two of these are alike."""
    kept = dict(reasons.most_common(REASONS)) if len(reasons) > REASONS else dict(reasons)
    rest = reasons.total() - sum(kept.values())
    return kept | ({OTHER: kept.get(OTHER, 0) + rest} if rest else {})


def _store(claim: Claim, said: dict[int, tuple[scores.Rollout, Scored]], spending: Spending) -> None:
    """Keep the scores, the reasons there are none, and what they took: together, and only while the hold is good."""
    refused = [
        {"trajectory": one.id, "external_id": one.record.external_id, "reason": str(why)}
        for one, why in said.values()
        if isinstance(why, CannotScore)
    ]
    left_out = Counter(why for _, s in said.values() if isinstance(s, Partly) for why in s.unscored.values())
    with transaction.atomic():
        # First, because it locks the run's row: whoever takes the run over waits for these scores and sees them.
        claim.keep(
            spent=spending.after(said),
            **({"skipped": [*claim.run.result.get("skipped", []), *refused]} if refused else {}),
        )
        if left_out:
            claim.keep(unscored=_pooled(left_out + Counter(claim.run.result.get("unscored", {}))))
        scores.store(claim.run, {pk: (one, s) for pk, (one, s) in said.items() if not isinstance(s, CannotScore)})
