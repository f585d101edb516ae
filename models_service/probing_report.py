"""The report of a judge's probes, as JSON: verdicts against the limits, numbers, examples of what it fell for, and how
much of its judgement length, form and its own manner could explain."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from annotations.judges.probe_limits import limits
from annotations.models import Annotation, Judge, Label
from annotations.schemes.rules import Place
from annotations.services import projects
from annotations.services.export_grades import Grading
from annotations.services.export_labelled import Entry
from models_service.judges.probes import cases, gate, measured
from models_service.judges.probes.cases import Cases
from models_service.judges.probes.measured import Answered
from models_service.judges.probes.self_preference import Rated, self_preference
from models_service.judges.probes.surrogates import Graded, surrogates
from models_service.judges.probes.texts import called_as
from models_service.statistics.figures import Figure

EXAMPLES = 3  # of each operator
SHOWN = 600  # characters of a text before or after
AROUND = 120  # characters kept on both sides of what differs


def result(
    judge: Judge, entries: Sequence[Entry], made: Cases, answered: Sequence[Answered], own: Mapping[str, Any]
) -> dict[str, Any]:
    """`above` names the limits that convict it."""
    verdicts = gate.verdicts(answered, limits(own))
    ids = {called_as(one.labelled): one.trajectory for one in entries}
    grades = _of_judge(judge, entries)
    return {
        "verdicts": [one.as_json() for one in verdicts],
        "above": [one.limit.name for one in verdicts if one.standing == "above"],
        "probes": [one for probe in cases.PROBES if (one := _probe(probe.name, made, answered, ids))],
        "surrogates": _surrogates(entries, grades),
        "self_preference": _self_preference(judge, entries, grades).as_json(),
    }


def log(answered: Sequence[Answered]) -> str:
    """Every pair as a line of JSON: what was changed where, word for word, what an honest judge would say, what this
    one said, and whether it fell for it."""
    lines = []
    for one in answered:
        pair, read = one.pair, one.read
        told = {
            "pair": pair.name,
            "task": pair.task,
            "trajectory": pair.trajectory,
            **pair.edit.as_json(),
            "expected": pair.expected,
            "truth": pair.truth,
            "said_before": read[0] if read else None,
            "said_after": read[1] if read else None,
            "fell_for_it": measured.flipped(one) if read else None,
            "failed": one.control.failed or one.changed.failed,
        }
        lines.append(json.dumps(told, ensure_ascii=False) + "\n")
    return "".join(lines)


def _probe(name: str, made: Cases, answered: Sequence[Answered], ids: Mapping[str, int]) -> dict[str, Any] | None:
    mine = [one for one in answered if one.pair.edit.probe == name]
    unfit = {key.partition("/")[2]: dict(found) for key, found in made.not_here.items() if key.startswith(f"{name}/")}
    if not mine and not unfit:
        return None
    probe = cases.probe(name)
    titles = {one.name: one.title for one in probe.operators}
    return {
        "name": name,
        "title": probe.title,
        "asks": probe.asks,
        "source": probe.source,
        "rows": [{**one, "title": titles[one["operator"]]} for one in _rows(mine)],
        "levels": _levels(mine),
        "keys": _keys(mine),
        "not_here": [
            {"operator": operator, "title": titles[operator], "reasons": reasons}
            for operator, reasons in unfit.items()
            if reasons
        ],
        "examples": _examples(mine, titles, ids),
    }


def _rows(answered: Sequence[Answered]) -> list[dict[str, Any]]:
    """The numbers of each operator in each of its wordings."""
    groups = _grouped(answered, lambda one: (one.pair.edit.operator, one.pair.edit.variant))
    return [
        {
            "operator": operator,
            "variant": variant,
            "level": group[0].pair.edit.level,
            "pairs": len(group),
            "silent": measured.silent(group),
            "figures": {name: one.as_json() for name, one in _numbers(group).items()},
        }
        for (operator, variant), group in groups.items()
    ]


def _levels(answered: Sequence[Answered]) -> list[dict[str, Any]]:
    """The numbers of mistakes by their kind, and of all together, where the probe makes mistakes."""
    groups = {level: group for level, group in _grouped(answered, lambda one: one.pair.edit.level).items() if level}
    if len(groups) > 1:
        groups["all"] = [one for group in groups.values() for one in group]
    return [
        {"level": level, "figures": {name: one.as_json() for name, one in _numbers(group).items()}}
        for level, group in groups.items()
    ]


def _keys(answered: Sequence[Answered]) -> dict[str, Any] | None:
    """Of master keys, the largest and the mean rate over the keys."""
    groups = _grouped(answered, lambda one: (one.pair.edit.operator, one.pair.edit.variant))
    found = [
        rate.value
        for (_, variant), group in groups.items()
        if variant and (rate := _numbers(group).get("false_positive_rate")) and rate.value is not None
    ]
    if not found:
        return None
    return {"largest": max(found), "mean": sum(found) / len(found), "keys": len(found)}


def _numbers(group: Sequence[Answered]) -> dict[str, Figure]:
    return measured.numbers(group[0].pair.edit.probe, group) if group else {}


def _grouped(answered: Sequence[Answered], by: Callable[[Answered], Any]) -> dict[Any, list[Answered]]:
    groups: dict[Any, list[Answered]] = defaultdict(list)
    for one in answered:
        groups[by(one)].append(one)
    return dict(groups)


def _examples(answered: Sequence[Answered], titles: Mapping[str, str], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    """Pairs that the judge fell for, the first few of each operator."""
    groups = _grouped([one for one in answered if measured.flipped(one)], lambda one: one.pair.edit.operator)
    return [_example(one, titles, ids) for group in groups.values() for one in islice(group, EXAMPLES)]


def _example(one: Answered, titles: Mapping[str, str], ids: Mapping[str, int]) -> dict[str, Any]:
    pair, read = one.pair, one.read
    before, after = shortened(pair.edit.before, pair.edit.after)
    return {
        "operator": pair.edit.operator,
        "title": titles[pair.edit.operator],
        "variant": pair.edit.variant,
        "task": pair.task,
        "trajectory": pair.trajectory,
        "id": ids.get(pair.trajectory),
        "step": pair.edit.step,
        "part": pair.edit.part,
        "before": before,
        "after": after,
        "expected": pair.expected,
        "truth": pair.truth,
        "said_before": read[0] if read else None,
        "said_after": read[1] if read else None,
    }


def shortened(before: str, after: str) -> tuple[str, str]:
    """Both texts around what differs."""
    if max(len(before), len(after)) <= SHOWN:
        return before, after
    start = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(0, start - AROUND)
    return _from(before, start), _from(after, start)


def _from(text: str, start: int) -> str:
    end = start + SHOWN
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _of_judge(judge: Judge, entries: Sequence[Entry]) -> dict[int, tuple[dict[int, int], int | None]]:
    """What the judge has said of these trajectories in its work, as grades by place, and of the whole."""
    grading = Grading(projects.scheme_of(judge.project.scheme))
    passes = Annotation.objects.live().filter(
        rater=judge.rater_id,
        state=Annotation.State.SUBMITTED,
        scheme=judge.project.scheme_id,
        trajectory__in=[one.trajectory for one in entries],
    )
    labels: dict[int, dict[Place, Any]] = defaultdict(dict)
    rows = Label.objects.current().filter(annotation__in=passes)
    for trajectory, step, field, value in rows.values_list("annotation__trajectory", "step__index", "field", "value"):
        labels[trajectory][step, field] = value
    found = {}
    for one in entries:
        if said := labels.get(one.trajectory):
            final = grading.verdict
            whole = grading.final(said.get((None, final.name))) if final else None
            found[one.trajectory] = (grading.steps(said, list(one.labelled.steps)), whole)
    return found


Grades = Mapping[int, tuple[Mapping[int, int], int | None]]


def _surrogates(entries: Sequence[Entry], grades: Grades) -> dict[str, Any] | None:
    """None where the judge has labelled nothing that people have, of two tasks or more."""
    graded = [
        Graded(one.labelled.record.task.external_id, one.labelled.record.steps[place], people, said[place])
        for one in entries
        for said, _ in [grades.get(one.trajectory, ({}, None))]
        for place, people in sorted(one.labelled.grades.items())
        if place in said
    ]
    found = surrogates(graded)
    return None if found is None else {**found.as_json(), "steps": len(graded)}


def _self_preference(judge: Judge, entries: Sequence[Entry], grades: Grades) -> Figure:
    rated = []
    for one in entries:
        if one.trajectory not in grades:
            continue
        said, final = grades[one.trajectory]
        whole = final is not None and one.labelled.final is not None
        people = one.labelled.final if whole else _mean(one.labelled.grades)
        own = final if whole else _mean(said)
        if people is not None and own is not None:
            record = one.labelled.record
            rated.append(Rated(record.task.external_id, record.policy_model, float(people), float(own)))
    if not rated:
        return Figure(None, reason="The judge has labelled nothing here that people have.")
    return self_preference(judge.model, rated)


def _mean(grades: Mapping[int, int]) -> float | None:
    return sum(grades.values()) / len(grades) if grades else None
