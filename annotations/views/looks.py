"""The door through which a label page tells how long it had each step in sight."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from annotations.models import User
from annotations.services import looks as service
from annotations.views.labels import Answer, door

MOST_ROWS = 2_000
Number = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Place = Annotated[int, Field(strict=True, ge=0, lt=2**31)]


class LooksBody(BaseModel):
    """Sums of one opening of the page so far: [step, ms in sight, visits, texts unfolded] of each step that changed."""

    model_config = ConfigDict(extra="forbid")
    page: UUID
    looks: list[tuple[Place, Number, Number, Number]] = Field(max_length=MOST_ROWS)


@door(LooksBody)
def looks(body: LooksBody, user: User, slug: str, annotation: int) -> Answer:
    told = [service.Look(*one) for one in body.looks]
    return {"changed": service.record(annotation, user, body.page, told, slug=slug)}
