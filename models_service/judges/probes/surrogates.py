"""Length and form as surrogates of judgement: how well they alone say what people say, beside the judge.

A judge that is no better than the length of a step, or than its form (whether it calls tools, speaks, lists, shows code
or gives a tagged answer), may have judged by nothing else. Both are learnt out of fold, whole tasks apart: of the
length the best threshold with the better side, of the form the commonest verdict. The difference is compared over
tasks (the cluster bootstrap).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.records import StepRecord
from models_service.judges.probes.shares import Hit, share
from models_service.judges.probes.texts import shown
from models_service.statistics.figures import Figure
from models_service.statistics.folding import FOLDS, dealt
from models_service.statistics.pairing import Paired, paired

CANDIDATES = 40  # thresholds that are tried


@dataclass(frozen=True)
class Graded:
    """A step that people and the judge have graded."""

    task: str
    step: StepRecord
    people: int
    judge: int


@dataclass(frozen=True)
class Surrogates:
    """Shares of the steps graded as people do, by the judge, by length and by form alone; and by how much the judge is
    better, over tasks. `warnings`: the surrogates that it is not shown to be better than."""

    judge: Figure
    length: Figure
    form: Figure
    over_length: Paired
    over_form: Paired

    @property
    def warnings(self) -> list[str]:
        pairs = {"length": self.over_length, "form": self.over_form}
        return [name for name, one in pairs.items() if one.verdict in ("tie", "worse")]

    def as_json(self) -> dict[str, Any]:
        return {
            "judge": self.judge.as_json(),
            "length": self.length.as_json(),
            "form": self.form.as_json(),
            "over_length": self.over_length.as_json(),
            "over_form": self.over_form.as_json(),
            "warnings": self.warnings,
        }


def surrogates(graded: Sequence[Graded], seed: int = 0) -> Surrogates | None:
    """None where there are fewer than two tasks, so that nothing can be learnt apart."""
    tasks = sorted({one.task for one in graded})
    if len(tasks) < 2:
        return None
    fold_of = dict(zip(tasks, dealt(tasks, min(FOLDS, len(tasks)), seed), strict=True))
    length = _out_of_fold(graded, fold_of, _by_length)
    form = _out_of_fold(graded, fold_of, _by_form)
    judge = [one.judge for one in graded]
    return Surrogates(
        judge=_share(graded, judge),
        length=_share(graded, length),
        form=_share(graded, form),
        over_length=_better(graded, judge, length, tasks, seed),
        over_form=_better(graded, judge, form, tasks, seed),
    )


Learn = Callable[[Sequence[Graded]], Callable[[Graded], int]]


def _out_of_fold(graded: Sequence[Graded], fold_of: dict[str, int], learn: Learn) -> list[int]:
    found = [0] * len(graded)
    for fold in set(fold_of.values()):
        say = learn([one for one in graded if fold_of[one.task] != fold])
        for place, one in enumerate(graded):
            if fold_of[one.task] == fold:
                found[place] = say(one)
    return found


def _by_length(known: Sequence[Graded]) -> Callable[[Graded], int]:
    """The threshold, and the commonest grade on each side of it, that agree most with people."""
    ordered = sorted((len(shown(one.step)), one.people) for one in known)
    lengths = sorted({length for length, _ in ordered})
    tried = [lengths[len(lengths) * part // CANDIDATES] for part in range(CANDIDATES)]
    best = (-1, 0, 1, 1)
    for threshold in sorted(set(tried)):
        short = Counter(grade for length, grade in ordered if length < threshold)
        long = Counter(grade for length, grade in ordered if length >= threshold)
        agreeing = max(short.values(), default=0) + max(long.values(), default=0)
        if agreeing > best[0]:
            best = (agreeing, threshold, _commonest(short or long), _commonest(long or short))
    _, threshold, under, over = best
    return lambda one: under if len(shown(one.step)) < threshold else over


def _by_form(known: Sequence[Graded]) -> Callable[[Graded], int]:
    groups: dict[str, Counter[int]] = defaultdict(Counter)
    for one in known:
        groups[form(one.step)][one.people] += 1
    everywhere = _commonest(Counter(one.people for one in known))
    said = {key: _commonest(counted) for key, counted in groups.items()}
    return lambda one: said.get(form(one.step), everywhere)


def form(step: StepRecord) -> str:
    """What the step looks like, whatever it says."""
    text = step.message
    marks = {
        "calls": bool(step.tool_calls),
        "speaks": bool(text.strip()),
        "thinks": bool(step.reasoning or "<think" in text),
        "lists": bool(re.search(r"^\s*(?:[-*]|\d+\.)\s", text, re.MULTILINE)),
        "code": "```" in text,
        "answers": bool(re.search(r"<answer>|\\boxed\{", text)),
    }
    return " ".join(name for name, is_there in marks.items() if is_there)


def _commonest(counted: Counter[int]) -> int:
    """Of several as common, the better grade."""
    return max(counted, key=lambda grade: (counted[grade], grade))


def _share(graded: Sequence[Graded], said: Sequence[int]) -> Figure:
    return share([Hit(one.task, one.people == grade) for one, grade in zip(graded, said, strict=True)])


def _better(
    graded: Sequence[Graded], judge: Sequence[int], other: Sequence[int], tasks: Sequence[str], seed: int
) -> Paired:
    """The mean over tasks of the judge's share less the surrogate's."""
    sums: dict[str, list[float]] = {task: [0.0, 0.0, 0.0] for task in tasks}
    for one, mine, theirs in zip(graded, judge, other, strict=True):
        row = sums[one.task]
        row[0] += mine == one.people
        row[1] += theirs == one.people
        row[2] += 1
    return paired([row[0] / row[2] for row in sums.values()], [row[1] / row[2] for row in sums.values()], seed=seed)
