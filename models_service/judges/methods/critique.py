"""A verification, a critique of it from another side, and a verdict on both (DeepCritic: a critique of the critique;
SPARK: meta-critique. Read from their abstracts.)."""

from __future__ import annotations

from dataclasses import replace

from annotations.judges import prompts
from models_service.judges import prompting, rendering, replies
from models_service.judges.asked import Answer, Asking, Case, Judging, Verdict
from models_service.judges.methods import once
from models_service.judges.methods.telling import told_of
from models_service.judges.prompting import Extra

LONGEST = 8_000  # characters of a critique that are passed on


def asking(judging: Judging, case: Case) -> Asking[Verdict]:
    """Where the critique says nothing the verification stands; that is told."""
    first = yield from once.asking(judging, case)
    if first.failed:
        return first
    said = told_of(case, first)
    asked = prompting.prompted(
        judging, case, case.arounds, extra=Extra(rules=prompts.part("method-critique").filled(said=said))
    )
    wish = {**asked.messages[-1], "content": f"{asked.messages[-1]['content']}\n\n{WISH}"}
    (answer,) = yield [replies.question(judging, (*asked.messages[:-1], wish), purpose="critique")]
    if not isinstance(answer, Answer) or answer.refusal or not answer.text.strip():
        first.detail["critique"] = {"failed": replies.silence(answer)}
        return first
    critique = rendering.plain(answer.text)[:LONGEST]
    both = prompts.part("method-second").filled(said=f"{said}\n\n### The critique\n\n{critique}")
    last = yield from once.asking(_again(judging), case, number=1, extra=Extra(rules=both))
    last.detail |= {"first": said, "critique": critique}
    return last


WISH = "Do not write the JSON now. Write your critique of the verification above, in words."


def _again(judging: Judging) -> Judging:
    """The last verdict has been thought about already."""
    return replace(judging, settings=judging.settings.model_copy(update={"thinks_first": False}))
