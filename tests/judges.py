"""Builders for judges: a server, a judge that asks it, a run that holds its place."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models.functions import Now

from annotations.judges.settings import Settings
from annotations.models import Judge, JudgeServer, Project, Run
from annotations.services import judges
from annotations.services.judge_calls import Asked, Asking
from annotations.services.runs import Claim
from tests.make import _numbers

PRICES = {
    "version": "2026-11",
    "currency": "USD",
    "models": {"dear": {"prompt": 3_000_000, "completion": 15_000_000, "cached": 300_000}},
}


def server(url: str = "http://127.0.0.1:9/v1", *, prices: Any = None, **options: Any) -> JudgeServer:
    name = f"server-{next(_numbers)}"
    return JudgeServer.objects.create(name=name, title=name, url=url, options=options, prices=prices)


def judge(
    project: Project, on: JudgeServer | None = None, *, name: str = "", model: str = "tiny", **fields: Any
) -> Judge:
    """`prompt` and `prompt_name` may be given; everything else is a setting."""
    told = {"prompt": fields.pop("prompt", "Label the steps."), "prompt_name": fields.pop("prompt_name", "own")}
    return judges.make(
        project,
        None,
        name=name or f"judge-{next(_numbers)}",
        server=on or server(),
        model=model,
        settings=Settings.model_validate(fields),
        **told,
    )


def run(judge: Judge) -> Run:
    """A run that a worker holds."""
    made = judges.start(judge, None)
    Run.objects.filter(pk=made.pk).update(state=Run.State.RUNNING, claim=uuid.uuid4(), beat_at=Now())
    made.refresh_from_db()
    return made


def claim(judge: Judge) -> Claim:
    return Claim(run(judge))


def asking(judge: Judge) -> Asking:
    return Asking(run(judge), judge.server, judge.model, judge)


def question(number: int = 1, **fields: Any) -> Asked:
    """3,000 characters in, 100 tokens out at most: of "dear" that may cost 3,000 + 1,500 millionths."""
    told = {"key": f"{number:064x}", "purpose": "verdict", "content": {"messages": []}, "characters": 3_000}
    return Asked(**{**told, "max_tokens": 100, **fields})
