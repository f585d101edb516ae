"""What is compared on the label page: rollouts of one task, steps that were tried at one place. They are shown in the
rater's own order and called by letters; which rollout a letter is, nobody is told."""

from __future__ import annotations

from annotations.models import Annotation, Trajectory
from annotations.schemes.fields import PreferenceField
from annotations.schemes.schema import Scheme
from annotations.services import around


def told(annotation: Annotation, scheme: Scheme) -> dict[str, list[int]]:
    """Who is compared, in the rater's order: the rollouts of the task under "", siblings under the first one's index.
    Empty where the scheme compares nothing; a first progressive pass compares no rollouts, for they show the end."""
    asked = [spec for spec in scheme.fields if isinstance(spec, PreferenceField)]
    found = {}
    if any(not spec.of_step for spec in asked) and annotation.frontier is None:
        found[""] = around.rollouts(annotation)
    if any(spec.of_step for spec in asked):
        found |= {str(first): group for first, group in around.siblings(annotation).items()}
    return found


def rollout(annotation: Annotation, scheme: Scheme, number: int) -> Trajectory | None:
    """The rollout of that number of the annotation's task; None where it is not one that the pass compares."""
    if number not in told(annotation, scheme).get("", []):
        return None
    return Trajectory.objects.live().filter(task=annotation.trajectory.task_id, rollout=number).first()
