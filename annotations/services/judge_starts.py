"""Beginning to ask a judge, as people want it: a try on a few, what people have labelled, or all there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotations.models import Annotation, Judge, Project, Rater, Run, User
from annotations.services import judges
from annotations.services.judges import TRIED, Estimate

TRY, PEOPLE, ALL = "try", "people", "all"
WHAT = {TRY: f"Try on {TRIED}", PEOPLE: "Those that people have labelled", ALL: "All"}


@dataclass(frozen=True)
class Wanted:
    """`what` is one of WHAT. `again`: also what the judge has labelled already."""

    what: str
    again: bool = False

    @property
    def needs_a_word(self) -> bool:
        """Whether somebody has to say that they are sure, having seen the estimate. A try begins at once."""
        return self.what != TRY

    def config(self, project: Project) -> dict[str, Any]:
        """`limit`, `among` and `again`, as judges.start and judges.estimate take them."""
        found: dict[str, Any] = {"limit": TRIED} if self.what == TRY else {}
        found |= {"among": labelled_by_people(project)} if self.what == PEOPLE else {}
        return found | ({"again": True} if self.again else {})


def estimate(judge: Judge, wanted: Wanted) -> Estimate:
    """What that would take."""
    return judges.estimate(judge, wanted.config(judge.project))


def start(judge: Judge, by: User, wanted: Wanted) -> Run:
    """Begin. JudgeRefused where the judge may not be asked."""
    return judges.start(judge, by, **wanted.config(judge.project))


def labelled_by_people(project: Project) -> list[int]:
    """Trajectories that somebody has handed in."""
    passes = Annotation.objects.live().filter(rater__project=project, rater__kind=Rater.Kind.HUMAN)
    submitted = passes.filter(state=Annotation.State.SUBMITTED, trajectory__superseded_at=None)
    return sorted(set(submitted.values_list("trajectory", flat=True)))
