"""What servers answer, held to what was asked and read into completions and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models_service.scorers.base import CannotScore
from models_service.scorers.language.asked import Completion, NotServed, Sampling, Token
from models_service.scorers.language.cutting import Cut
from models_service.scorers.remote.server import ServerFault

FLOOR = -9999.0  # what servers say of a token that is next to impossible; nothing is taken for less likely


def prompt_tokens(found: Any) -> int | None:
    told = found.get("usage") if isinstance(found, dict) else None
    count = told.get("prompt_tokens") if isinstance(told, dict) else None
    return count if isinstance(count, int) else None


def chat(found: Any, sampling: Sampling, url: str) -> tuple[Completion, ...]:
    """The choices of a chat completion."""
    return tuple(_chat(one, sampling, url) for one in choices(found, sampling.count, url))


def _chat(choice: dict[str, Any], sampling: Sampling, url: str) -> Completion:
    message, told = choice.get("message"), choice.get("logprobs")
    if not isinstance(message, dict):
        raise ServerFault(f"{url}: a choice holds no message")
    tokens: tuple[Token, ...] = ()
    if sampling.top:
        listed = told.get("content") if isinstance(told, dict) else None
        if not isinstance(listed, list):
            raise NotServed(f"{url} tells no log-probabilities of what it writes; logprobs and top_logprobs are needed")
        tokens = tuple(
            Token(one["token"], log_prob(one["logprob"], url), _top(one.get("top_logprobs"), url)) for one in listed
        )
    return Completion(message.get("content") or "", tokens, choice.get("finish_reason") != "length")


def _top(listed: Any, url: str) -> Mapping[str, float]:
    top: dict[str, float] = {}
    for one in listed or ():
        top.setdefault(one["token"], log_prob(one["logprob"], url))  # of tokens that read the same, the likeliest
    return top


def completions(found: Any, sampling: Sampling, url: str) -> tuple[Completion, ...]:
    """The choices of a plain completion."""
    return tuple(_plain(one, sampling, url) for one in choices(found, sampling.count, url))


def _plain(choice: dict[str, Any], sampling: Sampling, url: str) -> Completion:
    text = choice.get("text")
    if not isinstance(text, str):
        raise ServerFault(f"{url}: a choice holds no text")
    tokens: tuple[Token, ...] = ()
    if sampling.top:
        names, logs, tops = _columns(choice, url)
        tokens = tuple(_token(*row, url) for row in zip(names, logs, tops, strict=True))
    return Completion(text, tokens, choice.get("finish_reason") != "length")


def _columns(choice: dict[str, Any], url: str) -> tuple[list[str], list[Any], list[Any]]:
    told = choice.get("logprobs")
    if not isinstance(told, dict) or not isinstance(told.get("tokens"), list):
        raise NotServed(f"{url} tells no log-probabilities with its completions; logprobs are needed")
    names, logs = told["tokens"], told.get("token_logprobs")
    tops = told.get("top_logprobs") or [None] * len(names)
    if not isinstance(logs, list) or not len(names) == len(logs) == len(tops):
        raise ServerFault(f"{url}: tokens and their log-probabilities are not as many")
    return names, logs, tops


def _token(name: str, log: Any, top: Any, url: str) -> Token:
    """Tokens that read the same share one place among the likeliest: it is the likeliest one's, also where the server
    put another's there."""
    found, likeliest = log_prob(log, url), {text: log_prob(one, url) for text, one in (top or {}).items()}
    if name in likeliest:
        likeliest[name] = max(found, likeliest[name])
    return Token(name, found, likeliest)


def from_echo(found: Any, cut: Cut, url: str) -> tuple[Token, ...]:
    """The given text's tokens among those of a prompt that was echoed, and of the one drawn after it."""
    [choice] = choices(found, 1, url)
    names, logs, tops = _columns(choice, url)
    if isinstance(cut.prompt, list):
        if len(names) not in (len(cut.prompt), len(cut.prompt) + 1):
            raise ServerFault(f"{url}: {len(names)} tokens are echoed; {len(cut.prompt)} were sent")
        begin, end = cut.begin, len(cut.prompt)
    else:
        begin, end = _between(choice["logprobs"].get("text_offset"), names, cut, url)
    rows = zip(names[begin:end], logs[begin:end], tops[begin:end], strict=True)
    return tuple(_token(*row, url) for row in rows)


def _between(offsets: Any, names: list[str], cut: Cut, url: str) -> tuple[int, int]:
    """The places of the tokens that hold the given text: from the one with its first character to the last one before
    what was drawn. The tokens' own texts must make up the text, else offsets count something else."""
    assert isinstance(cut.prompt, str)
    if not isinstance(offsets, list) or len(offsets) != len(names):
        raise NotServed(f"{url} echoes no prompt with offsets; it needs echo, or a /tokenize")
    end = next((place for place, offset in enumerate(offsets) if offset >= len(cut.prompt)), len(names))
    begin = max((place for place, offset in enumerate(offsets[:end]) if offset <= cut.begin), default=0)
    held = "".join(names[begin:end])
    if not held.endswith(cut.text) or offsets[begin] + len(held) != len(cut.prompt):
        raise CannotScore("the server's tokens do not make up the text, so that it cannot be told where it begins")
    return begin, end


def from_prompt(found: Any, cut: Cut, url: str) -> tuple[Token, ...]:
    """The given text's tokens among vLLM's prompt_logprobs: for each token of the prompt the log-probabilities at its
    place, by id."""
    [choice] = choices(found, 1, url)
    rows = choice.get("prompt_logprobs")
    if not isinstance(rows, list):
        raise NotServed(f'{url} answers without prompt_logprobs; vLLM has them, others may have "forced": "echo"')
    if len(rows) != len(cut.prompt):
        raise ServerFault(f"{url}: prompt_logprobs are of {len(rows)} tokens; {len(cut.prompt)} were sent")
    pairs = list(zip(cut.prompt, rows, strict=True))[cut.begin :]
    return tuple(_at(str(token), row, url) for token, row in pairs)


def _at(token: str, row: Any, url: str) -> Token:
    if not isinstance(row, dict) or not isinstance(row.get(token), dict):
        raise ServerFault(f"{url}: prompt_logprobs say nothing of the token {token}")
    top = {str(one.get("decoded_token")): log_prob(one.get("logprob"), url) for one in row.values()}
    return Token(str(row[token].get("decoded_token")), log_prob(row[token].get("logprob"), url), top)


def choices(found: Any, count: int, url: str) -> list[dict[str, Any]]:
    """The answer's choices in order. ServerFault unless they are as many as were asked for."""
    listed = found.get("choices") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ServerFault(f"{url}: the answer holds no choices")
    if len(listed) != count:
        raise ServerFault(f"{url}: {len(listed)} choices; {count} were asked for")
    return sorted(listed, key=lambda one: int(one.get("index", 0)))


def log_prob(found: Any, url: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found:
        raise ServerFault(f"{url}: found {found!r} where a log-probability belongs")
    return max(FLOOR, float(found))
