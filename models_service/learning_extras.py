"""What a project's embedded scorer may learn of beside its usual features: nearness in meaning, and others' words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from annotations.models import Project
from annotations.records import TrajectoryRecord
from annotations.services import teaching_heard
from annotations.services.teaching_heard import Voice
from models_service.scorers import meaning, minilm, stacking
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.extras import MEANING, Extra
from models_service.scorers.stacking import Said, Source

logger = logging.getLogger(__name__)


def there(project: Project) -> list[Extra]:
    """All that can be had here now: an encoder that is installed, each judge and scorer that has spoken."""
    return [*_meaning(), *(_heard(project, one) for one in teaching_heard.voices(project))]


def kept(project: Project, artefact: dict[str, Any]) -> list[Extra]:
    """Those that an artefact has learned, as far as they can be had."""
    learned = artefact.get("stacked", artefact).get("trained_on", {}).get("extras", {})
    voices = [Voice(key, one["title"], one["labels"]) for key, one in learned.items() if key != MEANING]
    return [*_meaning(), *(_heard(project, one) for one in voices)]


def encoder_refused() -> str:
    """Why an encoder that is installed is not used; "" where it is, or where there is none."""
    try:
        minilm.installed()
    except UnfitModel as no:
        return str(no)
    return ""


def _meaning() -> list[Extra]:
    try:
        encoder = minilm.installed()
    except UnfitModel as no:
        logger.warning("nearness in meaning is left out: %s", no)
        return []
    return [meaning.extra(encoder)] if encoder else []


def _heard(project: Project, voice: Voice) -> Extra:
    def listen(rollouts: Sequence[TrajectoryRecord]) -> list[Said]:
        said = teaching_heard.heard(project, voice, rollouts[0].task.external_id)
        return [said.get(one.rollout, []) for one in rollouts]

    return stacking.extra(Source(voice.key, voice.title, voice.labels), listen)
