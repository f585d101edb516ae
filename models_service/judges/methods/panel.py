"""Several roles, one model: each judges as who it is said to be. A panel votes; in a debate each hears the others, as
often as there are rounds, before a last verdict is given on what was said."""

from __future__ import annotations

from collections.abc import Sequence

from annotations.judges import prompts
from models_service.judges.asked import Asking, Case, Judging, Verdict, together
from models_service.judges.methods import once, voting
from models_service.judges.methods.telling import told_of
from models_service.judges.prompting import Extra


def asking(judging: Judging, case: Case) -> Asking[Verdict]:
    """Each role once; the majority holds."""
    verdicts = yield from _round(judging, case, [""] * len(judging.settings.personas))
    made = voting.combined(case, verdicts, "majority")
    made.detail["personas"] = _by_persona(judging, case, verdicts)
    return made


def debate(judging: Judging, case: Case) -> Asking[Verdict]:
    """Each role, then each again with what the others said, then a verdict on the debate. Where that cannot be read the
    debate has no verdict: what the roles said stays in the detail."""
    heard = [""] * len(judging.settings.personas)
    rounds: list[list[Verdict]] = []
    for _ in range(judging.settings.rounds):
        rounds.append((yield from _round(judging, case, heard)))
        heard = [
            prompts.part("method-debate").filled(said=_of_others(judging, case, rounds[-1], place))
            for place in range(len(judging.settings.personas))
        ]
    said = _of_others(judging, case, rounds[-1], None)
    ruling = Extra(rules=prompts.part("method-ruling").filled(said=said))
    made = yield from once.asking(judging, case, number=len(rounds) * len(heard), extra=ruling)
    made.chances = voting.combined(case, rounds[-1], "majority").chances
    made.detail["rounds"] = [_by_persona(judging, case, one) for one in rounds]
    return made


def _round(judging: Judging, case: Case, heard: Sequence[str]) -> Asking[list[Verdict]]:
    asks = [
        once.asking(judging, case, number=number, extra=Extra(persona=f"You are {persona}.", rules=rules))
        for number, (persona, rules) in enumerate(zip(judging.settings.personas, heard, strict=True))
    ]
    return (yield from together(asks))


def _of_others(judging: Judging, case: Case, verdicts: Sequence[Verdict], but: int | None) -> str:
    """What the roles said, each under its name, but that one."""
    named = zip(judging.settings.personas, verdicts, strict=True)
    parts = [f"### {persona}\n\n{told_of(case, one)}" for place, (persona, one) in enumerate(named) if place != but]
    return "\n\n".join(parts)


def _by_persona(judging: Judging, case: Case, verdicts: Sequence[Verdict]) -> list[dict[str, str]]:
    named = zip(judging.settings.personas, verdicts, strict=True)
    return [{"persona": persona, "said": told_of(case, one)} for persona, one in named]
