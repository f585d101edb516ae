"""How servers are asked for what a family reads: token ids there, a row of numbers a step back.

Shapes as vLLM 0.22 and SGLang's native API document them. Each answer is held to what was sent: rows that are missing,
null or cut are a fault of the server and never a score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models_service.scorers.base import CannotScore
from models_service.scorers.families.base import Family
from models_service.scorers.remote.server import Server, ServerFault
from models_service.scorers.rendering import Rendered
from models_service.scorers.running import Rows

FLOOR = -9999.0  # the log-probability that servers give for "next to nothing"
TOP = 20  # the likeliest tokens that completions are asked for: what vLLM allows unless told otherwise
SUM = 0.02  # how far chances may be from adding up to 1, since servers compute in half precision


@dataclass(frozen=True)
class Asked:
    """One rendering of which the last `wanted` marks are read."""

    server: Server
    model: str
    family: Family
    item: Rendered
    wanted: int

    @property
    def marks(self) -> list[int]:
        return self.item.marks[-self.wanted :]

    def fault(self, what: str) -> ServerFault:
        return ServerFault(f"{self.server.url}, model {self.model}: {what}")


Read = Callable[[Asked], Rows]


def pooling(asked: Asked) -> Rows:
    """vLLM's /pooling with token_classify: a row a token, or with STEP pooling a row a marker."""
    body = {
        "model": asked.model,
        "input": [asked.item.ids],
        "task": "token_classify",
        "encoding_format": "float",
        "use_activation": True,
    }
    [one] = _listed(asked, asked.server.ask("/pooling", body), "data", 1)
    rows = one.get("data") if isinstance(one, dict) else None
    if not isinstance(rows, list):
        raise asked.fault(f"/pooling answers with {type(rows).__name__} where rows belong")
    tokens, marks = len(asked.item.ids), len(asked.item.marks)
    if len(rows) == tokens:
        rows = [rows[mark] for mark in asked.item.marks]
    elif len(rows) != marks:
        raise asked.fault(f"/pooling answers with {len(rows)} rows for {tokens} tokens and {marks} steps")
    return [_chances(asked, row) for row in rows[-asked.wanted :]]


def generative(asked: Asked) -> Rows:
    """vLLM's /generative_scoring: the chance of the first label against the other, after each mark. It cuts what is too
    long for the model without a word, which its count of tokens gives away."""
    query, items = _parted(asked)
    body = {
        "model": asked.model,
        "query": query,
        "items": items,
        "label_token_ids": list(asked.family.labels),
        "apply_softmax": True,
        "add_special_tokens": False,
    }
    found = asked.server.ask("/generative_scoring", body)
    rows = _in_order(asked, _listed(asked, found, "data", len(items)))
    _all_read(asked, found, sum(len(query) + len(item) for item in items))
    return [[chance, 1.0 - chance] for chance in (_number(asked, row.get("score"), 0.0, 1.0) for row in rows)]


def sglang_score(asked: Asked) -> Rows:
    """SGLang's /v1/score: the chances of the labels after each mark."""
    query, items = _parted(asked)
    body = {
        "model": asked.model,
        "query": query,
        "items": items,
        "label_token_ids": list(asked.family.labels),
        "apply_softmax": True,
        "item_first": False,
    }
    found = asked.server.ask("score", body)
    return [_chances(asked, row) for row in _listed(asked, found, "scores", len(items))]


def sglang_classify(asked: Asked) -> Rows:
    """SGLang's /classify: one number of each whole text."""
    assert asked.item.upto is not None
    count = len(asked.item.marks)
    texts = [asked.item.upto(number) for number in range(count - asked.wanted, count)]
    found = asked.server.ask("/classify", {"model": asked.model, "input_ids": texts})
    rows = _listed(asked, {"": [found] if isinstance(found, dict) else found}, "", len(texts))
    return [_value(asked, row, text) for row, text in zip(rows, texts, strict=True)]


def _value(asked: Asked, row: Any, text: list[int]) -> list[float]:
    said = row.get("embedding") if isinstance(row, dict) else None
    if not isinstance(said, list) or len(said) != 1:
        raise asked.fault(f"/classify answers with {_brief(said)}; one number is accepted")
    told = row.get("meta_info")
    if isinstance(told, dict) and isinstance(told.get("prompt_tokens"), int) and told["prompt_tokens"] != len(text):
        raise asked.fault(f"/classify read {told['prompt_tokens']} tokens of {len(text)}")
    return [_number(asked, said[0])]


