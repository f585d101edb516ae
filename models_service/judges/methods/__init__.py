"""How one or more answers become a verdict. A method is asking.Asking: it yields questions and returns a verdict.

To add one, write its file and add it to METHODS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models_service.judges.asked import Asking, Case, Judging, Verdict
from models_service.judges.methods import adaptive, branch, critique, log_probs, once, panel, voting

METHODS: Mapping[str, Callable[[Judging, Case], Asking[Verdict]]] = {
    "single": once.asking,
    "log_probs": log_probs.asking,
    **dict.fromkeys(("majority", "intersection", "average"), voting.asking),
    "critique": critique.asking,
    "branch": branch.asking,
    "panel": panel.asking,
    "debate": panel.debate,
    "adaptive": adaptive.asking,
}


def asking(judging: Judging, case: Case) -> Asking[Verdict]:
    """The questions of the judge about the case, and its verdict."""
    return METHODS[judging.settings.method](judging, case)
