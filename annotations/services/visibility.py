"""What a member may see. The one place that decides it, for pages, the API and files alike.

Who may see others' labels sees everything. For the rest the mode decides: blind shows nothing that could sway a
judgement, `reference` the task's reference and the outcome, `assisted` scores and judges, `progressive` not even the
steps that come later, and with the second pass reference and outcome. A pass is shown under the mode it was begun in,
whatever the project says since.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations import access
from annotations.models import Annotation, Label, Membership, Project, Rater, Score, Trajectory
from annotations.models.labels import AnnotationQuerySet, LabelQuerySet
from annotations.models.trajectories import StepQuerySet
from annotations.services.scores import READ_REFERENCE

Mode = Project.Mode


class Visible(NamedTuple):
    """What may be shown of one trajectory beside its steps.

    `reference` is the task's ground truth, `outcome` what came of this rollout, `others` every rater's labels,
    `judges` those of judges and scorers (the project's reference rater excepted), `scores` pre-scores, `extra` the
    fields of the original record that we do not know.
    """

    reference: bool = False
    outcome: bool = False
    others: bool = False
    judges: bool = False
    scores: bool = False
    extra: bool = False


EVERYTHING = Visible(*[True] * 6)
BY_MODE: dict[str, Visible] = {
    Mode.BLIND: Visible(),
    Mode.REFERENCE: Visible(reference=True, outcome=True),
    Mode.ASSISTED: Visible(judges=True, scores=True),
    Mode.PROGRESSIVE: Visible(),
}
REVEALED = Visible(reference=True, outcome=True)  # a progressive pass once it has ended without hindsight


def of(membership: Membership, what: Annotation | Trajectory) -> Visible:
    """What this member may see of a trajectory, or on the page where an annotation is made.

    A person's own pass shows what its mode allows, also to a lead: a blind pass is blind.
    """
    if isinstance(what, Trajectory):
        return Lens(membership).of(what)
    if what.rater.user_id == membership.user_id:
        return REVEALED if what.revealed_at else BY_MODE[what.mode]
    return EVERYTHING if access.may(membership, access.SEE_OTHERS_LABELS) else Visible()


def before(membership: Membership) -> Visible:
    """What may be shown of a trajectory that the member has not begun. The pass of one who labels may be drawn blind,
    and what they have seen cannot be taken back: nothing that an assisted one would show."""
    project = membership.project
    drawn = project.mode == Mode.ASSISTED and project.blind_share > 0 and access.may(membership, access.LABEL)
    return Visible() if drawn else BY_MODE[project.mode]


class Lens:
    """`of` for any number of trajectories and tasks at the price of one query, or none for who sees everything."""

    def __init__(self, membership: Membership) -> None:
        self._all = access.may(membership, access.SEE_OTHERS_LABELS)
        self._default = before(membership)
        own = _own(membership)
        if self._default == BY_MODE[membership.project.mode]:
            own = own.exclude(mode=membership.project.mode)  # thousands, and all as by default
        rows = [] if self._all else list(own.order_by("pk").values_list("trajectory__task_id", "trajectory_id", "mode"))
        self._by_trajectory = {trajectory: mode for _, trajectory, mode in rows}
        self._without_reference = {task for task, _, mode in rows if not BY_MODE[mode].reference}

    def of(self, trajectory: Trajectory) -> Visible:
        if self._all:
            return EVERYTHING
        mode = self._by_trajectory.get(trajectory.pk)
        shown = BY_MODE[mode] if mode else self._default
        return shown._replace(reference=self.reference_of(trajectory.task_id))

    def reference_of(self, task_id: int) -> bool:
        """Whether the task's reference may be shown: not while a pass of theirs over a sibling is to do without."""
        return self._all or (self._default.reference and task_id not in self._without_reference)


def steps_visible_to(membership: Membership, steps: StepQuerySet) -> StepQuerySet:
    """Those of the project's steps that this member may read. Who labels without hindsight reads a trajectory as far as
    their own first pass has come, and one they have not begun not at all; so do counts of its steps."""
    if not access.may(membership, access.LABEL - access.SEE_OTHERS_LABELS):
        return steps
    first = _own(membership).filter(mode=Mode.PROGRESSIVE, revealed_at__isnull=True)
    progressive = membership.project.mode == Mode.PROGRESSIVE
    if not progressive and not first.exists():
        return steps
    here = first.filter(trajectory=OuterRef("trajectory"))
    shown = ~Exists(here) | Exists(here.filter(frontier__gte=OuterRef("index")))
    begun = Exists(_own(membership).filter(trajectory=OuterRef("trajectory")))
    return steps.filter(shown, begun) if progressive else steps.filter(shown)


def annotations_visible_to(membership: Membership) -> AnnotationQuerySet:
    """The project's passes whose labels this member may see: their own, and where the mode shows judges, theirs."""
    found = Annotation.objects.filter(rater__project=membership.project)
    if access.may(membership, access.SEE_OTHERS_LABELS):
        return found
    judges = Q(rater__in=_advisers(membership)) & _where(membership, "judges")
    return found.filter(Q(rater__user=membership.user) | judges)


def labels_visible_to(membership: Membership) -> LabelQuerySet:
    """The project's labels this member may see, current and superseded."""
    return Label.objects.filter(annotation__in=annotations_visible_to(membership))


def raters_visible_to(membership: Membership) -> QuerySet[Rater]:
    """The raters this member may know of: themselves, and where the project's mode shows judges, those."""
    found = Rater.objects.filter(project=membership.project)
    if access.may(membership, access.SEE_OTHERS_LABELS):
        return found
    advisers = _advisers(membership) if BY_MODE[membership.project.mode].judges else Rater.objects.none()
    return found.filter(Q(user=membership.user) | Q(pk__in=advisers))


def scores_visible_to(membership: Membership) -> QuerySet[Score]:
    """Scores that were made by reading the reference tell of it: only who sees everything sees them, as no mode shows
    both."""
    found = Score.objects.filter(run__project=membership.project)
    if access.may(membership, access.SEE_OTHERS_LABELS):
        return found
    return found.filter(_where(membership, "scores")).exclude(run__result__contains=READ_REFERENCE)


def _own(membership: Membership) -> AnnotationQuerySet:
    return Annotation.objects.live().filter(rater__project=membership.project, rater__user=membership.user)


def _advisers(membership: Membership) -> QuerySet[Rater]:
    """Machines whose opinion may be shown while labelling. The rater others are held against is none of them."""
    machines = Rater.objects.filter(project=membership.project, kind__in=[Rater.Kind.JUDGE, Rater.Kind.SCORER])
    reference = membership.project.reference_id
    return machines.exclude(pk=reference) if reference else machines


def _where(membership: Membership, what: Literal["judges", "scores"]) -> Q:
    """Rows of the trajectories of which the member's mode shows `what`."""
    showing = [mode for mode, visible in BY_MODE.items() if getattr(visible, what)]
    own = _own(membership).values("trajectory")
    by_pass = Q(trajectory__in=own.filter(mode__in=showing))
    if not getattr(before(membership), what):
        return by_pass
    return by_pass | ~Q(trajectory__in=own)
