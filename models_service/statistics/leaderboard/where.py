"""Where a member errs: by the step's place, the trajectory's length, the tool that is called, the source, the policy
model; and how far off its first errors are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from annotations.judged_table import NONE
from models_service.statistics import measures
from models_service.statistics.figures import Block, Ints, add_by_task, figures
from models_service.statistics.leaderboard.members import UNSAID, Ground, Member
from models_service.statistics.matrices import Bools, numbers

DECILES = [f"{ten * 10}–{ten * 10 + 10} %" for ten in range(10)]
LENGTHS = ((1, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, None))
MOST_GROUPS = 15
OTHERS, UNKNOWN, NO_TOOL = "others", "not known", "no tool is called"
FARTHEST = 3  # steps; first errors that are farther off are counted together
EMPTY = "No labelled step is in it."


class Grouping(NamedTuple):
    """`code` is which of the `titles` each unit belongs to."""

    name: str
    titles: Sequence[str]
    code: Ints


class Groups:
    """How the units of a ground are grouped; the same for all members."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    @cached_property
    def every(self) -> list[Grouping]:
        """None where no label of a step is asked for; of whole trajectories only what is known of those."""
        table, trajectory = self.ground.table, self.ground.matrix.trajectory
        if not self.ground.values:
            return []
        lengths = numbers(table.lengths)[trajectory]
        found = [
            Grouping(
                "length", [f"{low}–{high}" if high else f"{low} and more" for low, high in LENGTHS], _length(lengths)
            ),
            _named("source", [table.sources[one] or UNKNOWN for one in trajectory]),
            _named("model", [table.models[one] or UNKNOWN for one in trajectory]),
        ]
        if len(table.tools) == len(trajectory) == int(numbers(table.lengths).sum()):
            place = np.arange(len(trajectory)) - self.ground.starts[trajectory]
            tenth = np.minimum(((place + 0.5) / lengths * 10).astype(np.int64), 9)
            found.insert(0, Grouping("position", DECILES, tenth))
            found.insert(2, _named("tool", [one or NO_TOOL for one in table.tools]))
        return [one for one in found if len(one.titles) > 1]


def section(groups: Groups, member: Member, mask: Bools, resamples: int, seed: int) -> list[dict[str, Any]]:
    """A part for each grouping: [{"by", "groups": [{"title", "n", "step_acc": FIGURE, "majority", "wrong", "said"}]}].

    `majority` is the share of the reference's commonest label there, which a constant answer would reach; `wrong` and
    `said` are the shares of steps that the reference and that the member call wrong, null where no value means that.
    """
    ground = groups.ground
    here = (ground.codes < ground.matrix.categories) & mask[ground.matrix.trajectory]
    hits = here & (member.labels == ground.codes)
    blocks = {
        (one.name, place): _rate(ground, here & (one.code == place), hits)
        for one in groups.every
        for place in range(len(one.titles))
    }
    found = figures(blocks, resamples, seed)
    return [
        {
            "by": one.name,
            "groups": [
                {"title": title, "step_acc": found[one.name, place]["rate"].as_json(), **_about(ground, member, inside)}
                for place, title in enumerate(one.titles)
                if (inside := here & (one.code == place)).any()
            ],
        }
        for one in groups.every
    ]


def offsets(ground: Ground, member: Member, mask: Bools) -> dict[str, Any] | None:
    """How far its first errors are from the reference's: {"bins": [{"title", "n"}], "errors", "none", "unsaid",
    "clean", "false", "silent", "mean"}.

    `errors` trajectories have one; of these `none` times the member says that there is none, `unsaid` times it left
    something out. `clean` have none; `false` times it says that there is one. `mean` is the mean of |said − true| in
    steps where both name one, null where that is never."""
    if not ground.has_first:
        return None
    true, said = ground.first[mask], member.first[mask]
    error, clean = true >= 0, true == NONE
    both = error & (said >= 0)
    off = (said - true)[both]
    cut = np.clip(off, -FARTHEST, FARTHEST)
    return {
        "bins": [{"title": _off(step), "n": int((cut == step).sum())} for step in range(-FARTHEST, FARTHEST + 1)],
        "errors": int(error.sum()),
        "none": int((error & (said == NONE)).sum()),
        "unsaid": int((error & (said == UNSAID)).sum()),
        "clean": int(clean.sum()),
        "false": int((clean & (said >= 0)).sum()),
        "silent": int((clean & (said == UNSAID)).sum()),
        "mean": float(np.abs(off).mean()) if len(off) else None,
    }


def _off(steps: int) -> str:
    if not steps:
        return "the same step"
    far = "or more " if abs(steps) == FARTHEST else ""
    many = "step" if abs(steps) == 1 else "steps"
    return f"{abs(steps)} {many} {far}{'early' if steps < 0 else 'late'}"


def _about(ground: Ground, member: Member, inside: Bools) -> dict[str, Any]:
    right, error = ground.codes[inside], ground.of_labels.error
    many = len(right)
    shares: dict[str, float | None] = {"wrong": None, "said": None}
    if error is not None:
        shares = {"wrong": float((right == error).mean()), "said": float((member.labels[inside] == error).mean())}
    return {"n": many, "majority": float(np.bincount(right).max() / many), **shares}


def _rate(ground: Ground, inside: Bools, hits: Bools) -> Block:
    columns = np.column_stack([hits[inside], np.ones(int(inside.sum()))]).astype(np.float64)
    return measures.rate(add_by_task(ground.matrix.task[inside], columns, ground.matrix.tasks), EMPTY)


def _length(lengths: Ints) -> Ints:
    lows = np.array([low for low, _ in LENGTHS])
    return np.asarray(np.searchsorted(lows, lengths, side="right") - 1, dtype=np.int64)


def _named(name: str, of: Sequence[str]) -> Grouping:
    """The commonest names, then the others together."""
    kept = [one for one, _ in sorted(Counter(of).items(), key=lambda item: (-item[1], item[0]))[:MOST_GROUPS]]
    places = {one: place for place, one in enumerate(kept)}
    code = np.array([places.get(one, len(kept)) for one in of], dtype=np.int64)
    return Grouping(name, [*kept, *_rest(of, places)], code)


def _rest(of: Sequence[str], known: dict[str, int]) -> Iterator[str]:
    if any(one not in known for one in of):
        yield OTHERS
