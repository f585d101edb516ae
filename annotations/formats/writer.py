"""What a format that writes declares. Its rows are made of labelled trajectories, however these are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from annotations.formats.base import Format
from annotations.records import Json, Labelled


@dataclass(frozen=True)
class Option:
    """A choice that a written file leaves to who asks for it. `choices` are values with their titles; without any, a
    number is asked for, from `least` to `most`."""

    name: str
    title: str
    default: str | float
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    least: float | None = None
    most: float | None = None


class Writer(Format):
    """A format whose rows are made of labelled trajectories; `together`: of all rollouts of a task, else of one at a
    time. `suffix` is .jsonl or .parquet. `graded`: without grades of steps there are no rows. `packed` columns have no
    one shape: JSON text in Parquet and in JSONL that is not read again; others have one type, found from the rows.
    `exact`: rows stay as they are, for a tool. `whole`: of whole messages where these were cut into steps. `splits`:
    its files are splits already. `judged`: rows are what a judge of the project is asked, and answers of passes."""

    writes = True
    options: ClassVar[tuple[Option, ...]] = ()
    together: ClassVar[bool] = False
    graded: ClassVar[bool] = True
    packed: ClassVar[frozenset[str]] = frozenset()
    exact: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    splits: ClassVar[bool] = False
    judged: ClassVar[bool] = False

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        """The rows of these rollouts: one, or all of a task. `asked` has a value for every option. Raises Refused, over
        which these rollouts are left out and counted."""
        raise NotImplementedError

    def ahead(self, groups: Iterable[Sequence[Labelled]], asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `rows` has to be told beside the options: what only all the rollouts of a file say. `groups` are what it
        is called with, one by one; they are read where there is such a thing, and only then."""
        return {}

    def files(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Json]]]:
        """The rows, each with the name of its file without suffix: "" is the one that is called like the project, and
        after a dot comes the split ("labels.test"). For a format that writes several files."""
        return (("", row) for row in self.rows(rollouts, asked))

    def beside(self, asked: Mapping[str, Any]) -> Mapping[str, str]:
        """Files that come along whatever the rows are, by name."""
        return {}
