"""Having a project's embedded scorer learn: on request, and by itself as passes are handed in; then scoring again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from annotations import jobs
from annotations.models import Event, Project, Run, User
from annotations.services import history

EMBEDDED = "embedded"


def start(project: Project, by: User | None, **config: Any) -> Run:
    """Begin to learn; the run that is at it already where there is one."""
    while True:
        if at_it := Run.objects.open().filter(project=project, kind=Run.Kind.TRAIN).first():
            return at_it
        try:
            return jobs.start(Run.Kind.TRAIN, project, by, since=_newest_event(project), **config)
        except jobs.Busy:  # begun by somebody else between these two lines
            continue


def noticed(project: Project) -> Run | None:
    """Learn again where enough passes were handed in since it last began to: for after a pass is submitted. Only where
    the embedded scorer is used, which is where it has scored."""
    every = settings.EMBEDDED_RETRAIN_EVERY
    if every <= 0 or not is_used(project):
        return None
    last = _trainings(project).defer("result").order_by("-id").first()  # a result can be long
    if last and not last.is_over:
        return None
    since = last.config.get("since", 0) if last else 0
    handed_in = Event.objects.filter(project=project, verb=history.SUBMIT, pk__gt=since)
    if handed_in.order_by("-id")[:every].count() < every:
        return None
    return start(project, None, because=f"{every} passes were handed in")


def score_again(run: Run, model: dict[str, Any]) -> Run | None:
    """After a training run: score what there is with what was learned, where the scores there are came of another model
    and nobody is at it. `model` is what a scoring run would use now."""
    newest = newest_scoring(run.project)
    if newest is None or _same(newest.result.get("model") or {}, model):
        return None
    scoring = Run.objects.scoring().open().filter(project=run.project, config__scorer=EMBEDDED)
    if scoring.exclude(state=Run.State.PAUSED).exists():
        return None
    return jobs.start(Run.Kind.SCORE, run.project, run.created_by, scorer=EMBEDDED)


def is_used(project: Project) -> bool:
    """Whether the embedded scorer has scored the project."""
    return _scorings(project).exists()


def newest_scoring(project: Project) -> Run | None:
    """The newest scoring run of the embedded scorer that is done."""
    return _scorings(project).order_by("-id").first()


def newest(project: Project) -> Run | None:
    """The newest training run."""
    return _trainings(project).order_by("-id").first()


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one.get("kind"), one.get("artefact")) == (other.get("kind"), other.get("artefact"))


def _scorings(project: Project) -> QuerySet[Run]:
    return Run.objects.scoring().filter(project=project, state=Run.State.DONE, config__scorer=EMBEDDED)


def _trainings(project: Project) -> QuerySet[Run]:
    return Run.objects.filter(project=project, kind=Run.Kind.TRAIN)


def _newest_event(project: Project) -> int:
    return Event.objects.filter(project=project).order_by("-id").values_list("pk", flat=True).first() or 0
