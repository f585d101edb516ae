"""Value models of agents: how much a step is worth, given all that was before it, through a server."""

from __future__ import annotations

from collections.abc import Sequence

from models_service.scorers.families.base import Said
from models_service.scorers.families.whole import WholeFamily


class AgentValue(WholeFamily):
    """A sequence classifier with one output, read at the end of (prompt with the history, the step's own words and
    calls) in the checkpoint's chat template: its estimate of the return, as it is (our reading of Process Reward Models
    for LLM Agents: Practical Framework and Directions, and of its code, sanjibanc/agent_prm, whose targets are
    Monte-Carlo returns from 0 to 1). What the step's calls brought back is not read: it is judged as it was taken."""

    name = "agent-value"
    title = "Agent value model (through a server)"
    source = "sanjibanc/agent_prm"
    range = (float("-inf"), float("inf"))
    probability = False

    def read(self, prompt: str, steps: Sequence[str], own: Sequence[str], count: int) -> list[int]:
        before = "\n\n".join([prompt, *steps[: max(0, count - 1)]])
        turns = [{"role": "user", "content": before}]
        if not count:
            return self.chat(turns, opening=True)
        return self.chat([*turns, {"role": "assistant", "content": own[count - 1]}])

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[0]) for row in rows]
