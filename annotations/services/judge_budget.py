"""What a project's judges may spend: one row, locked for every question that goes out and every answer that comes."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from annotations.judges.servers import Price
from annotations.models import Event, JudgeBudget, JudgeServer, Project, User

CHARACTERS_A_TOKEN = 3  # fewer than most texts have, so that what is held is enough


class OverBudget(RuntimeError):
    """The project's budget does not hold the next question, or there is none for questions that cost something."""


def of(project: Project) -> JudgeBudget | None:
    return JudgeBudget.objects.filter(project=project).first()


@transaction.atomic
def set_limit(project: Project, by: User, limit_micro: int, currency: str = "USD") -> JudgeBudget:
    """Settle how much may be spent in all, what is spent already included. ValueError where the currency would change
    under what is spent."""
    row, made = JudgeBudget.objects.select_for_update().get_or_create(
        project=project, defaults={"limit_micro": limit_micro, "currency": currency, "changed_by": by}
    )
    before = None if made else {"limit_micro": row.limit_micro, "currency": row.currency}
    if row.currency != currency and (row.spent_micro or row.reserved_micro):
        raise ValueError(f"This budget is in {row.currency}, and some of it is spent; it cannot be in {currency}.")
    row.limit_micro, row.currency, row.changed_by = limit_micro, currency, by
    row.save(update_fields=["limit_micro", "currency", "changed_by", "changed_at"])
    after = {"limit_micro": limit_micro, "currency": currency}
    Event.objects.create(project=project, actor=by, verb="judge_budget.set", before=before, after=after)
    return row


def price(server: JudgeServer, model: str) -> tuple[Price, str, str] | None:
    """What asking that model costs, with the currency and the version of the list; None where that is not known."""
    listed = server.prices or {}
    found = listed.get("models", {}).get(model)
    return (Price.model_validate(found), listed["currency"], listed["version"]) if found else None


def most(cost: Price, characters: int, max_tokens: int) -> int:
    """The most that one question may cost, in millionths."""
    return cost.cost(-(-characters // CHARACTERS_A_TOKEN), max_tokens)


def reserve(project: Project, currency: str, wanted: Sequence[int]) -> int:
    """Hold what the first of these questions may cost, as many as the budget has room for; how many these are. Needs a
    transaction, in which the questions' rows are written too. OverBudget where there is no budget of that currency."""
    if not any(wanted):
        return len(wanted)
    row = JudgeBudget.objects.select_for_update().filter(project=project).first()
    if row is None:
        raise OverBudget("The project has no budget for judges, and this judge costs something. Set one, then go on.")
    if row.currency != currency:
        raise OverBudget(f"The project's budget is in {row.currency}, the server's prices are in {currency}.")
    room, count, held = row.left_micro, 0, 0
    while count < len(wanted) and held + wanted[count] <= room:
        held += wanted[count]
        count += 1
    JudgeBudget.objects.filter(pk=row.pk).update(reserved_micro=F("reserved_micro") + held)
    return count


def settle(project: Project, *, spent: int, released: int) -> None:
    """Count what answers have cost, and let go what was held for them. Needs a transaction with the answers' rows."""
    if spent or released:
        JudgeBudget.objects.filter(project=project).update(
            spent_micro=F("spent_micro") + spent, reserved_micro=Greatest(F("reserved_micro") - released, 0)
        )
