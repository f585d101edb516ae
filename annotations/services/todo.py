"""What a member of a project should do next, by their role: read from the rows when asked, kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Max

from annotations import access
from annotations.models import Annotation, Membership, Project, Report, Run
from annotations.services import adjudication, progress_counts, queue, rubric_waiting, training, training_people
from annotations.services.progress_counts import Progress

State = Annotation.State


@dataclass(frozen=True)
class Todo:
    """One thing to do: where the link leads (the name of a page of the project), and why."""

    title: str
    page: str
    why: str


def of(membership: Membership, progress: Progress) -> list[Todo]:
    """The most pressing first; for who can do nothing here, nothing."""
    found: list[Todo] = []
    if access.may(membership, access.MANAGE):
        found += _of_manager(membership.project, progress)
    if access.may(membership, access.SEE_OTHERS_LABELS) and progress.total:
        found += _of_lead(membership.project, progress)
    if access.may(membership, access.LABEL) and progress.total:
        found += _of_labeller(membership)
    return found


def _of_manager(project: Project, progress: Progress) -> Iterator[Todo]:
    if not progress.total:
        yield Todo("Import trajectories", "imports", "There are none yet.")
    people = project.memberships.filter(role__in=access.LABEL).count()
    if people < project.overlap:
        yield Todo("Add people", "members", f"Each trajectory wants {project.overlap} people; {people} can label.")
    if stuck := training_people.stuck(project):
        why = f"{stuck} of them cannot go on: no training items are left for them."
        yield Todo("Help newcomers", "gold", why)
    newest = Run.objects.filter(project=project).listed().first()
    if newest and newest.state == Run.State.FAILED:
        yield Todo("Look at the run that failed", "runs", f"{newest.get_kind_display()} {newest.pk} failed.")


def _of_lead(project: Project, progress: Progress) -> Iterator[Todo]:
    handed_in = (
        progress_counts.people(project).filter(state=State.SUBMITTED).aggregate(last=Max("submitted_at"))["last"]
    )
    reports = Report.objects.filter(project=project, kind="agreement").order_by("-id")
    reported = reports.values_list("created_at", flat=True).first()
    if handed_in and (reported is None or reported < handed_in):
        since = "since the last report" if reported else "and nobody has looked at how far people agree"
        yield Todo("Compute agreement", "agreement", f"Passes were submitted {since}.")
    if apart := adjudication.waiting(project).count():
        why = f"On {apart} trajector{'y' if apart == 1 else 'ies'} people differ, and nothing is decided yet."
        yield Todo("Decide where people differ", "adjudicate", why)
    if lists := rubric_waiting.among(project).count():
        why = f"A judge wrote {lists}, and nobody is asked them before somebody has approved them."
        yield Todo("Say your word on lists that wait", "rubrics_waiting", why)
    if progress.finished == progress.total:
        yield Todo("Take the dataset away", "exports", "Every trajectory has all its passes.")


def _of_labeller(membership: Membership) -> Iterator[Todo]:
    if training.asked(membership):
        yield Todo("Train first", "training", "A few items whose answer is known come before the queue.")
        return
    mine = Annotation.objects.of_user(membership.user).filter(rater__project=membership.project)
    returned = mine.filter(state=State.RETURNED).count()
    if returned:
        yield Todo("Look again at what was returned", "label_next", f"{returned} of your passes came back to you.")
    begun = mine.filter(progress_counts.HELD).count()
    if begun:
        yield Todo("Go on labelling", "label_next", f"You have begun {begun} that you have not submitted.")
    elif not returned and queue.has_more(membership.project, membership.user):
        yield Todo("Label next", "label_next", "Takes the next trajectory that still wants labels.")
