"""Gathering the labels that agreement is computed from, and keeping what was computed.

Counted are the current labels of the scheme's main field and of its verdict, on live trajectories: of people what they
submitted, of judges, files and scorers every pass that stands. A failed pass is counted as failed. The other fields,
and a main field that is no choice, are in agreement_fields.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from annotations.models import Annotation, Label, Project, Rater, Report, Step, Trajectory
from annotations.models.labels import AnnotationQuerySet
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import agreement_converted
from annotations.services.projects import scheme_of
from annotations.services.runs import Claim
from annotations.tables import FieldTable, LabelTable, TableRater

RESAMPLES = 2000


class AgreementRefused(Exception):
    """Agreement cannot be computed as asked. The message says what to ask instead."""


def counted(project: Project, tasks: Collection[int] | None = None) -> AnnotationQuerySet:
    """The passes that agreement looks at, of all tasks or of some: of people, and of what was adjudicated, those that
    are handed in."""
    person = Q(rater__kind__in=[Rater.Kind.HUMAN, Rater.Kind.CONSENSUS])
    live = Annotation.objects.live().for_labels()
    live = live.filter(trajectory__project=project, trajectory__superseded_at__isnull=True)
    if tasks is not None:
        live = live.filter(trajectory__task__in=tasks)
    return live.filter(~person | Q(state=Annotation.State.SUBMITTED))


def heard(project: Project, reference: Rater | None, tasks: Collection[int] | None = None) -> AnnotationQuerySet:
    """Of those the passes that are held against that reference, and its own. What was adjudicated is made of the
    others, so it is nothing but a reference."""
    return counted(project, tasks).exclude(~Q(rater=reference), rater__kind=Rater.Kind.CONSENSUS)


def table(project: Project, config: dict[str, Any], tasks: Collection[int] | None = None) -> LabelTable:
    """The labels of the project, or of some of its tasks, as numbers; no text of a step is read. The reference that
    `config` asks for is in it even if it has said nothing. No values and labels where the main field is no choice of a
    whole step or trajectory. AgreementRefused where no such reference exists."""
    scheme = scheme_of(project.scheme)
    main = scheme.main_field if is_classic(scheme) else None
    reference = find(project, config.get("reference"))
    looked_at = counted(project, tasks)
    # Of few passes the keys themselves: in the middle of an import PostgreSQL knows nothing of what has come in, and
    # would look through all labels for each of them.
    asked = None if tasks is None else list(looked_at.filter(scheme=project.scheme_id).values_list("pk", flat=True))
    trajectories = list(
        Trajectory.objects.filter(pk__in=looked_at.values("trajectory"))
        .order_by("task", "rollout")
        .values_list("pk", "task", "external_id")
    )
    rows = {pk: place for place, (pk, _, _) in enumerate(trajectories)}
    read = heard(project, reference, tasks).order_by("pk").values_list("pk", "rater", "trajectory", "state")
    passes = [one for one in read if one[2] in rows]  # not those of a trajectory that came in since
    raters = _raters({rater for _, rater, _, _ in passes}, reference)
    columns = {rater.pk: place for place, rater in enumerate(raters)}
    seats = {pk: (columns[rater], rows[trajectory]) for pk, rater, trajectory, _ in passes}
    steps = _steps(looked_at, main, rows) if main else Steps(array("i"), array("i"), {})
    labels = _labels(project, looked_at, asked, main, seats, steps.places) if main else Labels()
    verdict = _verdict(scheme)
    finals = _labels(project, looked_at, asked, verdict, seats, {}) if verdict else Labels()
    numbers = {task: place for place, task in enumerate(dict.fromkeys(task for _, task, _ in trajectories))}
    return LabelTable(
        main=scheme.main,
        values=main.values if main else (),
        ordinal=bool(main and main.level == "ordinal"),
        error=_error(scheme) if main else None,
        raters=named(raters),
        reference=columns[reference.pk] if reference else None,
        trajectories=tuple(name for _, _, name in trajectories),
        task=array("i", (numbers[task] for _, task, _ in trajectories)),
        step_trajectory=steps.trajectory,
        step_message=steps.message,
        pass_rater=array("i", (rater for rater, _ in seats.values())),
        pass_trajectory=array("i", (trajectory for _, trajectory in seats.values())),
        pass_failed=array("i", (state == Annotation.State.FAILED for *_, state in passes)),
        label_rater=labels.rater,
        label_step=labels.unit,
        label_value=labels.value,
        label_propagated=labels.propagated,
        label_accepted=labels.accepted,
        final_values=verdict.values if verdict else (),
        final_ordinal=bool(verdict and verdict.level == "ordinal"),
        final_rater=finals.rater,
        final_trajectory=finals.unit,
        final_value=finals.value,
        task_keys=tuple(numbers),
    )


def is_classic(scheme: Scheme) -> bool:
    """Whether the main field has the coefficients over choices, first errors and confusions that LabelTable is for."""
    return scheme.main_field.kind == "choice" and scheme.main_field.target in ("step", "trajectory")


def options(config: dict[str, Any]) -> dict[str, Any]:
    """What the computation is asked beside the table, from a run's config."""
    return {
        "official": bool(config.get("official")),
        "resamples": int(config.get("resamples", RESAMPLES)),
        "seed": int(config.get("seed", 0)),
    }


