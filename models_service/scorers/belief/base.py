"""What the scorers that ask for beliefs have in common: the language model, the reading of a trajectory, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

from annotations.formats import solutions
from annotations.records import Json, StepScore, TrajectoryRecord
from models_service.scorers import reading, text
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer, agent_steps
from models_service.scorers.belief import ways
from models_service.scorers.belief.formulas import NORMALISATIONS
from models_service.scorers.belief.probing import SAMPLED, TAGGED, Belief, Probe
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import LanguageModel, inert
from models_service.scorers.language.gathering import Work, gathered
from models_service.scorers.reference import parts
from models_service.statistics.canonical import canonical

NOT_OPTIONS = frozenset({"asking", "language", "range", "siblings"})
LONGEST = 16_384
RENDERING = 1  # changes with what the language model is given to read
NO_WAY = "the step is on no way through the tree"
SOME = "only the first {} of {} accepted answers were asked about"


@dataclass(frozen=True)
class Asking:
    """How a language model is asked. `chat`: the question is the user's turn in its chat template and the steps open
    the assistant's; else all is one text. `max_tokens`, by estimate, are read at once; by default LONGEST, or what the
    model says that it reads, if that is less. `normalisation` is one of formulas.NORMALISATIONS. Of the accepted
    answers the first `answers` are asked about. `draws` stand in where the model tells no log-probabilities of given
    texts; 0: it is then not asked at all. `closing` stands behind the steps
    and asks for the answer, by default in words that the scorer names; `lead` stands before the answer and belongs to
    its first token; a drawn answer ends where one of `stops` stands. `opening` is what the assistant begins with where
    it is to say yes or no, say an empty thought."""

    chat: bool = True
    max_tokens: int | None = None
    normalisation: str = "mean-log"
    answers: int = 8
    draws: int = 8
    seed: int = 0
    opening: str = ""
    closing: str = TAGGED.closing
    lead: str = TAGGED.lead
    stops: Sequence[str] = TAGGED.stops

    @property
    def probe(self) -> Probe:
        return Probe(self.closing, self.lead, tuple(self.stops))

    def __post_init__(self) -> None:
        if self.normalisation not in NORMALISATIONS:
            known = ", ".join(NORMALISATIONS)
            raise ValueError(f"normalisation: found {self.normalisation!r}; accepted are {known}")
        if (self.max_tokens is not None and self.max_tokens < 1) or self.answers < 1 or self.draws < 0:
            raise ValueError("max_tokens and answers are 1 or more, draws 0 or more")


class Believed(NamedTuple):
    """What is said of one step: a number, the others it comes from, and what must be known to read it."""

    value: float
    why: Sequence[tuple[str, float]] = ()
    flags: Sequence[str] = ()
    more: Mapping[str, Json] = {}


Said = Mapping[int, Believed | CannotScore]  # by the step's place; CannotScore: this one has no number


class BeliefScorer(Scorer):
    """`language` is how a language model is reached (language/made.py), or the model. `range` are the ends of the
    numbers, None where they have none; none of them is a calibrated probability."""

    title: ClassVar[str]
    needs: ClassVar[str] = ""
    range: tuple[float | None, float | None] = (0.0, 1.0)

    def __init__(self, language: Mapping[str, Any] | LanguageModel, **options: Any) -> None:
        self.asking = Asking(**options)
        self.language = made(language)

    @property
    def provenance(self) -> dict[str, Any]:
        told = self.language.provenance
        own = {key: value for key, value in vars(self).items() if key not in NOT_OPTIONS and key[0] != "_"}
        return {
            "scorer": type(self).__name__,
            "rendering": RENDERING,
            "range": list(self.range),
            "needs": self.needs,
            "max_tokens": self.longest,
            "options": asdict(self.asking) | {"stops": list(self.asking.stops)} | own,
            "models": told.get("models") or [{key: told.get(key) for key in ("model", "sha256")}],
            "language": told,
        }

    @property
    def usage(self) -> dict[str, float]:
        return self.language.usage

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        """What is said of each of the agent's steps; yields what it asks of the language model."""
        raise NotImplementedError

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return self.finished(records, [self.work(record) for record in records])

    def finished(self, records: Sequence[TrajectoryRecord], works: Sequence[Work[Said]]) -> list[Scored]:
        """The scores of each record by its work; a record without steps of the agent asks for nothing."""
        some = [place for place, record in enumerate(records) if agent_steps(record)]
        said = dict(zip(some, gathered(self.language, [works[place] for place in some]), strict=True))
        return [_scored(record, said[place]) if place in said else () for place, record in enumerate(records)]

    def ways(self, record: TrajectoryRecord) -> list[Way]:
        return ways.ways(record, self.longest, chat=self.asking.chat)

    @property
    def longest(self) -> int:
        """Tokens that are read at once, by estimate; of a limit that the model says an eighth is kept for the rest."""
        limit = getattr(self.language, "max_tokens", None)
        return self.asking.max_tokens or (min(LONGEST, limit * 7 // 8) if isinstance(limit, int) else LONGEST)

    def accepted(self, record: TrajectoryRecord) -> list[str]:
        """The answers that the task's reference accepts, as they are spelled there. CannotScore where there is none."""
        every = _all_accepted(record)
        if not every:
            raise self.lacks("the task's reference holds no answer")
        return every[: self.asking.answers]

    def some(self, record: TrajectoryRecord) -> list[str]:
        """The flag of a trajectory that has more accepted answers than were asked about."""
        many = len(_all_accepted(record))
        return [SOME.format(self.asking.answers, many)] if many > self.asking.answers else []

    def own_answer(self, record: TrajectoryRecord) -> str:
        """What the trajectory answers. CannotScore where it is a tree, or answers nothing."""
        if is_tree(record):
            raise self.lacks("a tree has no one answer")
        if answer := final_answer(record):
            return answer
        raise self.lacks("the trajectory gives no answer")

    def lacks(self, what: str) -> CannotScore:
        return CannotScore(f"{self.title} not applicable: {what}")


def final_answer(record: TrajectoryRecord) -> str:
    """What the agent's last step answers; "" where it says nothing, or that it does not know."""
    indexes = agent_steps(record)
    last = record.steps[indexes[-1]] if indexes else None
    said = reading.answer(reading.clip(last.message) or text.said(last)) if last else ""
    return "" if reading.DECLINES.search(said) else inert(said)


def is_tree(record: TrajectoryRecord) -> bool:
    return len(list(solutions.ways(record.steps))) > 1


def is_right(record: TrajectoryRecord, accepted: Sequence[str]) -> bool:
    """Whether the trajectory's answer is one of these, in one spelling."""
    said = canonical(final_answer(record))
    return said is not None and said in {canonical(one) for one in accepted}


def marked(way: Way, *asked: Belief) -> list[str]:
    """What must be known to read numbers that were asked on this way."""
    return [*way.flags, *([SAMPLED] if any(one.sampled for one in asked) else [])]


def window(way: Way) -> dict[str, Json]:
    return {"window": list(way.window)} if way.window else {}


def _all_accepted(record: TrajectoryRecord) -> list[str]:
    return list(dict.fromkeys(inert(one.strip()) for one in parts.answers(record.task.reference) if one.strip()))


def made(language: Mapping[str, Any] | LanguageModel) -> LanguageModel:
    """The language model that these options reach, or the model itself."""
    if not isinstance(language, Mapping):
        return language
    from models_service.scorers.language.made import language_model

    found: LanguageModel = language_model(language)
    return found


def _scored(record: TrajectoryRecord, said: Said | CannotScore) -> Scored:
    if isinstance(said, CannotScore):
        return said
    each = [(index, said.get(index) or CannotScore(NO_WAY)) for index in agent_steps(record)]
    scores = tuple(_one(index, one) for index, one in each if isinstance(one, Believed))
    unscored = {index: str(one) for index, one in each if isinstance(one, CannotScore)}
    return Partly(scores, unscored) if unscored else scores


def _one(index: int, found: Believed) -> StepScore:
    why = [{"feature": feature, "contribution": share} for feature, share in found.why]
    return StepScore(index, found.value, None, {"flags": list(dict.fromkeys(found.flags)), "why": why, **found.more})
