"""Trees of a search: of thoughts (ToT) or by Monte Carlo (MCTS), with visits, values and priors, every branch in it."""

from __future__ import annotations

import re
from typing import Any

from annotations.formats import naming
from annotations.formats.base import LineFormat, Refused, found
from annotations.formats.search_nodes import PARENTS, ROOTS, TAGGED, Node, nodes_of
from annotations.formats.turns import number, with_values
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

QUESTIONS = ("question", "problem", "query", "prompt", "input", "x", "instruction", "task")
REFERENCES = ("answer", "gold", "ground_truth", "gt", "gold_answer", "target", "reference")
ANSWERS = ("prediction", "final_answer", "pred", "best_answer", "model_answer", "extracted_answer")
NAMES = ("task_id", "id", "uid", "question_id", "idx", "index")
TEXTS = (
    "step",
    "text",
    "content",
    "thought",
    "action",
    "response",
    "output",
    "completion",
    "y",
    "pcd",
    "solution",
    "state",
)
VALUES = {
    "q": ("q", "Q", "q_value", "Q_value", "qvalue", "mean_value"),
    "value": ("value", "V", "v", "score"),
    "visits": ("visits", "N", "n", "visit_count", "num_visits", "numVisits", "n_visits"),
    "prior": ("prior", "P", "p", "prior_p", "prior_prob", "prior_probability"),
    "reward": ("reward", "r"),
}
_NUMBERS = {key: name for name, keys in VALUES.items() for key in keys}
_ACTION = re.compile(r"(\w{1,100})\[(.*)\]", re.DOTALL)


class SearchTree(LineFormat):
    """A lone root is what was asked; each other node is a step, tried after the one it hangs on. A node that repeats
    the words of its parent before its own is given its own."""

    name = "search-tree"
    title = "Search trees (ToT, MCTS)"
    keeps = (
        "Every node with its place in the tree, its words, q, value, visits, prior and reward, and what else it has."
    )
    loses = "Nothing."

    def recognises(self, value: Json) -> bool:
        try:
            nodes = nodes_of(value)
        except Refused:
            return isinstance(value, dict) and bool(value.keys() & {"nodes", *ROOTS, *TAGGED})
        rest = nodes[1:21] if len(nodes) > 1 else nodes
        valued = any(key in _NUMBERS for node in nodes[:21] for key in node.said)
        named = isinstance(value, dict) and ("children" not in value or valued)
        return named and bool(rest) and any(_texts(node.said)[0] for node in rest)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        nodes = nodes_of(row)
        if not nodes:
            raise Refused("", f"found {found(row)}; accepted is an object with a tree, a root or a list of nodes")
        lone = sum(node.parent is None for node in nodes) == 1
        question = _first(row, QUESTIONS) or (_texts(nodes[0].said)[0] if lone else "")
        if lone and len(nodes) == 1:
            raise Refused(nodes[0].where, "found a root without children, so there is no step to label")
        name = next((naming.name(row, key) for key in NAMES if row.get(key) is not None), "")
        answer = next((row[key] for key in ANSWERS if row.get(key) is not None), None)
        taken = {*QUESTIONS, *REFERENCES, "model", "nodes", "steps", "children", *ROOTS, *TAGGED}
        fields = {key: value for key, value in row.items() if key not in taken}
        fields |= {key: row[key] for key in QUESTIONS if key in row and row[key] != question}
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=name or naming.hashed(question),
                instruction=question,
                reference=next((row[key] for key in REFERENCES if row.get(key) is not None), None),
            ),
            steps=_steps(nodes, question, lone),
            policy_model=_first(row, ("model",))[:200],
            outcome=None if answer is None else {"answer": answer},
            extra={"fields": fields},
        )


def _steps(nodes: list[Node], question: str, lone: bool) -> tuple[StepRecord, ...]:
    """What was asked, at place 0, and the nodes, each at the place that it has in the file and one more."""
    asked = _rest(nodes[0].said) if lone else {}
    steps = [StepRecord("user", 0, question, extra={"fields": asked} if asked else {})]
    offset = 0 if lone else 1
    for at, node in enumerate(nodes):
        if lone and not at:
            continue
        parent = 0 if node.parent is None else node.parent + offset
        above = nodes[node.parent].said if node.parent is not None else {}
        steps.append(_step(node, above, parent))
    return tuple(steps)


def _step(node: Node, above: dict[str, Any], parent: int) -> StepRecord:
    text, key = _texts(node.said)
    own = _own(text, _texts(above)[0])
    state = node.said.get("state")
    said = node.said | state if isinstance(state, dict) else node.said
    action, seen = said.get("action"), said.get("observation")
    fields = _rest(node.said) | ({key: text} if own != text else {})
    step = StepRecord(
        source="agent",
        source_index=node.place + 1,
        message=own,
        tool_calls=(_call(action),) if isinstance(action, str) and action and key != "action" else (),
        observations=({"role": "tool", "content": seen},) if seen not in (None, "") else (),
        extra={"fields": fields} if fields else {},
        parent=parent,
    )
    return with_values(step, {_NUMBERS[key]: value for key, value in node.said.items() if key in _NUMBERS})


def _texts(said: dict[str, Any]) -> tuple[str, str]:
    """The words of a node, and under what key they stand."""
    state = said.get("state")
    for key in TEXTS:
        for one in (said, state if isinstance(state, dict) else {}):
            if isinstance(value := one.get(key), str) and value:
                return value, key
    return "", ""


def _own(text: str, above: str) -> str:
    """What a node adds, where it repeats its parent's words first."""
    added = text[len(above) :].lstrip("\n") if above and text.startswith(above) else text
    return added or text


def _rest(said: dict[str, Any]) -> dict[str, Any]:
    """What a node says beyond its words, its numbers and its place in the tree."""
    words_at = _texts(said)[1]
    told = {"children", "observation", *PARENTS}
    told |= {key for key in (words_at, "action") if isinstance(said.get(key), str)}
    return {key: value for key, value in said.items() if key not in told and not (key in _NUMBERS and number(value))}


def _call(action: str) -> dict[str, Json]:
    """An action as a call: Search[tea] is one of Search."""
    match = _ACTION.fullmatch(action.strip())
    return {"id": "", "name": match[1] if match else "", "arguments": match[2] if match else action}


def _first(row: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((row[key] for key in keys if isinstance(row.get(key), str) and row[key]), "")
