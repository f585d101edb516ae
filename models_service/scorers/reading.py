"""Reading trajectories for the embedded scorer: each step and rollout once, into words, names, numbers and calls."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from annotations.records import Json, StepRecord, TrajectoryRecord
from models_service.scorers import text

LONGEST = 100_000  # characters of one text that are looked at: its two ends
SHORT, HEAD = 300, 120  # what came back is looked through for errors if it is SHORT, else at its HEAD
WORD = re.compile(r"\w+")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NAME = re.compile(r"\b[A-Z]\w+")
ANSWER = re.compile(r"<answer>|final answer|\banswer\s*:|\\boxed|\bthe answer is\b", re.I)
HEDGE = re.compile(
    r"\b(might|may be|perhaps|probably|possibly|unclear|not sure|unable|cannot|can't|couldn't|assum\w+|guess\w*|likely|"
    r"seems?|unfortunately|sorry|apolog\w+|don't know|no information)\b",
    re.I,
)
DECLINES = re.compile(
    r"\b(none found|insufficient|unable|unknown|unclear|cannot|can't|could ?n[o']t|not (?:enough|found|available|"
    r"specified|provided|possible|known)|no (?:\w+ )?(?:information|answer|results?|data|records?)|don't know|"
    r"there (?:is|was|are|were) no|please (?:provide|clarify|specify)|more (?:information|context|details))\b",
    re.I,
)
REVISES = re.compile(
    r"\b(actually|instead|wait|mistake\w*|correct\w*|wrong|re-?check|let me (?:try|check|verify))\b", re.I
)
ERROR = re.compile(
    r"\b(error|exception|traceback|failed|failure|invalid|not found|no such|denied|unknown|timed? ?out|undefined|"
    r"cannot|unsupported|must be|missing)\b",
    re.I,
)
TRACEBACK = "Traceback (most recent call last)"
DENIES = re.compile(r"\b(?:not|neither|nor|no|none|only|never)\b|n['’]t\b", re.I)
SENTENCE = re.compile(r"[.!?]\s|\\n|\n")
YES_OR_NO = re.compile(r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b")
HOW_MANY = re.compile(
    r"\b(?:when|how (?:many|much|old|long|far)|(?:what|which) (?:year|date|number|amount)|what years)\b"
)
NUMERAL = re.compile(
    r"\b(?:none|zero|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|hundred|"
    r"thousand|million)\b",
    re.I,
)
THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.S | re.I)
ARTICLES = frozenset(["the", "a", "an"])
FILLER = frozenset(["none", "null", "result", "results", "rows", "content", "no", "found"])
COMMON = frozenset(
    WORD.findall(
        "the a an of and or to in on at is are was were be been it its this that these those for with as by from i we "
        "you he she they what which who when where how do does did not no yes can will would should could have has had "
        "if then so but about into than there their my your our me let need find search query list result name type "
        "string"
    )
)


def words(value: str) -> set[str]:
    return {word for word in WORD.findall(value.lower()) if word not in COMMON and len(word) > 1}


def clip(value: str) -> str:
    return value if len(value) <= LONGEST else value[: LONGEST // 2] + "\n" + value[-LONGEST // 2 :]


def share(part: set[str], whole: set[str], nothing: float = 1.0) -> float:
    """How much of `part` is in `whole`; `nothing` where there is no part."""
    return len(part & whole) / len(part) if part else nothing


def likeness(one: set[str], other: set[str]) -> float:
    """Jaccard similarity; 0 where both are empty."""
    return len(one & other) / len(one | other) if one or other else 0.0


def accord(one: set[str], other: set[str]) -> float:
    """How much of the shorter answer is in the longer; 0 where either is empty."""
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


@dataclass
class Turn:
    """One agent step, read once."""

    record: StepRecord
    question: str

    def __post_init__(self) -> None:
        self.said = clip(text.said(self.record))
        self.calls = [clip(one) for one in text.calls(self.record)]
        self.observed = clip(text.observed(self.record))
        claim = "\n".join([self.said, *self.calls])
        self.tools = [one.split("(", 1)[0] for one in self.calls]
        self.said_words, self.call_words = words(self.said), words("\n".join(self.calls))
        self.claim_words = self.said_words | self.call_words
        self.observed_words = words(self.observed)
        self.failed = failed(self.observed)
        self.empty = bool(self.record.observations) and set(WORD.findall(self.observed[:200].lower())) <= FILLER
        self.malformed = not all(map(well_formed, self.record.tool_calls))
        self.names, self.numbers = set(NAME.findall(claim)), set(NUMBER.findall(claim))
        self.observed_marks = marks(self.observed)
        self.answer = "" if self.calls else answer(clip(self.record.message) or self.said)
        self.declines = bool(DECLINES.search(self.answer))
        self.answer_words = said_in_short(self.question, self.answer)

    @cached_property
    def sentences(self) -> list[set[str]]:
        """The words of what came back, sentence by sentence."""
        return [found for one in SENTENCE.split(self.observed) if (found := words(one))]


@dataclass
class Rollout:
    """One trajectory, or one way through a tree from its root to a leaf: its steps in order, read once."""

    record: TrajectoryRecord
    context: str
    turns: Sequence[Turn]

    def __post_init__(self) -> None:
        self.question = self.record.task.instruction or self.context
        self.task_words, self.task_marks = words(self.question), marks(self.question)
        self.calls = {one for turn in self.turns for one in turn.calls}
        self.call_words: set[str] = set().union(*(turn.call_words for turn in self.turns))
        self.observed_words: set[str] = set().union(*(turn.observed_words for turn in self.turns))
        last = self.turns[-1] if self.turns else None
        # Two that say they do not know agree in nothing.
        self.answer_words = last.answer_words if last and not last.declines else set()


class Evidence:
    """What the agent has seen and done before a step."""

    def __init__(self, rollout: Rollout) -> None:
        self.turns: list[Turn] = []
        self.calls: set[str] = set()
        self.tools: Counter[str] = Counter()
        self.found: set[str] = set()
        self.seen = set(rollout.task_words)
        self.names, self.numbers = set(NAME.findall(rollout.context)), set(NUMBER.findall(rollout.context))
        self.marks: set[str] = set()  # of observations alone
        self.errors, self.length = 0, 0

    def add(self, turn: Turn) -> None:
        self.turns.append(turn)
        self.calls.update(turn.calls)
        self.tools.update(set(turn.tools))
        self.found |= turn.observed_words
        self.seen |= turn.observed_words
        self.names.update(NAME.findall(turn.observed))
        self.numbers.update(NUMBER.findall(turn.observed))
        self.marks |= turn.observed_marks
        self.errors += turn.failed
        self.length += len(turn.observed)


def marks(value: str) -> set[str]:
    """What a text speaks of: its names and numbers."""
    return set(NAME.findall(value)) | set(NUMBER.findall(value))


def failed(observed: str) -> bool:
    """Whether what came back looks like an error. In a long text a word such as "unknown" says nothing of it."""
    head = observed if len(observed) < SHORT else observed[:HEAD]
    return bool(ERROR.search(head)) or TRACEBACK in observed


def well_formed(call: Json) -> bool:
    """Whether the call's arguments are an object, or a text that is one in JSON."""
    given = call.get("arguments") if isinstance(call, dict) else None
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except (ValueError, RecursionError):
            return False
    return given is None or isinstance(given, dict)


