"""One answer: about the whole trajectory at once, or about each step with no more than what came before it.

Read whole, an answer that lacks a required place has failed as a whole: which step it would have called wrong is not
known. Read step by step, each stands alone; steps that could not be read have no label, and are named with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from annotations.records import Json
from annotations.schemes.fields.base import Around
from annotations.schemes.judging import Arounds, Reading, path
from annotations.schemes.judging_rules import ENDS
from annotations.schemes.rules import Place, base_of
from annotations.schemes.schema import Scheme
from models_service.judges import closing, contracts, forms, prompting, rendering, replies
from models_service.judges.asked import Answer, Asking, Case, Judging, Message, Verdict, together
from models_service.judges.prompting import Extra, Prompted
from models_service.judges.reading import Known
from models_service.judges.replies import Ask, Told

THINK = """Think about it first, in words: go through what is asked in order, say what you see and what speaks for \
and against each verdict. Do not write the JSON yet."""
NOW = "Now give your answer as one JSON object in the form that was asked for and nothing else. Keep to what you found."


def asking(judging: Judging, case: Case, *, number: int = 0, extra: Extra | None = None) -> Asking[Verdict]:
    """A verdict on all that is asked of the case. `number` tells samples apart."""
    if not case.arounds:
        return Verdict(failed="the scheme asks nothing of this trajectory")
    read = _by_steps if judging.settings.reading == "prefix" else _whole
    return (yield from read(judging, case, number, extra or Extra()))


def _whole(judging: Judging, case: Case, number: int, extra: Extra) -> Asking[Verdict]:
    asked = prompting.prompted(judging, case, case.arounds, extra=extra)
    told = yield from one(judging, case, case.arounds, asked, number=number)
    return verdict(told, asked)


def one(
    judging: Judging,
    case: Case,
    arounds: Arounds,
    asked: Prompted,
    *,
    number: int = 0,
    purpose: str = "verdict",
    known: Known | None = None,
    step: int | None = None,
) -> Asking[Told]:
    """One question about these places, with a free one before it where the judge thinks first. `step`: they are all
    of that step, and the answer has the form of one."""
    messages = asked.messages
    if judging.settings.thinks_first:
        thought = yield from thinking(judging, messages, number)
        if isinstance(thought, Told):
            return thought
        messages = thought
    ask = Ask(case, arounds, messages, _form(case, arounds, step), purpose, number, known or Known())
    return (yield from replies.answered(judging, ask))


def _form(case: Case, arounds: Arounds, step: int | None) -> dict[str, Json]:
    return forms.schema(case.scheme, arounds) if step is None else forms.of_step(case.scheme, arounds, step)


def thinking(
    judging: Judging, messages: tuple[Message, ...], number: int = 0, now: str = NOW
) -> Asking[tuple[Message, ...] | Told]:
    """The messages with what the model thinks of them, and with the wish for an answer in its form; or why it said
    nothing."""
    first, last = messages[:-1], messages[-1]
    wish = {**last, "content": f"{last['content']}\n\n{THINK}"}
    (said,) = yield [replies.question(judging, (*first, wish), purpose="thinking", number=number)]
    if not isinstance(said, Answer):
        return Told(failed=said.reason or "no answer came")
    if said.refusal or not said.text.strip():
        reason = f"the model refused: {said.refusal[:500]}" if said.refusal else "the model thought nothing"
        return Told(failed=reason, answer=said)
    thought = rendering.plain(said.text)
    return (*first, wish, {"role": "assistant", "content": thought}, {"role": "user", "content": now})


@dataclass(frozen=True)
class _Going:
    """A case on its way through questions about single steps."""

    judging: Judging
    case: Case
    number: int
    extra: Extra
    lines: rendering.Lines = field(default_factory=dict)

    def ask(self, step: int | None, arounds: Arounds, known: Known | None = None) -> Asking[tuple[Told, Prompted]]:
        """One step; or, last, the whole."""
        asked = prompting.prompted(self.judging, self.case, arounds, upto=step, extra=self.extra, lines=self.lines)
        about: dict[str, Any] = {"number": self.number, "purpose": "whole" if step is None else "step"}
        told = yield from one(self.judging, self.case, arounds, asked, **about, known=known, step=step)
        return told, asked


def _by_steps(judging: Judging, case: Case, number: int, extra: Extra) -> Asking[Verdict]:
    """Each step alone, then what is asked of the whole. Where the scheme ends at the first error, one after the other,
    and no further; else the last step first, so that a server that keeps what it has read has read it all by then."""
    groups = list(by_steps(case))
    contract = extra.contract or contracts.by_steps(case.scheme, groups)
    extra = replace(extra, contract=contract, described=extra.described or case.arounds)
    going = _Going(judging, case, number, extra)
    steps = [(step, arounds) for step, arounds in groups if step is not None]
    found: dict[int | None, tuple[Told, Prompted]] = {}
    if any(rule.rule in ENDS for rule in case.scheme.rules):
        for step, arounds in steps:
            if _is_over(case, found, step):
                continue
            found[step] = yield from going.ask(step, arounds)
    else:
        for some in (steps[-1:], steps[:-1]):
            several = yield from together([going.ask(*group) for group in some])
            found |= {step: one for (step, _), one in zip(some, several, strict=True)}
        found = dict(sorted(found.items()))
    for arounds in [arounds for step, arounds in groups if step is None]:
        found[None] = yield from going.ask(None, arounds, _known(case, found))
    return _gathered(case, found)


def by_steps(case: Case) -> Iterable[tuple[int | None, Arounds]]:
    """What is asked of each step, in order, and last of the whole, with what is asked once the end is shown."""
    late = _late(case.scheme)
    groups: dict[int | None, dict[Place, Around]] = {step: {} for step in (*case.steps, None)}
    for place, here in case.arounds.items():
        groups[None if base_of(place[1]) in late else place[0]][place] = here
    yield from ((step, arounds) for step, arounds in groups.items() if arounds)


def _late(scheme: Scheme) -> set[str]:
    """The fields that a rule asks only after the end is shown, and those that hang on them."""
    late = {rule.settings["then"] for rule in scheme.rules if rule.rule == "hindsight-lock"}
    return late | {spec.name for spec in scheme.fields if spec.when and spec.when.field in late}


def _known(case: Case, found: Mapping[int | None, tuple[Told, Prompted]]) -> Known:
    """What is said of the steps so far."""
    reading = Reading()
    for told, _ in found.values():
        if not told.failed:
            reading.labels |= told.reading.labels
            reading.explanations |= told.reading.explanations
    return Known({place: case.arounds[place] for place in reading.labels}, reading)


def _is_over(case: Case, found: dict[int | None, tuple[Told, Prompted]], step: int) -> bool:
    """Whether what is said so far ends the work before this step."""
    labels = _known(case, found).reading.labels
    looked = [*(one for one in found if one is not None), step]
    return bool(closing.closed(case.scheme, case.record.steps, looked, labels, [(step, case.scheme.main)]))


def verdict(told: Told, asked: Prompted) -> Verdict:
    """What was told as a verdict, with what is worth keeping beside it."""
    detail = told.detail() | ({"cut": asked.cut} if asked.cut else {})
    if told.failed:
        partial = {path(place): value for place, value in told.reading.labels.items()}
        return Verdict(detail=detail | ({"partial": partial} if partial else {}), failed=told.failed)
    return Verdict(told.reading.labels, told.reading.explanations, detail=detail)


def _gathered(case: Case, found: dict[int | None, tuple[Told, Prompted]]) -> Verdict:
    """The verdicts on steps as one. It has failed where none of them could be read."""
    made, unanswered = Verdict(), dict[str, Json]()
    for step, (told, asked) in found.items():
        name = "trajectory" if step is None else str(step)
        each = verdict(told, asked)
        put_together(made.detail, each.detail, name)
        made.labels |= each.labels
        made.explanations |= each.explanations
        if each.failed:
            unanswered[name] = each.failed
    for place in closing.closed(case.scheme, case.record.steps, case.steps, made.labels, made.labels):
        del made.labels[place]
        made.explanations.pop(place, None)
    if unanswered:
        made.detail["unanswered"] = unanswered
    if found and len(unanswered) == len(found):
        made.failed = f"no step was answered; the first: {next(iter(unanswered.values()))}"
    return made


def put_together(detail: dict[str, Any], more: dict[str, Any], name: str) -> None:
    """Put what is known of one part of a case to what is known of the others."""
    for key, value in more.items():
        if isinstance(value, dict):
            detail.setdefault(key, {}).update(value)
        elif isinstance(value, list):
            here = detail.setdefault(key, [])
            here += [one for one in value if one not in here]
        else:
            detail.setdefault(key, {})[name] = value
