"""ToolBench answers: the search tree of a query, with every branch that was given up, or its chains, try by try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import chat, lines, naming
from annotations.formats.base import LabelRecord, Refused, ValueFormat, found
from annotations.formats.loose import listed, mapping
from annotations.formats.turns import member, with_values, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

THOUGHT, ACTION, INPUT = "Thought", "Action", "Action Input"
TOLD = frozenset(["children", "description", "observation", "Elo", "node_type", "child_count"])
LEFT_OUT = frozenset(["tree", "trys", "compare_candidates", "answer_generation", "win"])


class ToolBenchTree(ValueFormat):
    """A turn of the agent is a chain of nodes: what it thought, what it called, with what. A thought that was looked
    at by itself, before anything was called, is a turn of its own."""

    name = "toolbench-tree"
    title = "ToolBench trees and chains"
    keeps = (
        "Every branch with thoughts, calls and results; what was pruned, ended or finished; the answer, win, tools. "
        "Each try of a chain is a rollout."
    )
    loses = "The paths as training messages and as candidates, which repeat the tree."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("answer_generation"), dict):
            return False
        tries = listed(value.get("trys"))
        return "node_type" in member(member(value, "tree"), "tree") or any(
            isinstance(mapping(one).get("chain"), list) for one in tries[:1]
        )

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        tries = value.get("trys") if isinstance(value, dict) and "tree" not in value else None
        return (self.record(value),) if not isinstance(tries, list) or not tries else _each(value, tries)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        root = member(member(row, "tree"), "tree") if isinstance(row, dict) else {}
        if not isinstance(root.get("children"), list):
            raise Refused("tree.tree", f"found {found(row)}; accepted is an object with the root of a tree there")
        answer = member(row, "answer_generation")
        told = {
            "answer": _answer(answer.get("final_answer")),
            "resolved": row.get("win"),
            "finish_type": answer.get("finish_type"),
        }
        return _record(row, root, told, "tree.tree")


def _each(row: dict[str, Any], tries: list[Json]) -> Iterator[TrajectoryRecord | Refused]:
    """A rollout a try. The answer of the file is that of the first try that ends with it."""
    final = member(row, "answer_generation").get("final_answer")
    for place, one in enumerate(tries):
        field = f"trys[{place}].chain"
        nodes = mapping(one).get("chain")
        try:
            if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
                raise Refused(field, f"found {found(nodes)}; accepted is a list of nodes")
            last = nodes[-1].get("description") if nodes else None
            told = {"answer": _answer(final if last == final else None), "resolved": mapping(one).get("win")}
            yield _record(row, _chained(nodes), told, field)
        except Refused as refused:
            yield refused


def _chained(nodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A root with the nodes below it, one below the other."""
    below: list[dict[str, Any]] = []
    for node in reversed(nodes):
        below = [node | {"children": below}]
    return {"children": below}


def _record(row: dict[str, Any], root: dict[str, Any], told: dict[str, Json], field: str) -> TrajectoryRecord:
    answer = member(row, "answer_generation")
    query = words(answer, "query") or _told(answer, "user")
    steps = _opening(answer, query)
    _grow(root, steps)
    if steps[-1].source != "agent":
        raise Refused(f"{field}.children", "found no turn of the agent, so there is no step to label")
    tools = answer.get("function")
    fields = {key: value for key, value in row.items() if key not in LEFT_OUT}
    counts = {key: value for key, value in answer.items() if key in ("valid_data", "query_count", "total_tokens")}
    return TrajectoryRecord(
        task=TaskRecord(naming.hashed([query, tools]), source="toolbench", instruction=query, tools=tools or None),
        steps=tuple(steps),
        outcome=told,
        extra={"fields": fields | counts},
    )


@dataclass
class _Chain:
    """The nodes of a turn, from `place` on; nodes are numbered as they stand in the file, the root being 0."""

    place: int
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def step(self, parent: int) -> StepRecord:
        thoughts = [words(node, "description") for node in self.nodes if node.get("node_type") == THOUGHT]
        actions = [node for node in self.nodes if node.get("node_type") == ACTION]
        inputs = [node.get("description") for node in self.nodes if node.get("node_type") == INPUT]
        name = words(actions[0], "description") if actions else ""
        called = {"id": "", "name": name, "arguments": inputs[0] if inputs else ""}
        seen = [node["observation"] for node in self.nodes if node.get("observation") not in (None, "")]
        last = self.nodes[-1]
        step = StepRecord(
            source="agent",
            source_index=self.place + 1,
            message="\n".join(filter(None, thoughts)),
            tool_calls=(called,) if actions or inputs else (),
            observations=tuple({"role": "tool", "name": name, "content": one} for one in seen),
            extra={"fields": {key: value for key, value in last.items() if key not in TOLD}},
            parent=parent,
        )
        return with_values(step, {"elo": last.get("Elo")})


def _opening(answer: dict[str, Any], query: str) -> list[StepRecord]:
    """What the agent was told: places 0 and 1, so that the root's stands for the query."""
    system = _told(answer, "system")
    return [*([StepRecord("system", 0, system)] if system else []), StepRecord("user", 1, query)]


def _told(answer: dict[str, Any], role: str) -> str:
    paths = answer.get("train_messages")
    first = paths[0] if isinstance(paths, list) and paths else None
    for message in first if isinstance(first, list) else ():
        if words(message, "role") == role:
            return chat.text_of(message.get("content"))
    return ""


def _grow(root: dict[str, Any], steps: list[StepRecord]) -> None:
    """The steps of all nodes below the root, each after the one it was tried after, siblings in their order."""
    number = 0
    waiting: list[tuple[Json, int, _Chain | None]] = [(one, len(steps) - 1, None) for one in reversed(_below(root))]
    while waiting:
        node, parent, chain = waiting.pop()
        number += 1
        if not isinstance(node, dict):
            raise Refused(f"tree.tree: node {number}", f"found {found(node)}; accepted is an object")
        chain = chain or _Chain(number)
        chain.nodes.append(node)
        ends = _ends(node)
        if ends:
            steps.append(chain.step(parent))
            parent = len(steps) - 1
        waiting.extend((one, parent, None if ends else chain) for one in reversed(_below(node)))


def _below(node: dict[str, Any]) -> list[Json]:
    children = node.get("children")
    return children if isinstance(children, list) else []


def _ends(node: dict[str, Any]) -> bool:
    """Whether the turn ends with this node."""
    below = _below(node)
    if node.get("node_type") not in (THOUGHT, ACTION) or len(below) != 1:
        return True
    expanded = node.get("expand_num")
    return words(below[0], "node_type") == THOUGHT or (node["node_type"] == THOUGHT and expanded not in (None, 0))


def _answer(final: Json) -> Json:
    """The words of the answer, which stand in a JSON text; that text where it is none."""
    if not isinstance(final, str) or not final:
        return final or None
    line = lines.parse(1, final.encode(errors="replace"))
    return words(line.value, "final_answer") or final
