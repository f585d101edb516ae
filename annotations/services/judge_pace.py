"""How fast a server may be asked, over all workers: two token buckets in one row, of requests and of tokens."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from annotations.judges.servers import Options
from annotations.models import Judge, JudgePace, JudgeServer, Run

ASKING = (Run.Kind.JUDGE, Run.Kind.PROBE, Run.Kind.RUBRICS)


def take(server: JudgeServer, tokens: int) -> float:
    """Take one request of so many tokens; 0.0, or how many seconds to wait before trying again, with nothing taken. A
    request of more tokens than a minute has waits for a full minute's worth, and takes the bucket below nothing."""
    options = Options.model_validate(server.options)
    limits = (options.requests_per_minute, options.tokens_per_minute)
    if limits == (None, None):
        return 0.0
    with transaction.atomic():
        row = _filled(server, *limits)
        lacking = [
            (min(wanted, limit) - there) / limit * 60.0
            for wanted, there, limit in zip((1, tokens), (row.requests, row.tokens), limits, strict=True)
            if limit is not None
        ]
        if (wait := max(lacking)) <= 0:
            row.requests -= 1
            row.tokens -= tokens
            wait = 0.0
        row.save(update_fields=["requests", "tokens", "at"])
    return wait


def _filled(server: JudgeServer, requests: int | None, tokens: int | None) -> JudgePace:
    """The server's row, locked, with what has come in since it was written; at first a minute's worth."""
    full = {"requests": float(requests or 0), "tokens": float(tokens or 0)}
    JudgePace.objects.get_or_create(server=server, defaults={**full, "at": Now()})
    row = JudgePace.objects.select_for_update().annotate(now=Now()).get(server=server)
    minutes = max(0.0, (row.now - row.at).total_seconds()) / 60.0
    row.requests = min(full["requests"], row.requests + full["requests"] * minutes)
    row.tokens = min(full["tokens"], row.tokens + full["tokens"] * minutes)
    row.at = row.now
    return row


def share(server: JudgeServer) -> int:
    """How many questions one run may have under way: the server's, divided among the runs that ask it now."""
    judges = list(Judge.objects.filter(server=server).values_list("pk", flat=True))
    asking = Run.objects.filter(kind__in=ASKING, state=Run.State.RUNNING, config__judge__in=judges).count()
    return max(1, Options.model_validate(server.options).at_once // max(1, asking))
