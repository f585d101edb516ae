"""A project's consensus in one field: what may be asked, the labels it is made of, and keeping what came of it.

Counted are the labels that agreement counts. What is made of others' words, adjudicated or adopted from a consensus, is
no voice; what was adjudicated may be the reference, an adopted consensus not even that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, Sum

from annotations import jobs
from annotations.consensus_table import ConsensusTable
from annotations.models import Project, Rater, Report, Run, User
from annotations.models.labels import AnnotationQuerySet
from annotations.schemes.fields import ChoiceField, FlagField
from annotations.schemes.fields.base import FieldSpec
from annotations.services import adjudication, agreement
from annotations.services.agreement import AgreementRefused
from annotations.services.projects import scheme_of
from annotations.services.runs import Claim

KIND = "consensus"
RATERS = {"people": "People", "judges": "Judges", "everybody": "People, judges and files"}
ADOPTED = Q(rater__kind=Rater.Kind.CONSENSUS) & ~Q(rater__name=adjudication.RATER)  # of a pass
KINDS = {"people": [Rater.Kind.HUMAN], "judges": [Rater.Kind.JUDGE]}


class ConsensusRefused(ValueError):
    """There can be none as asked. The message says why, and what would do."""


@dataclass(frozen=True)
class Asked:
    """What a run's configuration comes to. `voters` is the condition on a Rater that has a voice."""

    project: Project
    spec: FieldSpec
    voters: Q
    reference: Rater | None
    by_hand: bool

    def raters(self) -> list[Rater]:
        """Who has a voice, whether they have said something or not; in one order, whatever the database's is."""
        found = self.project.raters.filter(self.voters).exclude(kind=Rater.Kind.CONSENSUS)
        return sorted((one for one in found if one != self.reference), key=lambda one: (one.kind, one.name))

    def passes(self) -> AnnotationQuerySet:
        """The passes that it is made of, and the reference's."""
        named = {rater.pk for rater in self.raters()} | ({self.reference.pk} if self.reference else set())
        return agreement.heard(self.project, self.reference).filter(rater__in=named)


def fields(project: Project) -> list[FieldSpec]:
    """Those that have a consensus: one of a few answers, of a step, a part of it, or a trajectory."""
    return [
        spec
        for spec in scheme_of(project.scheme).fields
        if isinstance(spec, ChoiceField | FlagField) and spec.target != "task"
    ]


def start(project: Project, by: User | None, **config: Any) -> Run:
    """Begin one. `config`: "field", "raters" (of RATERS, or a list of kind:name), "reference" (None: the project's
    own; "": none), "by_hand" (without labels that were filled in). ConsensusRefused where there can be none."""
    asked = read(project, config)
    named = f"{asked.reference.kind}:{asked.reference.name}" if asked.reference else ""
    settled = {"field": asked.spec.name, "raters": config.get("raters") or "people", "reference": named}
    return jobs.start(Run.Kind.CONSENSUS, project, by, **settled, by_hand=asked.by_hand)


def read(project: Project, config: Mapping[str, Any]) -> Asked:
    """What is asked. ConsensusRefused where it cannot be."""
    known = fields(project)
    name = config.get("field") or _likely(project, known)
    spec = next((one for one in known if one.name == name), None)
    if spec is None:
        accepted = ", ".join(one.name for one in known) or "none: this scheme has no such field"
        raise ConsensusRefused(
            f"There is no consensus in {name!r}. It takes one of a few answers; accepted: {accepted}."
        )
    try:
        reference = agreement.find(project, config.get("reference"))
    except AgreementRefused as no:
        raise ConsensusRefused(str(no)) from no
    if reference and is_adopted(reference):
        raise ConsensusRefused(f"{reference.name} is a consensus itself, so it says nothing of how good another is.")
    asked = Asked(project, spec, _voters(project, config.get("raters")), reference, bool(config.get("by_hand")))
    if len(asked.raters()) < 2:
        raise ConsensusRefused("A consensus takes two raters, the reference not counted.")
    return asked


def is_adopted(rater: Rater) -> bool:
    """Whether its labels were adopted from a consensus; what people adjudicated is not."""
    return rater.kind == Rater.Kind.CONSENSUS and rater.name != adjudication.RATER


def _likely(project: Project, known: list[FieldSpec]) -> str:
    """The main field where it can be, else the first that can."""
    main = scheme_of(project.scheme).main
    return next((one.name for one in known if one.name == main), known[0].name if known else main)


def _voters(project: Project, raters: Any) -> Q:
    if not isinstance(raters, list):
        if (group := raters or "people") not in RATERS:
            raise ConsensusRefused(f"There are no raters {group!r}; accepted: {', '.join(RATERS)}, or raters by name.")
        return Q(kind__in=KINDS[group]) if group in KINDS else Q()
    named = set()
    for name in raters:
        try:
            rater = agreement.find(project, str(name))
        except AgreementRefused as no:
            raise ConsensusRefused(str(no)) from no
        if rater and rater.kind == Rater.Kind.CONSENSUS:
            raise ConsensusRefused(f"{rater.name} is made of others’ words, so it has no voice of its own.")
        named |= {rater.pk} if rater else set()
    return Q(pk__in=named)


def fingerprint(of: ConsensusTable) -> str:
    """SHA-256 of the labels: one line each of rater kind, rater, trajectory, step, part and value (JSON),
    tab-separated, sorted; the reference's begin with "reference". The same labels give the same, in any database."""
    raters = [f"{rater.kind}\t{rater.name}" for rater in of.raters]
    units = [f"{unit.name}\t{'' if unit.index is None else unit.index}\t{unit.part}" for unit in of.units]
    values = [json.dumps(value) for value in of.values]
    labels = zip(of.label_rater, of.label_unit, of.label_value, strict=True)
    lines = [f"{raters[rater]}\t{units[unit]}\t{values[value]}\n" for rater, unit, value in labels]
    said = zip(of.reference_unit, of.reference_value, strict=True)
    lines += [f"reference\t{units[unit]}\t{values[value]}\n" for unit, value in said]
    return hashlib.sha256("".join([f"{of.name}\n", *sorted(lines)]).encode()).hexdigest()


def mark(asked: Asked) -> dict[str, Any]:
    """What is cheap to read and changes whenever a label does: how many passes count, the newest, their revisions, and
    the scheme that they are read by."""
    found = asked.passes().aggregate(passes=Count("pk"), newest=Max("pk"), revisions=Sum("revision"))
    return {name: value or 0 for name, value in found.items()} | {"scheme": asked.project.scheme_id}


def is_stale(report: Report) -> bool:
    """Whether labels have come, gone or changed since it was made, or it cannot be asked for any more."""
    try:
        return bool(mark(read(report.project, report.config)) != report.inputs.get("mark"))
    except ConsensusRefused:
        return True


@transaction.atomic
def store(
    claim: Claim, result: dict[str, Any], of: ConsensusTable, before: dict[str, Any], glance: dict[str, Any]
) -> Report:
    """Keep the result with what it was computed from. Once per run: a run taken up again keeps its first report.
    `before` is the mark of before the labels were read, `glance` what a list says of it."""
    run = claim.run
    inputs = {"counts": result["counts"], "sha256": fingerprint(of), "mark": before, "glance": glance}
    fields = {"project": run.project, "kind": KIND, "config": run.config, "inputs": inputs, "result": result}
    report, _ = Report.objects.get_or_create(run=run, defaults=fields)
    claim.keep(consensus=report.pk)
    return report
