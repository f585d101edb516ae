"""The embedded scorer of a project: taught its labels where they suffice, else the shipped prior, and which it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from annotations.models import Project, ScorerArtefact
from annotations.services import projects, scores, teaching
from annotations.services.runs import Claim
from models_service.scorers import features
from models_service.scorers.embedded import EmbeddedScorer
from models_service.scorers.training import Examples, Lesson, examples, learn, too_few


def taught(claim: Claim) -> EmbeddedScorer:
    """The scorer for this run. run.result["model"] says which and why; a resumed run goes on with the same."""
    model = claim.run.result.get("model")
    if model is None:
        model = _choose(claim.run.project)
        claim.keep(model=model)
    if model["kind"] == "prior":
        return EmbeddedScorer()
    return EmbeddedScorer(ScorerArtefact.objects.get(pk=model["artefact"]).artefact)


def perform(claim: Claim) -> None:
    """A training run: learn what the labels are now, and have what is there scored with it. run.result["model"] says
    what came of it, and whether it is used. Told twice, it keeps the artefact of the first time."""
    claim.expect(1)
    model = claim.run.result.get("model") or _choose(claim.run.project)
    claim.check()
    with transaction.atomic():
        claim.keep(model=model)
        again = teaching.score_again(claim.run, model)
        if again:
            claim.keep(scoring=again.pk)
    claim.advance()


def _choose(project: Project) -> dict[str, Any]:
    if reason := _unfit_scheme(project):
        return {"kind": "prior", "reason": reason}
    data = examples(lessons(project))
    if reason := too_few(data):
        return {"kind": "prior", "reason": f"not enough labels: {reason}"}
    artefact = _learned(project, data)
    if not artefact.activated:
        reason = "what it learned from this project's labels does not beat the shape of a trajectory alone"
        return {"kind": "prior", "reason": reason, "report": artefact.report}
    return {"kind": "project", "artefact": artefact.pk, "report": artefact.report}


def _unfit_scheme(project: Project) -> str:
    main = projects.scheme_of(project.scheme).main_field
    if scores.is_teachable(main):
        return ""
    return f"learning is not applicable: no answer of the scheme's main field, “{main.title}”, calls a step wrong"


def _learned(project: Project, data: Examples) -> ScorerArtefact:
    """The artefact of exactly these labels; made where the newest one is of others."""
    newest = project.scorer_artefacts.order_by("-id").first()
    if newest and _of(newest.artefact) == (features.VERSION, data.digest):
        return newest
    model, report, activated = learn(data)
    return ScorerArtefact.objects.create(project=project, artefact=model.to_json(), report=report, activated=activated)


def _of(artefact: dict[str, Any]) -> tuple[int, str]:
    return artefact["version"], artefact["trained_on"]["sha256"]


def lessons(project: Project) -> Iterator[Lesson]:
    """The project's tasks with labels, each with all its rollouts."""
    for task, labels in sorted(scores.taught(project).items()):
        rollouts = scores.rollouts(project, [task])
        said = [_by_index(one, labels.get(one.id, {})) for one in rollouts]
        yield Lesson(tuple(one.record for one in rollouts), tuple(said))


def _by_index(rollout: scores.Rollout, labels: dict[int, int]) -> dict[int, int]:
    return {index: labels[step] for index, step in enumerate(rollout.steps) if step in labels}