def find(project: Project, asked: str | None) -> Rater | None:
    """The rater of that name, or of that "kind:name". None asks for the project's own reference; "" for none. Of
    several of one name the project's reference is meant. AgreementRefused where that leaves none or more than one."""
    if asked is None:
        return project.reference
    if not asked:
        return None
    raters = list(project.raters.order_by("kind", "name"))
    named = [rater for rater in raters if asked in (rater.name, f"{rater.kind}:{rater.name}")]
    found = [rater for rater in named if rater.pk == project.reference_id] or named
    if len(found) == 1:
        return found[0]
    accepted = ", ".join(f"{rater.kind}:{rater.name}" for rater in found or raters) or "none yet"
    problem = "There are several raters" if found else "There is no rater"
    raise AgreementRefused(f"{problem} called {asked!r}. Accepted: {accepted}.")


@transaction.atomic
def store(claim: Claim, computed_from: LabelTable, result: dict[str, Any], fields_sha256: str = "") -> Report:
    """Keep the result with what it was computed from. Once per run: a run taken up again keeps its first report."""
    run = claim.run
    inputs = {"counts": result["counts"], "sha256": fingerprint(computed_from), "fields_sha256": fields_sha256}
    report, _ = Report.objects.get_or_create(
        run=run,
        defaults={
            "project": run.project,
            "kind": "agreement",
            "config": run.config,
            "inputs": inputs,
            "result": result,
        },
    )
    claim.keep(report=report.pk, **inputs["counts"])
    return report


def fingerprint(of: LabelTable) -> str:
    """SHA-256 of the label rows: one line each of rater kind, rater, trajectory, message, value (JSON) and how it came
    (1: propagated, 2: accepted, else 0), tab-separated, sorted. Verdicts have no message. The same labels give the
    same, in any database."""
    raters = [f"{rater.kind}\t{rater.name}" for rater in of.raters]
    values = [json.dumps(value) for value in of.values]
    verdicts = [json.dumps(value) for value in of.final_values]
    steps = [
        f"{of.trajectories[trajectory]}\t{message}"
        for trajectory, message in zip(of.step_trajectory, of.step_message, strict=True)
    ]
    labels = zip(of.label_rater, of.label_step, of.label_value, came(of), strict=True)
    finals = zip(of.final_rater, of.final_trajectory, of.final_value, strict=True)
    lines = [f"{raters[rater]}\t{steps[step]}\t{values[value]}\t{how}\n" for rater, step, value, how in labels]
    lines += [f"{raters[rater]}\t{of.trajectories[row]}\t\t{verdicts[value]}\t0\n" for rater, row, value in finals]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def came(of: LabelTable | FieldTable) -> Iterator[int]:
    """How each label of a table came, as a fingerprint has it."""
    return (one + 2 * other for one, other in zip(of.label_propagated, of.label_accepted, strict=True))