def fits(question: str, said: str) -> bool | None:
    """Whether an answer is of the kind an English question asks for: yes or no, or a number; None if anything."""
    if asks_yes_or_no(question):
        return bool(re.match(r"(?:yes|no)\b", said.strip(), re.I))
    if HOW_MANY.search(question.lower()):
        return bool(re.search(r"\d", said)) or bool(NUMERAL.search(said))
    return None


def answer(message: str) -> str:
    """What a closing message answers, as near as its marks tell; "" where it only thinks aloud."""
    *before, tagged = re.split(r"<answer>", message, flags=re.I)
    if before:
        return re.split(r"</answer>", tagged, maxsplit=1, flags=re.I)[0].strip()
    told = THOUGHT.sub("", message).rpartition("</think>")[2]
    return re.split(r"\banswer(?: is)?\s*:?\s*", told, flags=re.I)[-1].strip()[:400]


def beside(said: set[str], asked: set[str], turns: Sequence[Turn]) -> float:
    """How much of what was asked stands in one sentence with most of what is said, of what came back in the turns."""
    if not said:
        return 0.0
    rest = asked - said
    return max((share(rest, one) for turn in turns for one in turn.sentences if share(said, one) >= 0.5), default=0.0)


def said_in_short(question: str, said: str) -> set[str]:
    """The words of an answer that are compared; of one to yes or no, that word alone: the one it begins with, else no
    where it denies something, and yes where it does not."""
    found = WORD.findall(said.lower())
    if not found or not asks_yes_or_no(question):
        return set(found) - ARTICLES
    if found[0] in ("yes", "no"):
        return {found[0]}
    return {"no" if DENIES.search(said) else "yes"}


def asks_to_choose(question: str) -> bool:
    return " or " in question.lower()


def asks_yes_or_no(question: str) -> bool:
    return bool(YES_OR_NO.match(question.strip().lower())) and not asks_to_choose(question)
