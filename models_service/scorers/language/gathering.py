"""Many trajectories asking one language model at once: each is a generator that yields what it asks and is sent the
answers, and the asks of all go out together, a round at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from models_service.scorers.base import CannotScore
from models_service.scorers.language.asked import Completion, LanguageModel, NotServed, Prompt, Sampling, Token


class Forced(NamedTuple):
    """How likely is this text after the prompt?"""

    prompt: Prompt
    text: str


class Drawn(NamedTuple):
    """Which texts does it write after the prompt?"""

    prompt: Prompt
    sampling: Sampling


T = TypeVar("T")
Ask = Forced | Drawn
Told = tuple[Token, ...] | tuple[Completion, ...] | CannotScore | NotServed
Work = Generator[Sequence[Ask], list[Told], T]
Key = tuple[tuple[tuple[str, str], ...], str, str | Sampling]


def gathered(language: LanguageModel, works: Sequence[Work[T]]) -> list[T | CannotScore]:
    """What each work comes to. CannotScore inside one concerns that one alone; NotServed is thrown into it, and out of
    here where it knows no other way."""
    done: dict[int, T | CannotScore] = {}
    waiting: dict[int, Sequence[Ask]] = {}
    resumed: dict[int, Callable[[], Sequence[Ask]]] = {at: partial(next, work) for at, work in enumerate(works)}
    while resumed:
        for at, go_on in resumed.items():
            try:
                waiting[at] = go_on()
            except StopIteration as end:
                done[at] = end.value
            except CannotScore as no:
                done[at] = no
        told = _answered(language, [ask for asks in waiting.values() for ask in asks])
        resumed = {at: _told(works[at], [next(told) for _ in asks]) for at, asks in waiting.items()}
        waiting = {}
    return [done[at] for at in range(len(works))]


def log_probs_of(asks: Sequence[Forced]) -> Work[list[tuple[Token, ...]]]:
    """The tokens of each text. CannotScore where one of them cannot be read."""
    told = yield asks
    return [tuple(one for one in _held(each) if isinstance(one, Token)) for each in told]


def texts_of(asks: Sequence[Drawn]) -> Work[list[tuple[Completion, ...]]]:
    """The texts drawn for each prompt. CannotScore where one of them cannot be read."""
    told = yield asks
    return [tuple(one for one in _held(each) if isinstance(one, Completion)) for each in told]


def _told(work: Work[T], told: list[Told]) -> Callable[[], Sequence[Ask]]:
    refused = next((one for one in told if isinstance(one, NotServed)), None)
    return partial(work.throw, refused) if refused is not None else partial(work.send, told)


def _held(told: Told) -> tuple[Token, ...] | tuple[Completion, ...]:
    if isinstance(told, CannotScore | NotServed):
        raise told
    return told


def _answered(language: LanguageModel, asks: Sequence[Ask]) -> Iterator[Told]:
    """The answers in order. Each thing is asked once, and what begins alike side by side, so that a model that reads a
    beginning once for all can."""
    unique = {_key(ask): ask for ask in asks}
    ordered = sorted(unique, key=lambda key: (key[0], key[1], str(key[2])))
    forced = [key for key in ordered if isinstance(unique[key], Forced)]
    found = dict(zip(forced, _forced(language, [unique[key] for key in forced]), strict=True))
    samplings = dict.fromkeys(ask.sampling for ask in unique.values() if isinstance(ask, Drawn))
    for sampling in samplings:
        drawn = [key for key in ordered if isinstance(ask := unique[key], Drawn) and ask.sampling == sampling]
        found |= dict(zip(drawn, _drawn(language, [unique[key].prompt for key in drawn], sampling), strict=True))
    return iter([found[_key(ask)] for ask in asks])


def _forced(language: LanguageModel, asks: Sequence[Ask]) -> list[Told]:
    try:
        return (
            list(language.forced([(ask.prompt, ask.text) for ask in asks if isinstance(ask, Forced)])) if asks else []
        )
    except NotServed as no:
        return [no] * len(asks)


def _drawn(language: LanguageModel, prompts: Sequence[Prompt], sampling: Sampling) -> list[Told]:
    try:
        return list(language.complete(prompts, sampling))
    except NotServed as no:
        return [no] * len(prompts)


def _key(ask: Ask) -> Key:
    messages = tuple((one["role"], one["content"]) for one in ask.prompt.messages)
    return (messages, ask.prompt.opening, ask.text if isinstance(ask, Forced) else ask.sampling)
