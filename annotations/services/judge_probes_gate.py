"""The gate: whether a judge's labels may go out. Its probes speak against it, or it was never probed where that is
needed, and nobody has signed for it: then they may not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.judges.probe_limits import in_words
from annotations.models import Event, JudgeLeave, Project, Rater, User
from annotations.services import judge_probes_kept as kept
from annotations.services.judge_probes_kept import Found

LONGEST = 2_000  # characters of a reason


class LeaveRefused(ValueError):
    """It cannot be signed. The message says why."""


@dataclass(frozen=True)
class Standing:
    """How a judge stands. `verdicts`: of each limit the one of the newest report that looked at it. `report`: the
    newest. `leave`: who signed for it, where that holds for what is known now."""

    rater: Rater
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    report: int | None = None
    leave: JudgeLeave | None = None
    refuses_unprobed: bool = False

    @property
    def above(self) -> list[str]:
        """The limits that it is convicted by."""
        return kept.above(self.verdicts)

    @property
    def above_in_words(self) -> list[str]:
        return [in_words(one) for one in self.above]

    @property
    def reason(self) -> str:
        """Why its labels may not go out without somebody's word; "" where they may."""
        if self.above:
            return f"its probes are beyond the limits: {', '.join(self.above_in_words)}"
        if self.report is None and self.refuses_unprobed:
            return "it was never probed, which this project asks of judges"
        return ""

    @property
    def is_barred(self) -> bool:
        return bool(self.reason) and self.leave is None


def standings(project: Project, raters: Iterable[Rater]) -> list[Standing]:
    """How each judge among them stands by its reports and by who signed for it."""
    judges = [one for one in raters if one.kind == Rater.Kind.JUDGE]
    if not judges:
        return []
    found = kept.found(project)
    signed = JudgeLeave.objects.select_related("signed_by").filter(rater__in=judges, withdrawn_at=None)
    leaves = {leave.rater_id: leave for leave in signed}
    refuses = kept.refuses_unprobed(project)
    return [_standing(one, found, leaves.get(one.pk), refuses) for one in judges]


def standing(rater: Rater) -> Standing:
    return standings(rater.project, [rater])[0]


def _standing(rater: Rater, found: Iterable[Found], leave: JudgeLeave | None, refuses: bool) -> Standing:
    mine = [one for one in found if one.rater == rater.pk]
    verdicts = kept.merged(mine)
    if leave:
        # Nothing may have been found since that was not found then.
        then = kept.above(kept.merged(one for one in mine if one.report <= (leave.report_id or 0)))
        leave = leave if set(kept.above(verdicts)) <= set(then) else None
    return Standing(rater, verdicts, mine[0].report if mine else None, leave, refuses)


@transaction.atomic
def sign(rater: Rater, by: User, reason: str) -> JudgeLeave:
    """Let the judge's labels go out all the same. LeaveRefused where that is not needed, or no reason is given."""
    Rater.objects.select_for_update(no_key=True).get(pk=rater.pk)
    reason = reason.strip()
    if rater.kind != Rater.Kind.JUDGE:
        raise LeaveRefused("Only judges are signed for.")
    now = standing(rater)
    if not reason:
        raise LeaveRefused("Say why its labels may be used.")
    if len(reason) > LONGEST:
        raise LeaveRefused(f"That is {len(reason)} characters; accepted are {LONGEST}.")
    if not now.reason:
        raise LeaveRefused("Nothing speaks against its labels, so nobody has to sign for them.")
    JudgeLeave.objects.filter(rater=rater, withdrawn_at=None).update(withdrawn_at=timezone.now())
    leave = JudgeLeave.objects.create(rater=rater, report_id=now.report, reason=reason, signed_by=by)
    after = {"rater": rater.name, "leave": leave.pk, "reason": reason, "above": now.above}
    Event.objects.create(project_id=rater.project_id, actor=by, verb="judge.signed", after=after)
    return leave


@transaction.atomic
def withdraw(rater: Rater, by: User) -> None:
    """Take the signature back. Nothing where there is none."""
    for leave in JudgeLeave.objects.select_for_update().filter(rater=rater, withdrawn_at=None):
        leave.withdrawn_at = timezone.now()
        leave.save(update_fields=["withdrawn_at"])
        before = {"rater": rater.name, "leave": leave.pk, "reason": leave.reason}
        Event.objects.create(project_id=rater.project_id, actor=by, verb="judge.unsigned", before=before)


def barred(project: Project, raters: Iterable[Rater]) -> dict[int, str]:
    """Those of the raters whose labels may not go out, with the reason."""
    return {one.rater.pk: one.reason for one in standings(project, raters) if one.is_barred}


def manifest(project: Project, raters: Iterable[Rater]) -> list[dict[str, Any]]:
    """What an export says of its judges: how each stands and who signed for it; and which are left out, and why."""
    going = {one.pk for one in raters}
    judges = project.raters.filter(kind=Rater.Kind.JUDGE).order_by("name")
    found = [one for one in standings(project, judges) if one.rater.pk in going or one.is_barred]
    return [_told(one, one.rater.pk in going) for one in found]


def _told(one: Standing, goes: bool) -> dict[str, Any]:
    leave = one.leave
    signed = leave and {
        "by": leave.signed_by.username,
        "at": leave.signed_at.isoformat(timespec="seconds"),
        "reason": leave.reason,
        "report": leave.report_id,
    }
    return {
        "name": one.rater.name,
        "report": one.report,
        "above": one.above,
        "not_enough": [kept.name_of(each) for each in one.verdicts if each["standing"] == "not_enough"],
        "signed": signed,
        "left_out": "" if goes else one.reason,
    }
