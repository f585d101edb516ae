"""What Stepmark itself offers on each step of real items: judges, the embedded scorer, one's own word on rollouts that
begin alike.

The rollouts come in without their labels and are scored like that, so that the scorer has learned nothing from them.
Then gold becomes the reference. What a judge is sure of is counted against it, as in any project that has a reference.
"""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import common

if TYPE_CHECKING:
    from annotations.models import Annotation, Project, Rater, User
    from annotations.services.outcomes import Item as Change

NONE, OWN, SCORER = "none", "own siblings", "embedded scorer"
LABELS = ("step_labels", "final_label")
Offers = tuple[int | None, ...]


@dataclass(frozen=True)
class Item:
    """One rollout: its gold, and what each source offers on its steps. `steps` are their indexes."""

    trajectory: int
    steps: tuple[int, ...]
    gold: tuple[int, ...]
    final: int
    offers: Mapping[str, Offers]


def project(annotator: User) -> Project:
    """The shared hotpotqa rollouts with gold as their reference, every judge's labels and the scorer's word."""
    from django.core.management import call_command

    from annotations.models import Membership, Rater, Role
    from annotations.services import imports, projects, ratings

    made = projects.create(slug="effort", overlap=1)
    made.mode, made.blind_share = "assisted", 0  # every item is pre-filled: none is left blind to measure by
    made.save()
    Membership.objects.create(project=made, user=annotator, role=Role.ANNOTATOR)
    with tempfile.TemporaryDirectory() as folder:
        imports.import_trajectories(made, [_without_labels(Path(folder))])
    call_command("score", made.slug, scorer="embedded", wait=True, stdout=io.StringIO())
    ratings.import_labels(made, [common.SHARED / "gold" / "hotpotqa_final.jsonl"], rater="gold", kind="import")
    for path in judges("hotpotqa"):
        ratings.import_labels(made, [path], rater=path.parent.name, kind="judge")
    made.reference = Rater.objects.get(project=made, name="gold")
    made.save()
    return made


def judges(dataset: str) -> list[Path]:
    """The label file of every judge."""
    return sorted((common.SHARED / "judges").glob(f"*/{dataset}__*.jsonl.gz"))


def items(made: Project, annotator: User, confidence: float) -> Iterator[Item]:
    """The project's items in the order of its queue. The annotator says gold of each, and is offered that from then on
    where a rollout begins alike; before what a machine says, as on the page."""
    from annotations.services import queue, twins

    reference = made.reference
    while mine := queue.lease_next(made, annotator):
        steps = tuple(mine.trajectory.steps.of_agent().order_by("index").values_list("index", flat=True))
        said, final = _said(mine, reference)
        own = {step: one.value for step, one in twins.prefix(mine, twins.siblings_of(mine)).items()}
        found = {NONE: {}, OWN: own} | {name: one | own for name, one in _prefilled(mine, confidence)}
        offers = {name: tuple(by_step.get(step) for step in steps) for name, by_step in found.items()}
        yield Item(mine.trajectory_id, steps, tuple(said[step] for step in steps), final, offers)
        _hand_in(mine, annotator, said, final)


def _prefilled(mine: Annotation, confidence: float) -> Iterator[tuple[str, dict[int, int]]]:
    from annotations.models import Rater
    from annotations.services import suggestions

    judging = Rater.objects.filter(project=mine.rater.project_id, kind="judge").order_by("name")
    mine.rater.project.prefill_confidence = confidence
    sources = {SCORER: "scorer:embedded"} | {one.name: f"judge:{one.name}" for one in judging}
    for name, source in sources.items():
        mine.rater.project.prefill = source
        yield name, {step: one.value for step, one in suggestions.of(mine).items()}


def _said(mine: Annotation, reference: Rater | None) -> tuple[dict[int, int], int]:
    from annotations.models import Label

    labels = Label.objects.current().filter(annotation__rater=reference, annotation__trajectory=mine.trajectory)
    by_step = dict(labels.filter(field="label").values_list("step__index", "value"))
    return by_step, labels.get(field="final").value


def _hand_in(mine: Annotation, annotator: User, said: dict[int, int], final: int) -> None:
    from annotations.services import labels

    answers = [(step, "label", value) for step, value in said.items()] + [(None, "final", final)]
    changes: list[Change] = [{"step": step, "field": field, "value": value} for step, field, value in answers]
    done = labels.change(mine.pk, annotator, changes, change=uuid.uuid4(), revision=mine.revision)
    labels.submit(mine.pk, annotator, change=uuid.uuid4(), revision=done.revision)


def _without_labels(folder: Path) -> Path:
    path = folder / "rollouts.jsonl"
    with gzip.open(common.TRAJECTORIES, "rt") as stream, path.open("w") as out:
        for line in stream:
            record = {name: value for name, value in json.loads(line).items() if name not in LABELS}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path
