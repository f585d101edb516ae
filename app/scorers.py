"""The process reward models of a deployment, from its environment."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ImproperlyConfigured

Entry = dict[str, Any]  # {"title", "class", "options"}, and "price" where asking it costs something


def read(text: str) -> dict[str, Entry]:
    """The entries of a JSON object: name → {"title", "class", "options"}. ImproperlyConfigured says what is wrong."""
    try:
        entries = json.loads(text or "{}")
    except ValueError as exc:
        raise ImproperlyConfigured(f"SCORERS is not JSON: {exc}") from exc
    if not isinstance(entries, dict):
        raise ImproperlyConfigured(f"SCORERS is a JSON object, name → entry; found {type(entries).__name__}")
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not {"title", "class", "options"} <= entry.keys():
            raise ImproperlyConfigured(f"SCORERS: {name!r} needs title, class and options; found {entry!r}")
        _check_price(name, entry.get("price"))
    return entries


def _check_price(name: str, price: Any) -> None:
    """Of a million tokens, in millionths of the currency: {"prompt", "completion", "currency"}, and "version"."""
    if price is None:
        return
    counts = [price.get(key) for key in ("prompt", "completion")] if isinstance(price, dict) else [None]
    if not all(isinstance(one, int) and one >= 0 for one in counts) or not price.get("currency"):
        raise ImproperlyConfigured(
            f"SCORERS: the price of {name!r} is whole numbers, prompt and completion, with a currency; found {price!r}"
        )
