"""A trajectory as what a language model reads before it is asked: up to each step, word for word, or told shortened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from annotations.formats import solutions
from annotations.records import TrajectoryRecord
from models_service.scorers import fitting
from models_service.scorers.language.asked import Prompt, inert
from models_service.scorers.rendering import Rendered, Text

CHARACTERS = 3  # to a token, about: how long a text is for a model whose tokens are not known here
BLANK = "\n\n"


@dataclass(frozen=True)
class Way:
    """A trajectory, a way through a tree, or a window of one. `flags` say what was done to make it fit, `between` what
    others said right before a step, by its place."""

    text: Text
    flags: tuple[str, ...] = ()
    window: tuple[int, int] | None = None
    between: Mapping[int, str] = field(default_factory=dict)
    chat: bool = True

    @property
    def places(self) -> tuple[int, ...]:
        """The steps that are judged here, by their places in the trajectory."""
        return self.text.places[self.text.first :]

    def upto(self, count: int, closing: str = "", hint: str = "") -> Prompt:
        """The question, with `hint` behind it, the first `count` steps, and `closing`."""
        return self._prompt(self.text.steps[:count], closing, hint)

    def within(self, count: int, part: str, closing: str = "") -> Prompt:
        """The question, the first `count` steps, `part` of the next one, and `closing`."""
        return self._prompt((*self.text.steps[:count], part), closing)

    def before_own(self, number: int, hint: str = "") -> Prompt:
        """All that stands before the agent's own words of a step, by its number in this text."""
        said = self.between.get(self.text.places[number], "")
        return self.upto(number, f"{BLANK}{said}{BLANK}" if said else BLANK, hint)

    def _prompt(self, steps: tuple[str, ...], closing: str, hint: str = "") -> Prompt:
        asked = self.text.prompt + hint
        if self.chat:
            opening = BLANK.join(steps) + (closing if steps else closing.lstrip("\n"))
            return Prompt(({"role": "user", "content": asked},), opening)
        return Prompt(opening=BLANK.join([asked, *steps]) + closing)


@dataclass(frozen=True)
class _Laid(Rendered):
    text: Text = Text("", (), ())


def ways(record: TrajectoryRecord, longest: int, *, chat: bool = True) -> list[Way]:
    """The trajectory's ways, each of at most `longest` tokens, by estimate, in which each step is judged once.
    CannotScore where a single step is too long."""
    between = {place: inert(said) for place, said in _between(record)}
    found = []
    for one in fitting.fitted(record, _laid, longest):
        assert isinstance(one.rendered, _Laid)
        text = one.rendered.text
        found.append(Way(_inert(text, record.task.instruction), one.flags, one.window, between, chat))
    return [way for way in found if way.places]


def _inert(text: Text, instruction: str) -> Text:
    """The text without control tokens; the task's own words where nothing was asked before the first step."""
    steps, own = (tuple(map(inert, each)) for each in (text.steps, text.own))
    return replace(text, prompt=inert(text.prompt if text.prompt.strip() else instruction), steps=steps, own=own)


def _laid(text: Text) -> _Laid:
    characters = len(text.prompt) + sum(len(step) + len(BLANK) for step in text.steps)
    return _Laid([0] * (characters // CHARACTERS + 1), [], text=text)


def _between(record: TrajectoryRecord) -> Iterator[tuple[int, str]]:
    """What others said between a step of the agent and the one before, as it stands in the step's text. What stands
    before the first step is the question."""
    for way in solutions.ways(record.steps):
        said: list[str] | None = None
        for place in way:
            if record.steps[place].source == "agent":
                yield place, BLANK.join(said or ())
                said = []
            elif said is not None:
                said.append(record.steps[place].message)
