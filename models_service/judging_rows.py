"""What came of a question, as its row keeps it, and back."""

from __future__ import annotations

from annotations.models import JudgeCall
from annotations.services.judge_calls import Outcome
from models_service.judges.asked import Answer, Said, TokenChance, Unanswered, Usage


def outcome(said: Said) -> Outcome:
    """As its row is to keep it."""
    counts = said.usage
    known = {
        "prompt": counts.prompt,
        "completion": counts.completion,
        "cached": counts.cached,
        "reasoning": counts.reasoning,
        "latency_ms": said.latency_ms,
        "attempts": said.attempts,
    }
    if isinstance(said, Unanswered):
        state = JudgeCall.State.REFUSED if said.lasting else JudgeCall.State.FAILED
        return Outcome(state, error=said.reason, **known)  # type: ignore[arg-type]
    return Outcome(
        JudgeCall.State.ANSWERED,
        text=said.text,
        rung=said.rung,
        finish=said.finish,
        served_model=said.model,
        detail=_detail(said),
        **known,  # type: ignore[arg-type]
    )


def _detail(said: Answer) -> dict[str, object] | None:
    detail: dict[str, object] = {"refusal": said.refusal} if said.refusal else {}
    if said.tokens:
        detail["tokens"] = [[one.text, one.log, dict(one.top)] for one in said.tokens]
    return detail or None


def said_before(row: JudgeCall) -> Said:
    """What its row keeps, as if it were said now."""
    usage = Usage(row.prompt_tokens, row.completion_tokens, row.cached_tokens, row.reasoning_tokens)
    if row.state != JudgeCall.State.ANSWERED:
        lasting = row.state == JudgeCall.State.REFUSED
        return Unanswered(row.error, lasting, usage, row.latency_ms or 0, row.attempts)
    detail = row.detail or {}
    return Answer(
        text=row.answer,
        rung=row.rung,
        finish=row.finish,
        refusal=detail.get("refusal", ""),
        usage=usage,
        tokens=tuple(TokenChance(text, log, top) for text, log, top in detail.get("tokens", ())),
        model=row.served_model,
        latency_ms=row.latency_ms or 0,
        attempts=row.attempts,
    )
