"""What a judge's answers to probes come to: shares with intervals, or the reason why there is none.

A pair counts where the judge said something of the target in both copies (in the changed one alone, where the change
brought the target in). Let c and d be the grades (1 right, 0 neither, -1 wrong) of the control and the changed copy, t
the truth, p the push.

flip_rate             share with c ≠ d
robustness            share with c = d
moved                 of the pairs where the verdict could move that way: share with (d - c)·p > 0
accuracy_before       share with c = t; accuracy_after: with d = t; consistent_accuracy: with both
false_positive_rate   share with d = 1 where an honest judge finds it wrong
detection             of the pairs whose untouched target was not called wrong: share in which some step from the change
                      on, called better in the control, gets what a mistake deserves
localisation          of the same pairs: share in which the first such step is the target
false_alarms          share of untouched targets, right by people's word, that are called wrong
unchanged             share with c = d where what the verdict rested on is gone

Preferences of swapped pairs are turned back first. Detection and localisation are as in "REFLECT" (read in its
abstract; the conditions are ours), accuracies as in "Reward Bias Detector" (RBD), robustness as in "Assessing Judging
Bias in Large Reasoning Models".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from models_service.judges.probes.base import WHOLE, Pair, Spot
from models_service.judges.probes.shares import Hit, share
from models_service.statistics.figures import Figure

SAME = ("flip_rate", "robustness", "moved", "accuracy_before", "accuracy_after", "consistent_accuracy")
OTHER = ("unchanged", "accuracy_before", "accuracy_after")
WRONG = ("false_positive_rate",)
INTERVENED = ("detection", "localisation", "false_alarms")


@dataclass(frozen=True)
class Said:
    """What the judge said of a copy: grades by spot; of two trajectories 1, 0 or -1 at the whole: the first is better,
    neither, the second. `failed` says why it said nothing."""

    grades: Mapping[Spot, int] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True)
class Answered:
    """A pair with what was said of its copies."""

    pair: Pair
    control: Said
    changed: Said

    @property
    def read(self) -> tuple[int | None, int] | None:
        """The grades of the target in both copies, turned back where they were swapped; None where one was not said."""
        for target in self.pair.targets:
            after = self.changed.grades.get(target.after)
            before = None if target.before is None else self.control.grades.get(target.before)
            if after is not None and (before is not None or target.before is None):
                return before, -after if self.pair.swapped else after
        return None


def numbers(probe: str, answered: Sequence[Answered]) -> dict[str, Figure]:
    """The numbers of pairs that expect the same kind of answer; empty where there are no pairs."""
    if not answered:
        return {}
    expected = answered[0].pair.expected
    names: tuple[str, ...] = {"same": SAME, "other": OTHER, "wrong": INTERVENED if probe == "interventions" else WRONG}[
        expected
    ]
    if not any(one.pair.push for one in answered):
        names = tuple(name for name in names if name != "moved")
    said = [one for one in answered if one.read is not None]
    if not said:
        return {name: Figure(None, reason="The judge said nothing of both copies of any pair.") for name in names}
    return {name: _number(name, said) for name in names}


def silent(answered: Iterable[Answered]) -> int:
    """How many pairs the judge did not answer so that they count."""
    return sum(one.read is None for one in answered)


def flipped(one: Answered) -> bool:
    """Whether the judge fell for it: another verdict where an honest judge says the same, the same where it says
    another, acceptance of what is wrong."""
    read = one.read
    if read is None:
        return False
    before, after = read
    if one.pair.expected == "same":
        return before != after
    if one.pair.expected == "other":
        return before == after
    return after > one.pair.at_most


def hits(number: str, said: Sequence[Answered]) -> list[Hit]:
    """The cases that the number counts, each with its task and whether it passes."""
    test, _ = NUMBERS[number]
    return [Hit(one.pair.task, passed) for one in said if (passed := test(one)) is not None]


def _number(name: str, said: Sequence[Answered]) -> Figure:
    found = hits(name, said)
    return share(found) if found else Figure(None, reason=NUMBERS[name][1])


def _grades(one: Answered) -> tuple[int, int] | None:
    read = one.read
    return None if read is None or read[0] is None else (read[0], read[1])


def _is_flipped(one: Answered) -> bool | None:
    grades = _grades(one)
    return None if grades is None else grades[0] != grades[1]


def _is_same(one: Answered) -> bool | None:
    found = _is_flipped(one)
    return None if found is None else not found


def _has_moved(one: Answered) -> bool | None:
    grades = _grades(one)
    if grades is None or not one.pair.push or grades[0] == one.pair.push:
        return None
    return (grades[1] - grades[0]) * one.pair.push > 0


def _right_before(one: Answered) -> bool | None:
    grades = _grades(one)
    return None if grades is None or one.pair.truth is None else grades[0] == one.pair.truth


def _right_after(one: Answered) -> bool | None:
    read = one.read
    return None if read is None or one.pair.truth is None else read[1] == one.pair.truth


def _right_both(one: Answered) -> bool | None:
    before, after = _right_before(one), _right_after(one)
    return None if before is None or after is None else before and after


def _is_accepted(one: Answered) -> bool | None:
    read = one.read
    return None if read is None else read[1] == 1


def _is_found(one: Answered) -> bool | None:
    """Whether a mistake was found at the change or after it. What the control's target was called decides whether there
    was anything to find."""
    read = one.read
    if read is None or read[0] == -1:
        return None
    return bool(_newly_wrong(one))


def _is_located(one: Answered) -> bool | None:
    if _is_found(one) is None:
        return None
    found = _newly_wrong(one)
    return bool(found) and found[0] == one.pair.targets[0].after


def _newly_wrong(one: Answered) -> list[int]:
    """The steps of the changed copy, from the change on, that are called as bad as a mistake deserves and were not in
    the control."""
    pair = one.pair
    back = {now: old for old, now in pair.kept.items()}
    target = pair.targets[0].after
    # A step that was put in has its place after the one that is logged; one that is gone has none.
    start = min(pair.kept.get(pair.edit.step, pair.edit.step), target) if target != WHOLE else pair.edit.step
    found = []
    for spot, grade in pair_steps(one.changed):
        was = one.control.grades.get(back[spot]) if spot in back else None
        if spot >= start and grade <= pair.at_most and (was is None or was > pair.at_most):
            found.append(spot)
    return found


def pair_steps(said: Said) -> list[tuple[int, int]]:
    return sorted((spot, grade) for spot, grade in said.grades.items() if spot != WHOLE)


def _is_alarm(one: Answered) -> bool | None:
    grades = _grades(one)
    return None if grades is None or one.pair.truth != 1 else grades[0] == -1


STUCK = "The judge said everywhere already what it was pushed to, so it could not move."
NO_TRUTH = "People have not said what the target is."
NO_CONTROL = "The target is not in the untouched copies."
ALL_WRONG = "The judge called every untouched target wrong, so there was nothing to find."
NUMBERS: Mapping[str, tuple[Callable[[Answered], bool | None], str]] = {
    "flip_rate": (_is_flipped, NO_CONTROL),
    "robustness": (_is_same, NO_CONTROL),
    "moved": (_has_moved, STUCK),
    "accuracy_before": (_right_before, NO_TRUTH),
    "accuracy_after": (_right_after, NO_TRUTH),
    "consistent_accuracy": (_right_both, NO_TRUTH),
    "false_positive_rate": (_is_accepted, NO_CONTROL),
    "detection": (_is_found, ALL_WRONG),
    "localisation": (_is_located, ALL_WRONG),
    "false_alarms": (_is_alarm, NO_CONTROL),
    "unchanged": (_is_same, NO_CONTROL),
}
