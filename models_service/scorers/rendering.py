"""A trajectory as the text a model reads, and as token ids with the places where verdicts are read. No torch."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import solutions, step_text
from annotations.records import TrajectoryRecord

Encode = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Text:
    """What a model reads: the prompt, and one text for each step, which stand at `places` in the trajectory. Those from
    `first` on are judged; the others are read for what follows. `own` are the steps without what answered their
    calls."""

    prompt: str
    steps: tuple[str, ...]
    places: tuple[int, ...]
    own: tuple[str, ...] = ()
    first: int = 0


@dataclass(frozen=True)
class Rendered:
    """`marks` are the positions in `ids` where steps are judged, one a step, in order. `start` is the position of the
    first token that says anything of them: by default the first mark; the log-probability of a response needs more.
    `upto`, for models that say one number of a whole text: what such a model reads to judge the step with that number,
    as ids."""

    ids: list[int]
    marks: list[int]
    start: int | None = None
    upto: Callable[[int], list[int]] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        assert all(0 <= mark < len(self.ids) for mark in self.marks)
        assert all(one < other for one, other in zip(self.marks, self.marks[1:], strict=False)), "marks ascend"

    @property
    def begins(self) -> int:
        """The first token that is judged, or judged at."""
        return self.start if self.start is not None else self.marks[0] if self.marks else len(self.ids)


def texts(record: TrajectoryRecord) -> Iterator[Text]:
    """The trajectory; of a tree, each way to a leaf, on which only steps are judged that were on none before. The texts
    are word for word what the TRL export writes, so that a model trained on an export of ours reads here what it was
    trained on."""
    seen: set[int] = set()
    for way in solutions.written(record):
        own = tuple(step_text.said(record.steps[place]) for place in way.places)
        first = sum(place in seen for place in way.places)  # ways part once and for all, so these are the first ones
        seen.update(way.places)
        yield Text(way.prompt, way.steps, way.places, own, first)


def neutral(text: str, reserved: Collection[str]) -> str:
    """The text with every reserved token that it spells out broken by a space, so that none is read as that token."""
    told = [re.escape(token) for token in sorted(reserved, key=len, reverse=True) if len(token) > 1 and token.strip()]
    if not told:
        return text
    pattern = re.compile("|".join(told))
    while pattern.search(text):
        text = pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
    return text


class Ids:
    """Token ids as they are put together, with the marks set on the way: no position is ever searched for."""

    def __init__(self, encode: Encode, begin: Sequence[int] = ()) -> None:
        self.encode, self.ids, self.marks = encode, list(begin), list[int]()

    def text(self, *pieces: str) -> Ids:
        """Add these texts, each tokenised by itself."""
        for found in self.encode(list(pieces)) if pieces else ():
            self.ids += found
        return self

    def add(self, ids: Sequence[int]) -> Ids:
        self.ids += ids
        return self

    def mark(self, back: int = 1) -> Ids:
        """A verdict is read at the last token added, or `back` tokens from the end."""
        self.marks.append(len(self.ids) - back)
        return self

    def rendered(self, start: int | None = None) -> Rendered:
        return Rendered(self.ids, self.marks, start)


class Pieces:
    """A text as it is put together, with the ends of steps noted on the way, for models whose tokenizer makes other
    tokens of the whole than of its parts. Marks are the tokens that hold the last character before each end."""

    def __init__(self, beginning: str = "") -> None:
        self.text, self.ends = beginning, list[int]()

    def add(self, piece: str) -> Pieces:
        self.text += piece
        return self

    def mark(self) -> Pieces:
        self.ends.append(len(self.text))
        return self

    def rendered(self, tokenizer: Any, *, special: bool = False, start: int | None = None) -> Rendered:
        """`special`: with the tokens that the tokenizer adds of itself. `start` is the first character that is judged,
        where that is not at the first mark."""
        found = tokenizer(self.text, add_special_tokens=special, return_offsets_mapping=True, verbose=False)
        begins = [begin for begin, _ in found["offset_mapping"]]
        marks = [bisect_left(begins, end) - 1 for end in self.ends]
        return Rendered(found["input_ids"], marks, None if start is None else bisect_left(begins, start))
