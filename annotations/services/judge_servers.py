"""The servers that judges are asked at: adding one, giving it another price list, taking one away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import ValidationError

from annotations.judges.servers import OLD, Options, Prices
from annotations.models import Judge, JudgeServer, User
from annotations.services import scorer_rules


class ServerRefused(ValueError):
    """It cannot be added, changed or removed. `field` is what is wrong with it, the message why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def there() -> list[JudgeServer]:
    """Those that can be asked, oldest first."""
    return list(JudgeServer.objects.filter(removed_at=None).select_related("added_by").order_by("pk"))


def applied(server: JudgeServer) -> dict[str, Any] | None:
    """The price list that its questions are counted by: {"prices", "days": its age at most or None, "old": whether it
    is likely to be of yesterday}; None where no price is known."""
    if server.prices is None:
        return None
    prices = Prices.model_validate(server.prices)
    days = prices.age(timezone.now().date())
    return {"prices": prices, "days": days, "old": days is not None and days > OLD}


def add(
    name: str,
    by: User | None,
    *,
    title: str,
    url: str,
    key_env: str = "",
    options: Mapping[str, Any] | None = None,
    prices: Mapping[str, Any] | None = None,
) -> JudgeServer:
    """Add it for all projects. ServerRefused names what is wrong."""
    entry: dict[str, Any] = {"server": url} | ({"key_env": key_env} if key_env else {})
    try:
        scorer_rules.check_server(entry)
    except scorer_rules.EntryRefused as no:
        raise ServerRefused("key_env" if str(no).startswith("key_env") else "url", str(no)) from no
    kept = checked_options(options or {})
    listed = checked_prices(prices) if prices is not None else None
    try:
        with transaction.atomic():
            return JudgeServer.objects.create(
                name=name, title=title, url=url.rstrip("/"), key_env=key_env, options=kept, prices=listed, added_by=by
            )
    except IntegrityError as exc:
        raise ServerRefused("name", f"There is a server {name!r} already; remove it first.") from exc


@transaction.atomic
def change_prices(server: JudgeServer, by: User | None, prices: Mapping[str, Any] | None) -> JudgeServer:
    """The same server under another price list: a row of its own, which judges that are not retired ask from now on.
    What was asked before keeps its price."""
    locked = JudgeServer.objects.select_for_update().get(pk=server.pk)
    if locked.removed_at:
        raise ServerRefused("prices", "The server was removed, or has another price list already.")
    listed = checked_prices(prices) if prices is not None else None
    locked.removed_at = timezone.now()
    locked.save(update_fields=["removed_at"])
    made = JudgeServer.objects.create(
        name=locked.name,
        title=locked.title,
        url=locked.url,
        key_env=locked.key_env,
        options=locked.options,
        prices=listed,
        added_by=by,
    )
    Judge.objects.filter(server=locked).update(server=made)
    return made


def remove(server: JudgeServer) -> None:
    """Ask it no more. What its judges said stays."""
    JudgeServer.objects.filter(pk=server.pk, removed_at=None).update(removed_at=timezone.now())


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return Options.model_validate(options).model_dump(mode="json")
    except ValidationError as exc:
        raise ServerRefused("options", _first(exc)) from exc


def checked_prices(prices: Any) -> dict[str, Any]:
    try:
        return Prices.model_validate(prices).model_dump(mode="json")
    except ValidationError as exc:
        raise ServerRefused(
            "prices",
            f'{_first(exc)}; accepted is {{"version": "2026-11", "currency": "USD", "models": {{"name": {{"prompt": '
            '3000000, "completion": 15000000, "cached": 300000}}}, millionths of the currency for a million tokens',
        ) from exc


def _first(exc: ValidationError) -> str:
    one = exc.errors()[0]
    return f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}; found {str(one.get('input'))[:80]!r}"
