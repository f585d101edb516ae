"""Label tables made by hand."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from annotations.tables import LabelTable, TableRater

TERNARY = (1, 0, -1)


def table(
    said: Mapping[str, Sequence[Sequence[Any] | None]],
    *,
    reference: str | None = None,
    tasks: Sequence[int] | None = None,
    values: Sequence[Any] = TERNARY,
    error: Any = -1,
    ordinal: bool = True,
    kinds: Mapping[str, str] | None = None,
    finals: Mapping[str, Sequence[Any]] | None = None,
    propagated: Mapping[str, Sequence[Sequence[int]]] | None = None,
    failed: Mapping[str, Sequence[int]] | None = None,
) -> LabelTable:
    """`said` has, for each rater, the values of each trajectory's steps; None for a step says nothing, None for a
    trajectory is no pass. `tasks` defaults to one each. `propagated` lists step places by rater and trajectory,
    `failed` the trajectories whose pass failed. A step's message index is twice its place."""
    names = list(said)
    rows = next(iter(said.values()))
    lengths = [max(len(each[at] or ()) for each in said.values()) for at in range(len(rows))]
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    labels, passes = [], []
    for rater, name in enumerate(names):
        for at, steps in enumerate(said[name]):
            if steps is None:
                continue
            passes.append((rater, at, int(at in (failed or {}).get(name, ()))))
            ghosts = (propagated or {}).get(name, [()] * len(lengths))[at]
            labels += [
                (rater, starts[at] + place, list(values).index(value), int(place in ghosts))
                for place, value in enumerate(steps)
                if value is not None
            ]
    verdicts = [
        (names.index(name), at, list(values).index(value))
        for name, each in (finals or {}).items()
        for at, value in enumerate(each)
        if value is not None
    ]
    return LabelTable(
        main="label",
        values=tuple(values),
        ordinal=ordinal,
        error=None if error is None else list(values).index(error),
        raters=tuple(TableRater(name, (kinds or {}).get(name, "judge")) for name in names),
        reference=None if reference is None else names.index(reference),
        trajectories=tuple(f"trajectory {at}" for at in range(len(lengths))),
        task=ints(tasks if tasks is not None else range(len(lengths))),
        step_trajectory=ints(at for at, length in enumerate(lengths) for _ in range(length)),
        step_message=ints(2 * place for length in lengths for place in range(length)),
        pass_rater=ints(each[0] for each in passes),
        pass_trajectory=ints(each[1] for each in passes),
        pass_failed=ints(each[2] for each in passes),
        label_rater=ints(each[0] for each in labels),
        label_step=ints(each[1] for each in labels),
        label_value=ints(each[2] for each in labels),
        label_propagated=ints(each[3] for each in labels),
        final_values=tuple(values) if finals else (),
        final_ordinal=ordinal,
        final_rater=ints(each[0] for each in verdicts),
        final_trajectory=ints(each[1] for each in verdicts),
        final_value=ints(each[2] for each in verdicts),
    )


def ints(values: Any) -> array[int]:
    return array("i", values)
