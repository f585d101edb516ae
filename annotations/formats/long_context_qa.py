"""Questions over long contexts that trajectories are made of: what the agent found out, or where it went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import numbered, step_text, training
from annotations.formats.training import Line
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

ASK = Option(
    "ask",
    "What is asked",
    "answer",
    (
        ("answer", "The task's question, over all that tools answered"),
        ("first-error", "Which step is the first wrong one"),
        ("both", "Both"),
    ),
)
FIRST_ERROR = "Which step is the first that is wrong? Answer with its number, or with none if no step is wrong."
MOST = 100  # places where an answer stands that are listed


class LongContextQA(Writer):
    """Kind `answer`: the context is every observation of a rollout that is labelled right as a whole, each text once,
    the question the task's, and the answer the one that the rollout came to. `evidence` are the stretches of the
    context where the answer stands, in code points; there is none where it stands nowhere as it is. `sources` says
    which step each observation is of, and its grade.

    Kind `first-error`: the context is the trajectory with numbered steps, and the answer the number of the first wrong
    one, which is the evidence. Written only where that is known: every step before the first wrong one is graded, or
    every step is and none is wrong."""

    name = "long-context-qa"
    title = "Questions over long contexts (JSONL)"
    keeps = "The observations or numbered steps as one context, the question, the answer, and where it stands."
    loses = "Rollouts that failed or whose verdict is not known (kind answer), and labels after the first error."
    purpose = "fine-tuning"
    options = (ASK,)
    graded = False

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        ask = training.usual(self.options, asked)["ask"]
        for labelled in rollouts:
            for line in training.lines_of(labelled):
                if ask in ("answer", "both") and (row := _answer(line)):
                    yield row
                if ask in ("first-error", "both") and (row := _first_error(line)):
                    yield row


def _answer(line: Line) -> dict[str, Json] | None:
    question, answer = line.labelled.record.task.instruction, _came_to(line)
    context, sources = _observations(line)
    if line.final != 1 or not (context and question.strip() and answer.strip()):
        return None
    evidence = [
        {"start": hit.start(), "end": hit.end(), "step": one["step"]}
        for one in sources
        for hit in re.compile(re.escape(answer.strip()), re.IGNORECASE).finditer(context, one["start"], one["end"])
    ]
    return _row(line, "answer", question, context, sources, evidence[:MOST], answer)


def _came_to(line: Line) -> str:
    """What the file calls the rollout's answer, else what the agent said last."""
    outcome = line.labelled.record.outcome
    said = outcome.get("answer") if isinstance(outcome, dict) else None
    if isinstance(said, str) and said.strip():
        return said
    last = line.steps[line.agents[-1]] if line.agents else None
    return last.message if last and not last.tool_calls else ""


def _observations(line: Line) -> tuple[str, list[dict[str, Json]]]:
    """All that tools answered as one text, and where each answer stands in it. What was said before is not repeated."""
    text = ""
    found: list[dict[str, Json]] = []
    seen: set[str] = set()
    for place in line.agents:
        for one in line.steps[place].observations:
            said = step_text.content(one)
            if said.strip() and said not in seen:
                seen.add(said)
                text += "\n\n" if text else ""
                found.append(_source(line, place, len(text), len(text) + len(said)))
                text += said
    return text, found


def _first_error(line: Line) -> dict[str, Json] | None:
    wrong = line.first_error
    known = line.agents if wrong is None else line.agents[: line.agents.index(wrong)]
    if not line.agents or any(place not in line.grades for place in known):
        return None
    context, spans = numbered.steps(line.steps, line.places)
    sources = [_source(line, place, *spans[place]) for place in line.agents]
    evidence = [{key: one[key] for key in ("start", "end", "step")} for one in sources if one["step"] == wrong]
    return _row(line, "first-error", FIRST_ERROR, context, sources, evidence, "none" if wrong is None else str(wrong))


def _source(line: Line, place: int, start: int, end: int) -> dict[str, Json]:
    return {"step": place, "start": start, "end": end, "grade": line.grades.get(place)}


def _row(
    line: Line, kind: str, question: str, context: str, sources: Json, evidence: Json, answer: str
) -> dict[str, Json]:
    return {
        "kind": kind,
        "question": question,
        "context": context,
        "sources": sources,
        "evidence": evidence,
        "answer": answer,
        "task": line.labelled.record.task.external_id,
        "trajectory": line.name,
    }
