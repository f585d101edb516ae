"""What a way of asking a language model for verdicts on steps says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from annotations.formats.lines import storable
from models_service.scorers.base import CannotScore
from models_service.scorers.fitting import ends
from models_service.scorers.generative.verdicts import Reply
from models_service.scorers.generative.views import View, told
from models_service.scorers.generative.wording import Wording
from models_service.scorers.language.asked import Completion, NotServed, Prompt, Sampling
from models_service.scorers.language.gathering import Drawn, Told, Work

TOP = 20  # likeliest tokens that are asked for where a verdict is read: as many as servers tell
CERTAIN = 1e-6
SATURATED = "saturated: as sure as the model can be, log-odds say nothing more"
SAID = 600  # characters of an answer that are kept with the score


@dataclass(frozen=True)
class Verdict:
    """A step's score in the verifier's range, what else was said of it, by name, and the two ends of one answer."""

    value: float
    more: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    said: str = ""


class NoVerdict(CannotScore):
    """No answer holds a verdict. `said` are the two ends of the first."""

    said: str = ""


Judged = Verdict | CannotScore  # of one step


class Reading(NamedTuple):
    """What one answer says of a step."""

    value: float
    more: dict[str, float] = {}


class Verifier:
    """`parts` are those its wording must have, `sampling` how answers are drawn by default. `range` and `probability`
    as of a family. `sampling.top` is 0 where verdicts are read from words and not from log-probabilities;
    `temperature` divides these. `observed`: by default the judged step is shown with what answered it; `smooths`: half
    an answer is added on either side where verdicts are counted; `wrong_at` as of a scorer."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    version: ClassVar[str] = "1"
    parts: ClassVar[tuple[str, ...]] = ("system", "user")
    sampling: ClassVar[Sampling] = Sampling(most=1024, top=TOP)
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    probability: ClassVar[bool] = True
    smooths: ClassVar[bool] = True
    wrong_at: ClassVar[float | None] = None
    observed: ClassVar[bool] = True

    def __init__(self, asked: Sampling, wording: str = "", temperature: float = 1.0) -> None:
        self.asked, self.temperature = asked, temperature
        self.wording = Wording(self.name, wording or self.version)
        self.wording.need(self.parts)

    @property
    def options(self) -> dict[str, Any]:
        """Its own options, as they are."""
        return {}

    def judged(self, views: Sequence[View]) -> Work[list[Judged]]:
        """For each of the steps of one trajectory the verdict, or why there is none. By default all are asked for at
        once. Raises CannotScore where that is so of all for one reason."""
        found = yield from answers_of([Drawn(self.prompt(view), self.asked) for view in views])
        return [self.pooled(answers, self.reader(view)) for view, answers in zip(views, found, strict=True)]

    def prompt(self, view: View) -> Prompt:
        return self.chat(self.blanks(view))

    def blanks(self, view: View) -> dict[str, str]:
        """What the wording's blanks are filled in with."""
        return {"task": view.task, "earlier": told(view.numbered), "step": view.text, "number": str(view.number)}

    def chat(self, blanks: dict[str, str], user: str = "user", opening: str = "", system: str = "system") -> Prompt:
        """A system turn, a user's, and how the answer begins, if it does, from these parts of the wording."""
        turns = (("system", system), ("user", user))
        messages = [{"role": role, "content": self.wording.fill(part, **blanks)} for role, part in turns]
        return Prompt(tuple(messages), self.wording.fill(opening, **blanks) if opening else "")

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        """Reads one answer: None where it holds no verdict on this step."""
        raise NotImplementedError

    def pooled(self, answers: Sequence[Completion] | CannotScore, read: Callable[[Reply], Reading | None]) -> Judged:
        """The mean over the answers that hold a verdict. The others are left out and counted, never taken for a number;
        NoVerdict where none is left. Verdicts without log-probabilities are shares of so many answers, and half an
        answer is added on either side."""
        if isinstance(answers, CannotScore):
            return answers
        readings = [one for answer in answers if (one := read(Reply(answer, self.temperature))) is not None]
        if not readings:
            none = NoVerdict(f"none of {len(answers)} answers holds a verdict")
            none.said = kept(answers)
            return none
        count = len(readings)
        extra = 0.5 if self.smooths and not self.asked.top else 0.0
        value = (sum(one.value for one in readings) + extra) / (count + 2 * extra)
        names = dict.fromkeys(name for one in readings for name in one.more)
        more = {name: sum(one.more.get(name, 0.0) for one in readings) / count for name in names}
        return Verdict(value, more, self._flags(value, len(answers) - count, len(answers)), kept(answers))

    def _flags(self, value: float, dropped: int, count: int) -> tuple[str, ...]:
        left_out = (f"{dropped} of {count} answers without a verdict left out",) if dropped else ()
        sure = self.asked.top and self.probability and min(value, 1 - value) < CERTAIN
        return (*left_out, SATURATED) if sure else left_out


def answers_of(asks: Sequence[Drawn]) -> Work[list[tuple[Completion, ...] | CannotScore]]:
    """The texts drawn for each prompt, or why there are none."""
    found = yield asks
    return [_answers(one) for one in found]


def _answers(told: Told) -> tuple[Completion, ...] | CannotScore:
    if isinstance(told, CannotScore):
        return told
    assert not isinstance(told, NotServed), "it is thrown"
    return tuple(one for one in told if isinstance(one, Completion))


def kept(answers: Sequence[Completion]) -> str:
    """What is kept of the answers, for people to read: the two ends of the first, as a database can hold them."""
    said: str = storable(ends(answers[0].text.strip(), SAID))[0]
    return said
