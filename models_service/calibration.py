"""Calibrating a scorer on a project's labels: one run, nothing kept until the end."""

from __future__ import annotations

import numpy as np

from annotations.models import Project, Run, ScorerArtefact
from annotations.services import calibration, scores
from annotations.services.runs import Claim
from models_service import learning
from models_service.scorers.training import WRONG
from models_service.statistics.calibrating import CannotCalibrate
from models_service.statistics.calibration import calibrate


def perform(claim: Claim) -> None:
    """Fit the map that was asked for. ValueError, with the reason, where the labels do not decide one."""
    run = claim.run
    scored = Run.objects.get(pk=run.config["scored"], project=run.project)
    labels = scores.taught(run.project)
    claim.expect(1)
    table = calibration.table(scored, labels, _held_out(scored, labels))
    claim.check()
    digest = calibration.digest(labels)
    if table.out_of_fold and digest != calibration.digest(scores.taught(run.project)):
        raise ValueError("labels have changed while they were read; repeat the run")
    try:
        best, report = calibrate(table, run.config.get("method", ""))
    except CannotCalibrate as no:
        raise ValueError(f"{run.config['scorer']} is not calibrated: {no}") from no
    calibration.store(claim, best.parameters, report, digest)
    claim.advance()


def _held_out(scored: Run, labels: calibration.Labels) -> dict[int, float] | None:
    """P(not wrong) of each labelled step by a model that has not seen its task, where the run's model learnt from these
    labels: what it says of them itself would be too good. None where it did not."""
    model = scored.result.get("model") or {}
    if model.get("kind") != "project":
        return None
    right = 1 - learning.held_out(ScorerArtefact.objects.get(pk=model["artefact"]))[:, WRONG + 1]
    return dict(zip(_steps(scored.project, labels), np.clip(right, 0, 1).tolist(), strict=True))


def _steps(project: Project, labels: calibration.Labels) -> list[int]:
    """The ids of the labelled steps, in the order of the examples."""
    return [
        step
        for task, said in sorted(labels.items())
        for rollout in scores.rollouts(project, [task])
        for step, record in zip(rollout.steps, rollout.record.steps, strict=True)
        if record.source == "agent" and step in said.get(rollout.id, {})
    ]
