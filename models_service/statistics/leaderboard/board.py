"""The leaderboard of a judged table.

`compute` gives a JSON object. Fractions are 0..1 at full precision; null where undefined. A stored report loses the
order of keys: lists are in the order that is meant.

    {"reference", "reference_kind", "official", "field", "values": ["1", "0", "-1"], "error": the value of a wrong step
     or null, "names_first", "resamples", "seed", "confidence",
     "counts": {"judges", "trajectories", "clean", "steps", "tasks", "labels": [{"label", "n"}]},
     "rows": [ROW, best StepAcc first (where there is none, FirstErrAcc)], "baselines": [ROW],
     "best": key of the best single judge or null,
     "corrected": [{"key", "of": the judge's key, "name", "figures", "beside": PAIR of it and the judge, "best": PAIR of
     it and the best single judge}] (see layer), "pairs": [PAIR], "all_pairs": whether every two rows are among them}
    ROW = {"key": a rater's primary key as text, or a name, "name", "kind", "trajectories": that count for it, "tried",
           "missing", "failed", "taught": how many are left out because it was taught with them,
           "figures": {NAME: FIGURE}, "asked": {NAME: FIGURE} over those it tried, or null where these are all,
           "classes": [{"label", "precision", "recall", "f1": FIGURE}], "confusion", "chances" (see chances), "where"
           and "offsets" (see where), "chosen": null or {"folds", "judges": [{"key", "name", "folds": in how many it
           was chosen, "whole": whether it is on all labels}]}, "below": [{"key", "name", "value", "low", "high"}],
           "unclear": the same, …about}
    PAIR = {"a", "b": keys, "trajectories", "tasks", "won", "tied", "lost", "figures": {NAME: {"a", "b", "value", "low",
            "high", "verdict": better, tie or worse, "reason"}}}
    FIGURE = {"value", "low", "high", "n", "reason"}

Rows of kind "ensemble" are labels that nobody gave (see together). NAMEs are those of rows.FIGURES and mean what
`evaluate_labels` means by them, with `official` too. What a judge was taught with is left out of its figures. `below`
are the constant answers whose StepAcc is as good or better on the trajectories it tried, `unclear` those that it is
better than by no more than chance allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotations.judged_table import JudgedTable
from models_service.statistics.figures import CONFIDENCE, Block, Figure, figures
from models_service.statistics.leaderboard import chances, layer, pairs, rows, together, where
from models_service.statistics.leaderboard.members import Ground, Member
from models_service.statistics.pairing import TIE

RESAMPLES = 2000
PEOPLE = ("human", "consensus")
Found = Mapping[str, Mapping[str, Figure]]


class NothingToMeasure(ValueError):
    """No leaderboard can be made of this. The message says why."""


def compute(table: JudgedTable, *, official: bool = False, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """The report. NothingToMeasure where there is no reference, or it has labelled nothing."""
    if table.labels.reference is None:
        raise NothingToMeasure("A leaderboard needs a reference: somebody whose labels are held to be right.")
    if official and not (table.labels.values and all(type(value) is int for value in table.labels.values)):
        raise NothingToMeasure("The released arithmetic is for labels that are whole numbers; this field's are not.")
    ground = Ground(table, official)
    if not ground.counted.any():
        raise NothingToMeasure(f"{table.labels.raters[ground.place].name} has labelled nothing that can be compared.")
    return _Board(ground, resamples, seed).report()


class _Board:
    def __init__(self, ground: Ground, resamples: int, seed: int) -> None:
        self.ground, self.resamples, self.seed = ground, resamples, seed
        self.constants = list(ground.constants())
        self.raters = list(ground.members())
        self.together = list(together.rows(ground, [one for one in self.raters if one.kind not in PEOPLE]))
        self.members = [*self.raters, *self.together]
        self.groups = where.Groups(ground)
        self.places = {str(pk): place for place, pk in enumerate(ground.table.raters)}

    def report(self) -> dict[str, Any]:
        ground = self.ground
        blocks = {one.key: rows.blocks(ground, one, self.mask(one)) for one in [*self.members, *self.constants]}
        partly = [one for one in self.members if (self.mask(one) & ~one.tried).any()]
        asked = {one.key: rows.blocks(ground, one, self.mask(one) & one.tried) for one in partly}
        found, of_asked = self.figures(blocks), self.figures(asked)
        ranked = sorted(self.members, key=lambda one: (-self.rank(found[one.key]), one.name, one.key))
        single = [one for one in ranked if one.kind not in (*PEOPLE, together.ENSEMBLE)]
        best = single[0].key if single else ""
        couples = list(pairs.couples(ranked, self.constants, best))
        compared = pairs.compared(ground, couples, self.resamples, self.seed)
        return {
            **self.about(),
            "rows": [
                self.row(one, blocks[one.key], found[one.key], of_asked.get(one.key)) | self.against(one, compared)
                for one in ranked
            ],
            "baselines": [self.row(one, blocks[one.key], found[one.key], None) for one in self.constants],
            "best": best or None,
            "pairs": compared,
            "corrected": self.corrected(ranked, best),
            "all_pairs": len(ranked) <= pairs.MOST,
        }

    def corrected(self, ranked: Sequence[Member], best: str) -> list[dict[str, Any]]:
        """What a layer fitted to people's labels makes of each judge, beside the judge and beside the best of them."""
        judges = [one for one in ranked if one.kind not in (*PEOPLE, together.ENSEMBLE)]
        made = list(layer.rows(self.ground, judges))
        found = self.figures({one.key: rows.blocks(self.ground, one, self.mask(one)) for _, one in made})
        leader = next((one for one in judges if one.key == best), None)
        beside = [(one, judge) for judge, one in made] + [(one, leader) for _, one in made if leader]
        compared = pairs.compared(self.ground, beside, self.resamples, self.seed)
        return [
            {
                "key": one.key,
                "of": judge.key,
                "name": judge.name,
                "figures": _json(rows.figures_of(self.ground, found[one.key])),
                "beside": compared[place],
                "best": compared[len(made) + place],
            }
            for place, (judge, one) in enumerate(made)
        ]

    def mask(self, member: Member) -> Any:
        return self.ground.counted & ~member.taught

    def figures(self, blocks: Mapping[str, Mapping[str, Block]]) -> dict[str, Found]:
        """One call for all, so that all come from the same resamples."""
        flat = {(key, name): block for key, several in blocks.items() for name, block in several.items()}
        made = figures(flat, self.resamples, self.seed)
        return {key: {name: made[key, name] for name in several} for key, several in blocks.items()}

    def rank(self, found: Found) -> float:
        of = rows.figures_of(self.ground, found)
        name = "first_err_acc" if self.ground.table.names_first else "step_acc"
        return of[name].value or 0.0

    def about(self) -> dict[str, Any]:
        ground, table = self.ground, self.ground.of_labels
        rater = table.raters[ground.place]
        here = (ground.codes < ground.matrix.categories) & ground.counted[ground.matrix.trajectory]
        labels = np.bincount(ground.codes[here], minlength=len(table.values))
        return {
            "reference": rater.name,
            "reference_kind": rater.kind,
            "reference_key": str(ground.table.raters[ground.place]),
            "official": ground.official,
            "field": table.main,
            "values": [str(value) for value in table.values],
            "error": None if table.error is None else str(table.values[table.error]),
            "names_first": ground.table.names_first,
            "resamples": self.resamples,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            "counts": {
                "judges": sum(one.kind not in PEOPLE for one in self.raters),
                "trajectories": int(ground.counted.sum()),
                "clean": int((ground.clean & ground.counted).sum()) if ground.has_first else None,
                "steps": int(here.sum()),
                "tasks": len(np.unique(ground.matrix.task_of[ground.counted])),
                "labels": [{"label": str(value), "n": int(labels[at])} for at, value in enumerate(table.values)],
            },
        }

    def row(self, member: Member, blocks: Mapping[str, Block], found: Found, asked: Found | None) -> dict[str, Any]:
        ground, mask = self.ground, self.mask(member)
        own = {"mask": mask, "resamples": self.resamples, "seed": self.seed}
        rater = self.places.get(member.key)
        return {
            "key": member.key,
            "name": member.name,
            "kind": member.kind,
            "trajectories": int(mask.sum()),
            "tried": int((mask & member.tried).sum()),
            "missing": int((mask & ~member.tried).sum()),
            "failed": int((mask & member.failed).sum()),
            "taught": int((ground.counted & member.taught).sum()),
            "figures": _json(rows.figures_of(ground, found)),
            "asked": None if asked is None else _json(rows.figures_of(ground, asked)),
            "classes": list(rows.by_class(ground, found)),
            "confusion": rows.confusion(ground, blocks),
            "chances": chances.section(ground, member, **own),
            "where": where.section(self.groups, member, **own),
            "offsets": where.offsets(ground, member, mask),
            "chosen": _chosen(member),
            **(ground.table.about.get(rater, {}) if rater is not None else {}),
        }

    def against(self, member: Member, compared: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The constant answers that the member is not better than, and those where that is not clear."""
        names = {one.key: one.name for one in self.constants}
        name = "first_err_acc" if self.ground.table.names_first else "step_acc"
        below, unclear = [], []
        for pair in compared:
            if pair["a"] != member.key or pair["b"] not in names:
                continue
            figure = pair["figures"][name]
            if figure["value"] is None:
                continue
            told = {
                "key": pair["b"],
                "name": names[pair["b"]],
                **{key: figure[key] for key in ("value", "low", "high")},
            }
            if figure["value"] <= 0:
                below.append(told)
            elif figure["verdict"] == TIE:
                unclear.append(told)
        return {"below": below, "unclear": unclear}


def _chosen(member: Member) -> dict[str, Any] | None:
    if not member.parts:
        return None
    return {"folds": member.folds, "judges": [one._asdict() for one in member.parts]}


def _json(found: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: one.as_json() for name, one in found.items()}
