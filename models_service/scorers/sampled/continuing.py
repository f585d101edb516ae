"""What all scorers share that draw continuations: the prompts, the drawing, and how many came to the right answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer, agent_steps
from models_service.scorers.language.asked import LanguageModel, NotServed, Prompt, Sampling
from models_service.scorers.language.gathering import Drawn, Told, Work, gathered
from models_service.scorers.reference import parts
from models_service.scorers.rendering import Text, texts
from models_service.scorers.sampled.answering import is_right, spellings, stated
from models_service.statistics.proportions import wilson

RENDERING = 1  # changes with what the language model is given to read
ASK = "Think step by step, and end with: The answer is \\boxed{...}."
BLANK = "\n\n"
ROOT = -1  # stands for the bare question where states are named by the step they end with
SILENT = "none of the continuations came to an answer"
IMAGINED = "answers of tools imagined"
UNSURE = "unsure"
OWN = "its own final answer"
TOOLS = ("refuse", "imagine")


class Estimate(NamedTuple):
    """Of so many continuations `drawn` so many are `right`, and so many `silent`: they came to no answer. `exact` where
    the steps themselves come to one, so that nothing was drawn. `refused` is why nothing could be, if so."""

    right: int
    drawn: int
    silent: int = 0
    exact: bool = False
    refused: str = ""

    @property
    def value(self) -> float:
        """MC(s): the share that came to the right answer; those that came to none are not right."""
        return self.right / self.drawn

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson, 95%; a point where it is exact."""
        return (self.value, self.value) if self.exact else wilson(self.right, self.drawn)

    @property
    def lacks(self) -> str:
        """Why there is no value, "" where there is one: that nothing at all came to an answer says nothing of the
        steps."""
        return self.refused or (SILENT if self.silent == self.drawn else "")

    def is_unsure(self, limit: float) -> bool:
        """Whether the interval covers the limit by which it is decided."""
        low, high = self.interval
        return not self.exact and low <= limit <= high

    def told(self) -> dict[str, Any]:
        low, high = self.interval
        return {"continuations": 0 if self.exact else self.drawn, "right": self.right, "interval": [low, high]}

    def flags(self, limit: float) -> list[str]:
        found = [OWN] if self.exact else [UNSURE] if self.is_unsure(limit) else []
        return [*found, f"{self.silent} of {self.drawn} came to no answer"] if self.silent else found


@dataclass(frozen=True)
class Problem:
    """A trajectory, the ways through it, and the spellings of the right answer."""

    record: TrajectoryRecord
    ways: tuple[Text, ...]
    right: frozenset[str]
    flags: tuple[str, ...] = ()

    @property
    def states(self) -> dict[int, tuple[Text, int]]:
        """All states, by the step they end with: the way they are on, and how many of its steps were taken."""
        found = {ROOT: (self.ways[0], 0)}
        for way in self.ways:
            for number, place in enumerate(way.places, start=1):
                found.setdefault(place, (way, number))
        return found

    def judged(self) -> Iterator[tuple[Text, int, int, int]]:
        """Each step once: the way it is on, its number there from 1, its place, and that of the state before it."""
        for way in self.ways:
            for number in range(way.first + 1, len(way.places) + 1):
                yield way, number, way.places[number - 1], way.places[number - 2] if number > 1 else ROOT

    def own(self, way: Text) -> bool | None:
        """Whether the way's own final answer is right; None where its last step states none."""
        answer = stated(self.record.steps[way.places[-1]].message)
        return None if answer is None else is_right(answer, self.right)


@dataclass(frozen=True)
class Options:
    """How continuations are drawn: `count` from each state, each of at most `most` tokens. `ask` stands behind the
    question. `tools`: "refuse" trajectories that cannot be continued without somebody's reply, or let the model
    "imagine" it."""

    count: int = 8
    temperature: float = 0.7
    top_p: float = 1.0
    most: int = 1024
    seed: int = 0
    ask: str = ASK
    tools: str = "refuse"

    def __post_init__(self) -> None:
        if self.count < 1 or self.most < 1:
            raise ValueError(f"count and most are 1 or more; found {self.count} and {self.most}")
        if self.temperature <= 0 and self.count > 1:
            raise ValueError("temperature is above 0: else all continuations are the same")
        if self.tools not in TOOLS:
            raise ValueError(f"tools: found {self.tools!r}; accepted are {', '.join(TOOLS)}")

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.count, self.temperature, self.top_p, most=self.most, seed=self.seed)


