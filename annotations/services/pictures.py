"""Pictures of stored steps: the bytes of one, and the last one before a step."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from django.db.models import F, Func, IntegerField, Q, QuerySet

from annotations.models import Step
from annotations.rendering import images
from annotations.rendering.images import Image
from annotations.rendering.outline import head, heads
from annotations.rendering.parts import Told, column, content_of, message_content, parts

LOOKED_BACK = 30  # steps in which the screen that a call means is looked for


class Picture(NamedTuple):
    """The picture of that number, from 1, in a text of a step."""

    step: int
    part: str
    number: int
    image: Image


def bytes_of(steps: QuerySet[Step], index: int, name: str, number: int) -> tuple[str, bytes]:
    """Media type and bytes of a picture in a text of one of `steps`; "" and b"" where there is none to be shown."""
    field = {"message": "extra", "observations": "observations"}.get(column(name), "")
    step = steps.only(field).filter(index=index).first() if field else None
    return in_step(step, name, number) if step else ("", b"")


def in_step(step: Told, name: str, number: int) -> tuple[str, bytes]:
    """The same of a picture in a text of this step."""
    place = int(name.partition("-")[2] or 0)
    content = message_content(step) if column(name) == "message" else _nth(list(step.observations), place)
    found = next(islice(images.sources(content), number - 1, None), None) if number > 0 else None
    return (images.described(found).media, images.bytes_of(found)) if found else ("", b"")


def of(step: Step) -> list[Picture]:
    """All pictures of a step that are shown, in reading order."""
    found = heads(step.outline) if step.outline is not None else map(head, parts(step))
    return [
        Picture(step.index, one.name, number, image)
        for one in found
        for number, image in enumerate(one.images, 1)
        if image.media
    ]


def before(trajectory_id: int, index: int) -> Picture | None:
    """The last picture before that step, if it is not too far back."""
    near = Step.objects.filter(trajectory_id=trajectory_id, index__lt=index, index__gte=index - LOOKED_BACK)
    named = [Q(**{f"{field}_at__gt": 0}) for field in ("observations", "extra")]
    marked = near.annotate(observations_at=_first("observations"), extra_at=_first("extra")).filter(named[0] | named[1])
    for step in marked.order_by("-index"):
        if found := of(step):
            return found[-1]
    return None


def _first(field: str) -> Func:
    """Where the word stands that is in every spelling of a picture."""
    return Func(
        Func(F(field), function="lower"), template="strpos(%(expressions)s, 'ima')", output_field=IntegerField()
    )


def _nth(observations: list[object], place: int) -> object:
    return content_of(observations[place]) if place < len(observations) else None
