"""As many samples as it takes: two, then one more at a time, until every place of the case is settled or the case's
budget is spent. A place is settled where the answer ahead stays ahead with 95 % probability, P(Beta(a + 1, b + 1) > ½)
for the counts a ≥ b of the two leading answers (adaptive self-consistency; "Optimal Self-Consistency" names the rule).

How much is left for other cases is not looked at here: statistics/blending.py orders cases by how unsure they are, for
whoever spends one budget over all of them.
"""

from __future__ import annotations

from models_service.judges.asked import Asking, Case, Judging, Verdict, together
from models_service.judges.methods import once, voting
from models_service.statistics import blending

SURE = 0.95


def asking(judging: Judging, case: Case) -> Asking[Verdict]:
    most = max(2, judging.settings.budget + 2 if judging.settings.budget else judging.settings.samples)
    verdicts = yield from together([once.asking(judging, case, number=number) for number in range(2)])
    while len(verdicts) < most and not is_settled(case, verdicts):
        verdicts.append((yield from once.asking(judging, case, number=len(verdicts))))
    made = voting.combined(case, verdicts, "majority")
    made.detail["settled"] = is_settled(case, verdicts)
    return made


def is_settled(case: Case, verdicts: list[Verdict]) -> bool:
    """Whether the leading answer at every place is likely to stay ahead. Samples that said nothing are no votes."""
    votes = voting.votes(case, [one for one in verdicts if not one.failed])
    return bool(votes) and all(sure(list(vote.counts.values())) >= SURE for vote in votes.values())


def sure(counts: list[int]) -> float:
    """P that the answer ahead stays ahead of the next one.

    >>> round(sure([4]), 4), round(sure([2, 2]), 4)
    (0.9688, 0.5)
    """
    ordered = sorted(counts, reverse=True) + [0]
    return blending.confidence((ordered[0], ordered[1]))
