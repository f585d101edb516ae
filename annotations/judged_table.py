"""What judges are measured by, as numbers: plain frozen values, as in tables. No Django in them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from annotations.tables import LabelTable

NONE = -1  # there is no first error


@dataclass(frozen=True)
class JudgedTable:
    """A label table with its reference, and what is known of its raters, trajectories and steps, each by its place in
    the table.

    `raters` are their primary keys, `about` by rater what its rows say of it (see services.leaderboard_facts). `taught`
    are the trajectories that a judge was shown examples of. `sources` and `models` are of trajectories, "" where not
    known; `lengths` counts the agent's steps. `tools` are the names that a step calls, "" where none.

    `chances` are parallel arrays: how likely or how often a judge gave a step each value, by the values' places.

    Where the main field names the first wrong step itself (`names_first`), the label table has no values, and these are
    parallel arrays: who says of which trajectory that its first error is at which of the agent's steps, from 0; NONE
    where they say there is none.
    """

    labels: LabelTable
    raters: tuple[int, ...]
    sources: tuple[str, ...]
    models: tuple[str, ...]
    lengths: array[int]
    tools: tuple[str, ...] = ()
    about: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    taught: Mapping[int, frozenset[int]] = field(default_factory=dict)
    chance_rater: array[int] = field(default_factory=lambda: array("i"))
    chance_step: array[int] = field(default_factory=lambda: array("i"))
    chances: tuple[tuple[float, ...], ...] = ()
    names_first: bool = False
    first_rater: array[int] = field(default_factory=lambda: array("i"))
    first_trajectory: array[int] = field(default_factory=lambda: array("i"))
    first_step: array[int] = field(default_factory=lambda: array("i"))
