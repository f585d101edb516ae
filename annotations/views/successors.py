"""The door at which a label page asks where its item went when it is gone."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from pydantic import BaseModel, ConfigDict, Field

from annotations.models import User
from annotations.services import successors
from annotations.views.labels import MOST_ITEMS, Answer, Place, door


class SaidBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: Place | None
    field: str = Field(max_length=80)
    value: Any


class StepsBody(BaseModel):
    """The steps of which something waits to be sent, and what."""

    model_config = ConfigDict(extra="forbid")
    steps: list[Place] = Field(max_length=MOST_ITEMS)
    said: list[SaidBody] = Field(default=[], max_length=2 * MOST_ITEMS)


@door(StepsBody)
def successor(body: StepsBody, user: User, slug: str, annotation: int) -> Answer:
    """`steps` are [index, number, index there or null]; `annotation` is null where it went nowhere: it is still there,
    or never was the person's. `said` is null where the scheme is the same; else it says of each answer that waits what
    becomes of it."""
    steps = [step for step in body.steps if step < 2**31]
    moved = successors.follow(annotation, user, steps, slug=slug)
    if moved is None:
        return {"annotation": None}
    return {
        "annotation": moved.annotation.pk,
        "url": reverse("annotate", args=[slug, moved.annotation.pk]),
        "steps": [[index, place.number, place.to] for index, place in moved.steps.items()],
        "labels": moved.labels,
        "said": successors.under_new_scheme(moved, [(one.step, one.field, one.value) for one in body.said]),
    }
