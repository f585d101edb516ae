"""Making a long trajectory fit a model's context, and saying what was done: nothing is cut in silence.

First what tools answered is shortened to its two ends, oldest first, since agent traces are mostly that and labels rest
on the agent's words and the last answers. What is still too long is read in windows, each step judged in one of them,
with half a window before it where there is as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from annotations.formats import step_text
from annotations.records import Json, StepRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.rendering import Rendered, Text, texts

CAPS = (8000, 4000, 2000, 1000, 500, 200)  # characters an observation is shortened to, one after another
SUMMARY = 300  # characters of an earlier step's own words in a window's summary
SHORTENED, PROMPT, WINDOWED = "observations shortened", "prompt shortened", "read in a window"

Render = Callable[[Text], Rendered]


@dataclass(frozen=True)
class Fitted:
    """A rendering that fits. `places` are the judged steps, whose marks are the last ones. `window` are the first and
    the last step that were read, where these are not all; `flags` say what was done to make it fit."""

    rendered: Rendered
    places: tuple[int, ...]
    flags: tuple[str, ...] = ()
    window: tuple[int, int] | None = None


def fitted(record: TrajectoryRecord, render: Render, longest: int) -> list[Fitted]:
    """Renderings of at most `longest` tokens in which each agent step is judged once. Raises CannotScore where a single
    step is too long for that."""
    every = list(texts(record))
    rendered = [render(text) for text in every]
    if all(len(one.ids) <= longest for one in rendered):
        return [_whole(text, one) for text, one in zip(every, rendered, strict=True)]
    record = _shortened(record, render, longest)
    found: list[Fitted] = []
    for text in texts(record):
        one = render(text)
        found += [_whole(text, one, SHORTENED)] if len(one.ids) <= longest else _windows(text, render, longest)
    return found


def _whole(text: Text, rendered: Rendered, *flags: str) -> Fitted:
    return Fitted(rendered, text.places[text.first :], flags)


def _shortened(record: TrajectoryRecord, render: Render, longest: int) -> TrajectoryRecord:
    """The record with its oldest observations shortened as far as need be, or as can be."""
    for cap in CAPS:
        while (excess := _excess(record, render, longest)) > 0:
            shorter = _saving(record, cap, excess)
            if shorter is record:
                break
            record = shorter
        else:
            return record
    return record


def _saving(record: TrajectoryRecord, cap: int, excess: float) -> TrajectoryRecord:
    """The record with observations shortened to the cap, oldest first, until about so many characters are saved."""
    for place in range(len(record.steps)):
        if excess <= 0:
            break
        shorter = _step_shortened(record, place, cap)
        excess -= _length(record.steps[place]) - _length(shorter.steps[place])
        record = shorter
    return record


def _excess(record: TrajectoryRecord, render: Render, longest: int) -> float:
    """How many characters too long its longest way is, about."""
    tokens, characters = max(
        (len(render(text).ids), len(text.prompt) + sum(map(len, text.steps))) for text in texts(record)
    )
    return (tokens - longest) * characters / tokens


def _length(step: StepRecord) -> int:
    return sum(len(step_text.content(one)) for one in step.observations)


def _step_shortened(record: TrajectoryRecord, place: int, cap: int) -> TrajectoryRecord:
    step = record.steps[place]
    if all(len(step_text.content(one)) <= cap for one in step.observations):
        return record
    observed = tuple(_observation(one, cap) for one in step.observations)
    steps = (*record.steps[:place], replace(step, observations=observed), *record.steps[place + 1 :])
    return replace(record, steps=steps)


def _observation(observation: Json, cap: int) -> Json:
    short = ends(step_text.content(observation), cap)
    return {**observation, "content": short} if isinstance(observation, dict) else short


def ends(text: str, cap: int) -> str:
    """The text's two ends, and between them how much was left out: at most `cap` characters."""
    if len(text) <= cap:
        return text
    mark = f"\n[… {len(text) - cap:,} characters left out …]\n"
    half = max(0, cap - len(mark)) // 2
    return f"{text[:half]}{mark}{text[len(text) - half :]}"


def _windows(text: Text, render: Render, longest: int) -> Iterator[Fitted]:
    """The text in windows, each judging the steps that the ones before did not."""
    characters = len(text.prompt) + sum(map(len, text.steps))
    eighth = longest * characters // (8 * len(render(text).ids))  # of a window, in characters
    short = replace(text, prompt=ends(text.prompt, 2 * eighth))
    flags = (SHORTENED, WINDOWED) if short == text else (SHORTENED, PROMPT, WINDOWED)
    judged = text.first
    while judged < len(text.steps):
        part, one = _window(short, judged, render, longest, eighth)
        yield Fitted(one, part.places[part.first :], flags, (part.places[0], part.places[-1]))
        judged += len(part.places) - part.first


def _window(text: Text, judged: int, render: Render, longest: int, summed: int) -> tuple[Text, Rendered]:
    """The longest window that judges from `judged` on: half of it, or all there is, read before that. Where not even
    one step fits behind that, without it, and then without the summary of the steps before."""
    begin = judged
    while begin and len(render(_part(text, begin - 1, judged, judged, summed)).ids) <= longest // 2:
        begin -= 1
    for start, cap in dict.fromkeys([(begin, summed), (judged, summed), (judged, 0)]):
        found = None
        low, high = judged, len(text.steps)  # as many steps as fit, found by halving
        while low < high:
            middle = (low + high + 1) // 2
            part = _part(text, start, middle, judged, cap)
            one = render(part)
            if len(one.ids) <= longest:
                low, found = middle, (part, one)
            else:
                high = middle - 1
        if found:
            return found
    tokens = len(render(_part(text, judged, judged + 1, judged, 0)).ids)
    raise CannotScore(f"step {text.places[judged]} alone takes {tokens} tokens, the model reads {longest}")


def _part(text: Text, begin: int, end: int, judged: int, cap: int) -> Text:
    """The steps from `begin` up to `end`; of those before only the agent's own words beside the prompt, in at most so
    many characters."""
    before = "\n".join(f"[step {place}] {ends(own, SUMMARY)}" for place, own in enumerate(text.own[:begin], start=1))
    prompt = f"{text.prompt}\n\n[Earlier steps, shortened]\n{ends(before, cap)}" if before and cap else text.prompt
    return replace(
        text,
        prompt=prompt,
        steps=text.steps[begin:end],
        places=text.places[begin:end],
        own=text.own[begin:end],
        first=judged - begin,
    )