def completions(asked: Asked) -> Rows:
    """Any server's /v1/completions: one token after each mark, and of the likeliest ones there the labels'."""
    prompts = [asked.item.ids[: mark + 1] for mark in asked.marks]
    body = {
        "model": asked.model,
        "prompt": prompts,
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": TOP,
        "return_tokens_as_token_ids": True,
    }
    found = asked.server.ask("completions", body)
    rows = _in_order(asked, _listed(asked, found, "choices", len(prompts)))
    _all_read(asked, found, sum(map(len, prompts)))
    return [_softmax(_likeliest(asked, row)) for row in rows]


def _likeliest(asked: Asked, choice: dict[str, Any]) -> list[float]:
    """The labels' log-probabilities. A label that is not among the likeliest counts as next to nothing, but where none
    is, nothing is known."""
    told = (choice.get("logprobs") or {}).get("top_logprobs")
    if not isinstance(told, list) or not told or not isinstance(told[0], dict):
        raise asked.fault("completions come without the log-probabilities of the likeliest tokens")
    spelt = [asked.family.tokenizer.decode([label]) for label in asked.family.labels]
    by_id = any(str(token).startswith("token_id:") for token in told[0])
    if not by_id and len(set(spelt)) < len(spelt):
        raise asked.fault(f"completions name tokens by text, and the verdicts are the same text: {spelt}")
    names = [f"token_id:{label}" for label in asked.family.labels] if by_id else spelt
    if not any(name in told[0] for name in names):
        raise CannotScore(f"neither of {spelt} is among the {len(told[0])} likeliest tokens after a step")
    return [max(FLOOR, _number(asked, told[0].get(name, FLOOR))) for name in names]


def _softmax(logs: Sequence[float]) -> list[float]:
    most = max(logs)
    weights = [math.exp(one - most) for one in logs]
    return [one / sum(weights) for one in weights]


def _parted(asked: Asked) -> tuple[list[int], list[list[int]]]:
    """What all marks follow, and for each mark what comes between: the server runs the former once."""
    begin = max(1, asked.marks[0])
    return asked.item.ids[:begin], [asked.item.ids[begin : mark + 1] for mark in asked.marks]


def _listed(asked: Asked, found: Any, key: str, count: int) -> list[Any]:
    rows = found.get(key) if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise asked.fault(f"the answer holds no list {key!r}: {_brief(found)}")
    if len(rows) != count:
        raise asked.fault(f"the answer holds {len(rows)} rows; {count} were asked for")
    return rows


def _in_order(asked: Asked, rows: list[Any]) -> list[dict[str, Any]]:
    if sorted(row.get("index", -1) if isinstance(row, dict) else -1 for row in rows) != list(range(len(rows))):
        raise asked.fault(f"the answer's rows are not numbered one after another: {_brief(rows)}")
    return sorted(rows, key=lambda row: int(row["index"]))


def _all_read(asked: Asked, found: dict[str, Any], sent: int) -> None:
    told = (found.get("usage") or {}).get("prompt_tokens")
    if isinstance(told, int) and told < sent:
        raise CannotScore(f"the server read {told} tokens of {sent}: too long for it, set max_tokens")


def _chances(asked: Asked, row: Any) -> list[float]:
    if not isinstance(row, list):
        raise asked.fault(f"a row is {_brief(row)}: was it read from a cache? switch prefix caching off")
    chances = [_number(asked, one, -SUM, 1.0 + SUM) for one in row]
    if len(row) != 2 or abs(sum(chances) - 1.0) > SUM:
        raise asked.fault(f"a row is {_brief(row)}; accepted are two chances that add up to 1")
    return chances


def _number(asked: Asked, found: Any, least: float = -math.inf, most: float = math.inf) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise asked.fault(f"found {_brief(found)} where a number belongs")
    if not least <= found <= most:
        raise asked.fault(f"found {found}; accepted is {least} to {most}")
    return float(found)


def _brief(found: Any) -> str:
    told = repr(found)
    return told if len(told) <= 100 else f"{told[:100]}…"
