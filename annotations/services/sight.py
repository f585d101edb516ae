"""The steps that pages where people look may show. All of them come through `steps_of`."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping

from annotations.models import Membership, Step, Trajectory
from annotations.models.trajectories import StepQuerySet
from annotations.rendering.parts import parts
from annotations.services import reading, visibility
from annotations.services.axis import Axis


def steps_of(membership: Membership, trajectory: Trajectory) -> StepQuerySet:
    """The trajectory's steps that this member may read, in order."""
    found: StepQuerySet = trajectory.steps.all()
    return visibility.steps_visible_to(membership, found)


def window(membership: Membership, trajectory: Trajectory, first: int, last: int) -> list[Step]:
    """The steps with first ≤ index < last. One with an outline comes without its bodies: they may be megabytes."""
    return reading.light(steps_of(membership, trajectory).filter(index__gte=first, index__lt=last))


def texts(membership: Membership, trajectory: Trajectory, indexes: Collection[int]) -> Mapping[int, Mapping[str, str]]:
    """The texts of these steps by index and part, whole."""
    if not indexes:
        return {}
    found = steps_of(membership, trajectory).filter(index__in=indexes)
    return {step.index: {one.name: one.text for one in parts(step, pictures=False)} for step in found.iterator()}


def axis(membership: Membership, trajectory: Trajectory) -> Axis:
    steps = steps_of(membership, trajectory)
    agent = array("i", steps.of_agent().values_list("index", flat=True))
    last = steps.order_by("-index").values_list("index", flat=True).first() or 0
    return Axis(len(agent), last, agent)