class Continuing(Scorer):
    """`language` is how a language model, the completer, is reached (language/made.py), or the model. None of the
    numbers is a probability that the step is right: they say how this completer fares from there on."""

    title: ClassVar[str]
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    needs: ClassVar[str] = "an answer in the task's reference, and steps that need nobody's reply"
    reads_reference = True
    wrong_at = 0.0
    at_once = 8

    def __init__(self, language: Mapping[str, Any] | LanguageModel, **options: Any) -> None:
        self.options = Options(**options)
        self.language = made(language)

    @property
    def provenance(self) -> dict[str, Any]:
        """The completer is a part of what the numbers say."""
        completer = self.language.provenance
        own = {key: value for key, value in vars(self).items() if key not in {"options", "language"}}
        return {
            "scorer": type(self).__name__,
            "rendering": RENDERING,
            "range": list(self.range),
            "needs": self.needs,
            "options": asdict(self.options) | own,
            "completer": completer,
            "models": completer.get("models") or [{key: completer.get(key) for key in ("model", "sha256")}],
        }

    @property
    def usage(self) -> dict[str, float]:
        return self.language.usage

    def judge(self, problem: Problem) -> Work[dict[int, StepScore | str]]:
        """What is said of each step, by its place: a score, or why it has none."""
        raise NotImplementedError

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        some = [place for place, record in enumerate(records) if agent_steps(record)]
        said = dict(zip(some, gathered(self.language, [self._work(records[place]) for place in some]), strict=True))
        return [said.get(place, ()) for place in range(len(records))]

    def problem(self, record: TrajectoryRecord) -> Problem:
        """CannotScore where it cannot be continued, or no answer is known to be right."""
        right = spellings(parts.answers(record.task.reference))
        if not right:
            raise self.lacks("the task's reference holds no answer")
        asks = why_not_alone(record)
        if asks and self.options.tools == "refuse":
            raise self.lacks(f"{asks}, and a continuation would need their answers")
        ways = tuple(texts(record))
        if not (ways[0].prompt.strip() or record.task.instruction.strip()):
            raise self.lacks("the trajectory has no question")
        return Problem(record, ways, right, (IMAGINED,) if asks else ())

    def estimates(self, problem: Problem, places: Sequence[int]) -> Work[dict[int, Estimate]]:
        """MC of the states that end with these steps, all drawn at once. One that the model cannot go on from, say for
        its length, has no value; the others have theirs."""
        states = problem.states
        found: dict[int, Estimate] = {}
        for place in places:
            way, number = states[place]
            if 0 < number == len(way.places) and (own := problem.own(way)) is not None:
                found[place] = Estimate(int(own), 1, exact=True)
        drawn = [place for place in places if place not in found]
        asks = [Drawn(self._prompt(problem, *states[place]), self.options.sampling) for place in drawn]
        told = (yield asks) if asks else []
        return found | {place: counted(said, problem) for place, said in zip(drawn, told, strict=True)}

    def lacks(self, what: str) -> CannotScore:
        return CannotScore(f"{self.title} not applicable: {what}")

    def _work(self, record: TrajectoryRecord) -> Work[Scored]:
        said = yield from self.judge(self.problem(record))
        scores = [one for index in agent_steps(record) if isinstance(one := said[index], StepScore)]
        unscored = {index: one for index, one in said.items() if isinstance(one, str)}
        return Partly(scores, unscored) if unscored else tuple(scores)

    def _prompt(self, problem: Problem, way: Text, number: int) -> Prompt:
        question = way.prompt if way.prompt.strip() else problem.record.task.instruction
        asked = BLANK.join(one for one in (question, self.options.ask) if one)
        return Prompt(({"role": "user", "content": asked},), "".join(step + BLANK for step in way.steps[:number]))


def score(
    problem: Problem, place: int, value: float, why: Mapping[str, float], flags: Sequence[str], **more: Any
) -> StepScore:
    told = [{"feature": feature, "contribution": share} for feature, share in why.items()]
    return StepScore(place, value, None, {"flags": [*flags, *problem.flags], "why": told, **more})


def counted(told: Told, problem: Problem) -> Estimate:
    """A text that was cut off counts by what it stated before."""
    if isinstance(told, NotServed):
        raise told
    if isinstance(told, CannotScore):
        return Estimate(0, 0, refused=str(told))
    answers = [stated(one.text) for one in told]
    right = sum(one is not None and is_right(one, problem.right) for one in answers)
    return Estimate(right, len(answers), answers.count(None))


def why_not_alone(record: TrajectoryRecord) -> str:
    """Whose reply a continuation would need, in words; "" where it needs nobody's."""
    if record.task.tools:
        return "the task has tools"
    begun = agent_steps(record)[0]
    if any(step.tool_calls or len(step.observations) for step in record.steps):
        return "its steps call tools"
    if any(step.source == "user" for step in record.steps[begun:]):
        return "people speak between its steps"
    return ""


def made(language: Mapping[str, Any] | LanguageModel) -> LanguageModel:
    if not isinstance(language, Mapping):
        return language
    from models_service.scorers.language.made import language_model

    found: LanguageModel = language_model(language)
    return found
