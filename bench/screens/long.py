"""A project with one rollout of sixty steps: two people have labelled it, a third is at its first error."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from annotations import jobs
from annotations.demo import load
from annotations.models import Annotation, Membership, Project, Role, Run, User
from annotations.services import imports, labels, members, projects, queue, setup
from annotations.services.outcomes import Item
from bench.screens import people, repair

HASTY = {3: 0, 24: 0, 37: 1, 60: 1}  # where the second person says something else, by the number of the step
READ = 20  # how many steps the third has labelled


def build(lead: User) -> dict[str, object]:
    """Fill the database. Returns the rows that addresses name."""
    project = projects.create(slug="repairs", title="Repairs of a package", owner=lead)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nightly.jsonl"
        path.write_bytes(repair.line())
        imports.import_trajectories(project, [path], by=lead)
    setup.change(project, lead, overlap=3)
    project.refresh_from_db()
    said = repair.verdicts()
    _label(_begun(project, "maya", lead), said, final=-1)
    _label(_begun(project, "tomas", lead), [HASTY.get(step, one) for step, one in enumerate(said, start=1)], final=0)
    reading = _begun(project, "uma", lead)
    _say(reading, said[:READ])
    jobs.run_here(jobs.start(Run.Kind.SCORE, project, lead, scorer="embedded"))
    return {"long": reading.pk, "long_told": reading.trajectory_id}


def _begun(project: Project, name: str, lead: User) -> Annotation:
    """The pass of somebody who joins the project for it."""
    person = load.person(name)
    members.add(project, person, Role.ANNOTATOR, Membership.objects.get(project=project, user=lead))
    annotation = queue.lease_next(project, person)
    assert annotation
    return annotation


def _label(annotation: Annotation, values: Sequence[int], final: int) -> None:
    """Answer every step, mark the correction, and hand in."""
    user = _say(annotation, values)
    put_right = annotation.trajectory.steps.of_agent()[repair.correction() - 1].index
    people.say(annotation, user, Item(step=put_right, field="correction", value=True), 2000)
    people.say(annotation, user, Item(step=None, field="final", value=final), 4000)
    labels.submit(annotation.pk, user, change=uuid.uuid4(), revision=annotation.revision)


def _say(annotation: Annotation, values: Sequence[int]) -> User:
    """Label the first steps; whose pass it is."""
    user = annotation.rater.user
    assert user
    for step, value in zip(annotation.trajectory.steps.of_agent(), values, strict=False):
        people.say(annotation, user, Item(step=step.index, field="label", value=value), 4000)
    return user