def _raters(seen: set[int], reference: Rater | None) -> list[Rater]:
    wanted = seen | ({reference.pk} if reference else set())
    return list(Rater.objects.filter(pk__in=wanted).order_by("kind", "name"))


def named(raters: list[Rater]) -> tuple[TableRater, ...]:
    """As columns. Raters of one name are told apart by their kind."""
    often = Counter(rater.name for rater in raters)
    return tuple(
        TableRater(rater.name if often[rater.name] == 1 else f"{rater.name} ({rater.kind})", rater.kind, rater.pk)
        for rater in raters
    )


@dataclass(frozen=True)
class Steps:
    """The things that are labelled. `places` is by primary key of the step, empty where whole trajectories are."""

    trajectory: array[int]
    message: array[int]
    places: dict[int, int]


def _steps(passes: AnnotationQuerySet, field: FieldSpec, rows: dict[int, int]) -> Steps:
    if field.target == "trajectory":
        return Steps(array("i", range(len(rows))), array("i", [0] * len(rows)), {})
    steps = Step.objects.of_agent().filter(trajectory__in=passes.values("trajectory")).order_by()
    read = steps.values_list("trajectory", "source_index", "pk").iterator(chunk_size=10_000)
    ordered = sorted((rows[trajectory], message, pk) for trajectory, message, pk in read if trajectory in rows)
    return Steps(
        array("i", (trajectory for trajectory, _, _ in ordered)),
        array("i", (message for _, message, _ in ordered)),
        {pk: place for place, (_, _, pk) in enumerate(ordered)},
    )


@dataclass
class Labels:
    """Parallel arrays: who, which step (or whole trajectory), the number of the value, whether it was propagated or
    a suggestion that was accepted."""

    rater: array[int]
    unit: array[int]
    value: array[int]
    propagated: array[int]
    accepted: array[int]

    def __init__(self) -> None:
        self.rater, self.unit, self.value, self.propagated, self.accepted = (array("i") for _ in range(5))


def _labels(
    project: Project,
    passes: AnnotationQuerySet,
    asked: list[int] | None,
    field: FieldSpec,
    seats: dict[int, tuple[int, int]],
    steps: dict[int, int],
) -> Labels:
    """The field's current labels in those passes; `asked` are the keys of those under the scheme in force, None where
    they are too many to name. A value that the scheme no longer has is left out."""
    found = Labels()
    numbers = {json.dumps(value, ensure_ascii=False): place for place, value in enumerate(field.values)}
    of_scheme = passes.filter(scheme=project.scheme_id).values("pk")
    rows = (
        Label.objects.current()
        .filter(
            Q(annotation__in=of_scheme) if asked is None else Q(annotation__in=asked),
            field=field.name,
            step__isnull=field.target == "trajectory",
        )
        .annotate(said=Cast("value", TextField()))
        .values_list("annotation", "step", "said", "origin")
    )
    others = agreement_converted.of_others(project, scheme_of(project.scheme), passes, [field.name])
    spelled = (
        (one.annotation, one.step, json.dumps(one.value, ensure_ascii=False), one.origin)
        for one in others
        if (one.step is None) == (field.target == "trajectory")
    )
    for annotation, step, said, origin in chain(rows.iterator(chunk_size=10_000), spelled):
        seat = seats.get(annotation)  # None: submitted since the passes were read
        unit = steps.get(step, -1) if step else seat and seat[1]
        value = numbers.get(said)
        if seat is None or unit is None or unit < 0 or value is None:
            continue
        found.rater.append(seat[0])
        found.unit.append(unit)
        found.value.append(value)
        found.propagated.append(origin == Label.Origin.PROPAGATED)
        found.accepted.append(origin == Label.Origin.ACCEPTED)
    return found


def _verdict(scheme: Scheme) -> FieldSpec | None:
    """The field of the whole trajectory, where it is a choice and not the main field itself."""
    field = scheme.field(scheme.final) if scheme.final != scheme.main else None
    return field if field and field.kind == "choice" and field.target == "trajectory" else None


def _error(scheme: Scheme) -> int | None:
    """The place of the value that means a wrong step."""
    values = scheme.main_field.values
    return values.index(scheme.wrong) if scheme.wrong in values else None
