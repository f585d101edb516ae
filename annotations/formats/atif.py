"""ATIF 1.x, the agent trajectory interchange format: one JSON document a trajectory, read and written without loss.

`source_index` is the place in `steps`, from 0. ATIF has no place for labels: they stand in each step's own `extra`,
under "stepmark", and are read back from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import atif_steps, naming, solutions
from annotations.formats.base import LineFormat, Refused, found
from annotations.formats.loose import listed, mapping, without
from annotations.formats.turns import words
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

VERSION = re.compile(r"ATIF-v1(\.[0-9]+)*")
OURS = "stepmark"
WRITTEN = "ATIF-v1.6"


class ATIF(LineFormat, Writer):
    name = "atif"
    title = "ATIF 1.x (JSON, JSONL)"
    keeps = (
        "Everything: steps with reasoning, calls, results, metrics and content parts, the agent, references to "
        "continuations and sub-agents; labels in each step's extra."
    )
    loses = (
        "Nothing of ATIF; sub-agents inside a document are kept in it, and are no trajectories of their own. Trees are "
        "not written."
    )
    whole = True
    options = (
        Option(
            "labels",
            "Labels",
            "extra",
            (("extra", "In each step's extra"), ("none", "Not written")),
            "ATIF itself has no field for them.",
        ),
    )

    def recognises(self, value: Json) -> bool:
        return words(value, "schema_version").startswith("ATIF-") and "steps" in value

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        version = row.get("schema_version")
        if not isinstance(version, str) or not VERSION.fullmatch(version):
            raise Refused("schema_version", f"found {found(version)}; accepted are ATIF-v1.0 and later versions 1.x")
        steps = row.get("steps")
        if not isinstance(steps, list) or not steps:
            raise Refused("steps", f"found {found(steps)}; accepted is a list of steps")
        made = tuple(atif_steps.step_of(one, place, OURS) for place, one in enumerate(steps))
        if not any(step.source == "agent" for step in made):
            raise Refused("steps", "found no step of source agent, so there is no step to label; accepted is one")
        agent = mapping(row.get("agent"))
        ours = mapping(mapping(row.get("extra")).get(OURS))
        fields = _fields(row)
        return TrajectoryRecord(
            task=_task(made, agent, ours),
            steps=made,
            external_id=_name(row, agent),
            policy_model=words(agent, "model_name")[:200],
            outcome={"metrics": row["final_metrics"]} if row.get("final_metrics") is not None else None,
            meta=_meta(row, agent),
            extra={"keys": [key for key in row if key in fields or key == "steps"], "fields": fields},
            rating=_rating(steps, ours),
        )

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for one in rollouts:
            row = self._row(one.record)
            yield row if asked.get("labels") == "none" else _labelled(row, one)

    def _row(self, record: TrajectoryRecord) -> dict[str, Json]:
        if "schema_version" in record.meta and all(atif_steps.ORDER in step.extra for step in record.steps):
            steps = [atif_steps.row_of(step) for step in record.steps]
            fields = record.extra["fields"] | {"steps": steps}
            return {key: fields[key] for key in record.extra["keys"] if key in fields}
        return _foreign(record)


def _task(steps: Sequence[StepRecord], agent: dict[str, Any], ours: dict[str, Any]) -> TaskRecord:
    asked = next((step.message for step in steps if step.source == "user"), "")
    return TaskRecord(
        external_id=words(ours, "task")[: naming.NAME]
        or (naming.hashed(asked) if asked else naming.hashed(steps[0].message)),
        instruction=asked,
        reference=ours.get("reference"),
        tools=agent.get("tool_definitions"),
    )


def _name(row: dict[str, Any], agent: dict[str, Any]) -> str:
    """The trajectory's own id, else its session's under the agent's name: a session has one of several agents, and the
    parts of a trajectory that goes on in another file share it."""
    if own := words(row, "trajectory_id"):
        return own[: naming.NAME]
    session, part = words(row, "session_id"), mapping(agent.get("extra")).get("continuation_index")
    if not session:
        return ""
    after = f"/continuation-{part}" if isinstance(part, int) and part else ""
    return f"{words(agent, 'name')[:80]}/{session}{after}"[: naming.NAME]


def _meta(row: dict[str, Any], agent: dict[str, Any]) -> dict[str, Json]:
    part = mapping(agent.get("extra")).get("continuation_index")
    said = {
        "schema_version": row["schema_version"],
        "continued_in": row.get("continued_trajectory_ref"),
        "continuation": part if isinstance(part, int) and part else None,
    }
    return {key: one for key, one in said.items() if one is not None}


def _fields(row: dict[str, Any]) -> dict[str, Json]:
    """The document without its steps, and without the final label, which is written anew."""
    fields, extra = without(row, "steps"), row.get("extra")
    if isinstance(extra, dict) and isinstance(extra.get(OURS), dict):
        label = without(extra[OURS], "final", "explanation")
        kept = extra | {OURS: label} if label else without(extra, OURS)
        return fields | {"extra": kept} if kept else without(fields, "extra")
    return fields


def _rating(steps: list[Json], ours: dict[str, Any]) -> RatingRecord | None:
    said = {place: mapping(mapping(one.get("extra")).get(OURS)) for place, one in enumerate(steps)}
    agents = {place for place, one in enumerate(steps) if one.get("source") == "agent"}
    labels = {place: one["label"] for place, one in said.items() if one.get("label") is not None}
    if wrong := sorted(labels.keys() - agents):
        raise Refused(
            f"steps[{wrong[0]}].extra.{OURS}.label", "found a label; accepted are labels of the agent's steps"
        )
    final = ours.get("final")
    if not labels and final is None:
        return None
    texts = {place: words(one, "explanation") for place, one in said.items() if place in labels}
    explained = {place: one for place, one in texts.items() if one}
    return RatingRecord(labels, final, explained, words(ours, "explanation") if final is not None else "")


def _labelled(row: dict[str, Json], one: Labelled) -> dict[str, Json]:
    rating = one.record.rating or RatingRecord()
    steps = list(row["steps"])
    for place, step in enumerate(one.record.steps):
        label = rating.steps.get(step.source_index, one.grades.get(place))
        if label is not None and place < len(steps):
            why = one.explanations.get(place) or rating.explanations.get(step.source_index)
            steps[place] = _with(steps[place], {"label": label} | ({"explanation": why} if why else {}))
    row = row | {"steps": steps}
    final = one.final if rating.final is None else rating.final
    if final is None:
        return row
    why = rating.final_explanation
    return _with(row, {"final": final} | ({"explanation": why} if why else {}))


def _with(row: dict[str, Json], said: dict[str, Json]) -> dict[str, Json]:
    extra = mapping(row.get("extra"))
    return row | {"extra": extra | {OURS: mapping(extra.get(OURS)) | said}}


def _foreign(record: TrajectoryRecord) -> dict[str, Json]:
    """A trajectory of another format. What ATIF has no field for stands in the document's extra. Raises Refused."""
    if (count := len(list(solutions.ways(record.steps)))) > 1:
        raise Refused("a tree", f"found a tree with {count} ends; accepted are steps that follow one another")
    agent: dict[str, Json] = {"name": record.policy_model or "unknown", "version": "unknown"}
    agent |= {"model_name": record.policy_model} if record.policy_model else {}
    tools = [one for one in listed(record.task.tools) if isinstance(one, dict)]
    more = {
        "task": record.task.external_id,
        "source": record.task.source,
        "reference": record.task.reference,
        "rollout": record.rollout,
        "outcome": record.outcome,
        "meta": record.meta,
    }
    return {
        "schema_version": WRITTEN,
        "session_id": record.external_id or f"{record.task.external_id}:{record.rollout or 0}",
        "agent": agent | ({"tool_definitions": tools} if tools else {}),
        "steps": [atif_steps.foreign(step, place + 1) for place, step in enumerate(record.steps)],
        "extra": {OURS: {key: one for key, one in more.items() if one not in (None, "", {})}},
    }
