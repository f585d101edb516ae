"""The embedded scorer of a project: taught its labels where they suffice, else the shipped prior, and which it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from annotations.models import Project, ScorerArtefact
from annotations.services import projects, scores, teaching
from annotations.services.runs import Claim
from models_service import learning_extras
from models_service.scorers import features, linear
from models_service.scorers.deciding import learn
from models_service.scorers.drift import Drift
from models_service.scorers.embedded import EmbeddedScorer
from models_service.scorers.linear import tempered
from models_service.scorers.training import Examples, Lesson, examples, too_few
from models_service.scorers.training import held_out as cross_fitted

LOOKED_AT = 500  # tasks of a project whose steps are compared with those that were learned from


def taught(claim: Claim) -> EmbeddedScorer:
    """The scorer for this run. run.result["model"] says which and why; a resumed run goes on with the same."""
    model = claim.run.result.get("model")
    if model is None:
        model = _choose(claim.run.project)
        claim.keep(model=model)
    return _scorer(claim.run.project, model)


def _scorer(project: Project, model: dict[str, Any]) -> EmbeddedScorer:
    if model["kind"] == "prior":
        return EmbeddedScorer()
    artefact = ScorerArtefact.objects.get(pk=model["artefact"]).artefact
    return EmbeddedScorer(artefact, learning_extras.kept(project, artefact))


def perform(claim: Claim) -> None:
    """A training run: learn what the labels are now, and have what is there scored with it. run.result["model"] says
    what came of it, and whether it is used. Told twice, it keeps the artefact of the first time."""
    claim.expect(1)
    model = claim.run.result.get("model") or _choose(claim.run.project)
    if refused := learning_extras.encoder_refused():
        model |= {"encoder_refused": refused}
    claim.check()
    drift = _drift(claim, model) if model["kind"] == "project" else None
    with transaction.atomic():
        claim.keep(model=model, drift=drift)
        again = teaching.score_again(claim.run, model)
        if again:
            claim.keep(scoring=again.pk)
    claim.advance()


def _drift(claim: Claim, model: dict[str, Any]) -> dict[str, Any]:
    """How the project's steps lie beside the labelled ones it learned from; of a large project a part, evenly drawn."""
    project = claim.run.project
    scorer, tasks = _scorer(project, model), scores.tasks(project)
    drift = Drift(scorer.model)
    for task in tasks[:: max(1, len(tasks) // LOOKED_AT)]:
        claim.check()
        records = [one.record for one in scores.rollouts(project, [task])]
        drift.add(scorer.plainly(records))
    return drift.report()


def _choose(project: Project) -> dict[str, Any]:
    if reason := _unfit_scheme(project):
        return {"kind": "prior", "reason": reason}
    data = examples(lessons(project), learning_extras.there(project))
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
    if newest and _of(newest.artefact) == (features.VERSION, linear.FORMAT, data.digest):
        return newest
    found = learn(data)
    return ScorerArtefact.objects.create(
        project=project, artefact=found.to_json(), report=found.report, activated=found.activated
    )


def _of(artefact: dict[str, Any]) -> tuple[int, str, str]:
    return artefact["version"], artefact["format"], artefact["trained_on"]["sha256"]


def held_out(artefact: ScorerArtefact) -> NDArray[np.float64]:
    """The probabilities of -1, 0 and 1 that models like the artefact's, which have not seen the task, give each step
    that is labelled now, in the order of the lessons; by the part that listens to others where there is one."""
    document = artefact.artefact.get("stacked") or artefact.artefact
    data = examples(lessons(artefact.project), learning_extras.kept(artefact.project, artefact.artefact))
    names = next(
        one for one in (document["names"], artefact.artefact["names"], features.NAMES) if set(one) <= set(data.columns)
    )
    _, chances = cross_fitted(data, data.places(names))
    return tempered(chances, document["temperature"])


def lessons(project: Project) -> Iterator[Lesson]:
    """The project's tasks with labels, each with all its rollouts."""
    for task, labels in sorted(scores.taught(project).items()):
        rollouts = scores.rollouts(project, [task])
        said = [_by_index(one, labels.get(one.id, {})) for one in rollouts]
        yield Lesson(tuple(one.record for one in rollouts), tuple(said))


def _by_index(rollout: scores.Rollout, labels: dict[int, int]) -> dict[int, int]:
    return {index: labels[step] for index, step in enumerate(rollout.steps) if step in labels}
