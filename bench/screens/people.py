"""People who label as one does: a while at each step, now and then twice, taking what is offered where they agree."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping

from annotations.demo.build import HERE
from annotations.models import Annotation, Project, User
from annotations.services import labels, looks, queue, suggestions
from annotations.services.looks import Look
from annotations.services.outcomes import Item

Said = Mapping[str, Mapping[str, int]]


def work(project: Project, user: User, items: int) -> None:
    """Label that many items of the project to the end, as the demo's person of that name does."""
    rng = random.Random(user.username)
    lines = (HERE / "labels" / f"{user.username}.jsonl").read_text().splitlines()
    said = {row["record_id"]: row for row in map(json.loads, lines)}
    for _ in range(items):
        annotation = queue.lease_next(project, user)
        assert annotation, f"nothing is left in {project.slug} for {user.username}"
        record = said[annotation.trajectory.external_id]
        _label(annotation, user, record["step_labels"], rng)
        say(annotation, user, Item(step=None, field="final", value=record["final_label"]), rng.randint(800, 6000))
        labels.submit(annotation.pk, user, change=uuid.uuid4(), revision=annotation.revision, accept_ghosts=True)


def _label(annotation: Annotation, user: User, said: Mapping[str, int], rng: random.Random) -> None:
    offers, seen = suggestions.of(annotation), []
    for source, index in annotation.trajectory.steps.of_agent().values_list("source_index", "index"):
        looked = round(rng.lognormvariate(9, 0.7))
        item = Item(step=index, field="label", value=said[str(source)])
        offer = offers.get(index)
        if offer and offer.value == item["value"]:
            item["accepted"] = {"source": offer.source, "looked_ms": looked // 2}
        say(annotation, user, item, looked)
        seen.append(Look(index, looked, 1 + (rng.random() < 0.2), 0))
    looks.record(annotation.pk, user, uuid.uuid4(), seen)


def say(annotation: Annotation, user: User, item: Item, time_ms: int) -> None:
    """One answer, given so long after the one before."""
    outcome = labels.change(
        annotation.pk, user, [item], change=uuid.uuid4(), revision=annotation.revision, time_ms=time_ms
    )
    annotation.revision = outcome.revision
