"""What a verifier sees of a step: the task, what came before, and the step. Nothing of what came after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from annotations.formats import solutions
from annotations.formats.lines import dump
from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers import fitting
from models_service.scorers.base import CannotScore
from models_service.scorers.rendering import Rendered, Text, texts

TOOLS = 6000  # characters of the tools' descriptions that are shown


@dataclass(frozen=True)
class View:
    """A step at its `place` in the trajectory, the `number`th of the agent's on its way from 1, after the step at
    `before`. `earlier` are the places and texts of steps before it; those that are not there stand shortened in `task`,
    which is otherwise `first_task`, what was asked.
    `last`: no step of the agent follows. `flags` and `window` say what was done to make it fit."""

    task: str
    earlier: tuple[tuple[int, str], ...]
    text: str
    step: StepRecord
    place: int
    number: int
    before: int | None = None
    last: bool = False
    first_task: str = ""
    tools: str = ""
    flags: tuple[str, ...] = ()
    window: tuple[int, int] | None = None

    @property
    def numbered(self) -> list[tuple[int, str]]:
        """The earlier steps by their numbers."""
        return [(self.number - back, text) for back, (_, text) in zip(self._back(), self.earlier, strict=True)]

    def _back(self) -> range:
        return range(len(self.earlier), 0, -1)


@dataclass(frozen=True)
class _Laid(Rendered):
    text: Text = Text("", (), ())


def views(
    record: TrajectoryRecord, characters: int, *, observed: bool = True
) -> tuple[list[View], dict[int, CannotScore]]:
    """One for each agent step, of at most so many characters; of a tree, each step on the first way it is on. Without
    `observed` the judged step is shown as it was before anything answered it. And, by place, why there is none."""
    seen: set[int] = set()
    found: list[View] = []
    refused: dict[int, CannotScore] = {}
    for way in solutions.ways(record.steps):
        agents = [at for at, place in enumerate(way) if record.steps[place].source == "agent"]
        for number, at in enumerate(agents, start=1):
            if way[at] not in seen:
                seen.add(way[at])
                try:
                    view = _view(record, way[: at + 1], characters, observed)
                except CannotScore as no:
                    refused[way[at]] = no
                    continue
                before = way[agents[number - 2]] if number > 1 else None
                found.append(replace(view, number=number, before=before, last=number == len(agents)))
    return found, refused


def _view(record: TrajectoryRecord, way: Sequence[int], characters: int, observed: bool) -> View:
    steps = [replace(record.steps[place], parent=None) for place in way]
    if not observed:
        steps[-1] = replace(steps[-1], observations=())
    tools = fitting.ends(dump(record.task.tools), TOOLS) if record.task.tools else ""
    upto = replace(record, steps=tuple(steps))
    try:
        found = fitting.fitted(upto, _laid, characters)[-1]
    except CannotScore as no:
        raise CannotScore(f"a step up to here is longer than the {characters:,} characters that are shown") from no
    assert isinstance(found.rendered, _Laid)
    text = found.rendered.text
    asked = next(texts(upto)).prompt
    places = [way[at] for at in text.places]
    return View(
        task=text.prompt if text.prompt.strip() else record.task.instruction,
        first_task=fitting.ends(asked if asked.strip() else record.task.instruction, characters // 2),
        earlier=tuple(zip(places[:-1], text.steps[:-1], strict=True)),
        text=text.steps[-1],
        step=steps[-1],
        place=way[-1],
        number=0,
        tools=tools,
        flags=found.flags,
        window=(places[0], places[-1]) if found.window else None,
    )


def _laid(text: Text) -> _Laid:
    characters = len(text.prompt) + sum(len(step) + 2 for step in text.steps)
    return _Laid([0] * (characters or 1), [], text=text)


def told(steps: Sequence[tuple[int, str]]) -> str:
    """Earlier steps as one text, each under its number."""
    return "\n\n".join(_told(steps)) or "(none)"


def _told(steps: Sequence[tuple[int, str]]) -> Iterator[str]:
    for number, text in steps:
        yield f"[step {number}]\n{text}"
