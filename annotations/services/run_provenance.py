"""Where the scores of a run come from and what they took, in rows of words for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from annotations.models import Run
from annotations.services import run_estimates
from annotations.services.run_estimates import Cost

WORDS = {
    "sha256": "SHA-256",
    "dtype": "Number format",
    "torch": "PyTorch",
    "max_tokens": "Tokens at most",
    "wording_sha256": "SHA-256 of the prompt",
    "tokenizer_sha256": "SHA-256 of the tokenizer",
    "observed": "Observations read",
}
FIRST = ("family", "scorer", "models", "rendering", "device", "dtype", "torch", "transformers")
LONGEST = 600  # characters of one row


def rows(run: Run) -> list[tuple[str, str]]:
    """All that decided what the scores are, each with what it was; empty where the run has not begun."""
    if "provenance" not in run.result:
        return []
    told = run.result["provenance"]
    ordered = {key: told[key] for key in (*FIRST, *told) if key in told}
    return [("Scorer", str(run.config.get("scorer", ""))), *_flat(ordered)]


def _flat(told: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        label = f"{above}, {_word(key).lower() if key not in WORDS else _word(key)}" if above else _word(key)
        yield from _row(label, value)


def _row(label: str, value: Any) -> Iterator[tuple[str, str]]:
    if value in (None, "", [], {}):
        return
    if isinstance(value, Mapping):
        yield from _flat(value, label)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value, 1):
            yield from _row(label if len(value) == 1 else f"{label} {number}", one)
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else _scalar(value)
        yield label, text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _scalar(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _word(key: str) -> str:
    words = key.replace("_", " ").strip()
    return WORDS.get(key, words[:1].upper() + words[1:])


def cost(run: Run) -> Cost | None:
    """What was paid for it, by the price that held when it began."""
    return run_estimates.cost((run.result.get("spent") or {}).get("usage", {}), run.result.get("price"))
