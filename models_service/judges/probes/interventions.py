"""The twelve interventions of "REFLECT" (meta-evaluation of judges by controlled interventions): one local edit each,
on a step that people call right. The paper was read in its abstract; its list of modes is our reading, and each can be
left out."""

from __future__ import annotations

from models_service.judges.probes import interventions_evidence as evidence
from models_service.judges.probes import interventions_reasoning as reasoning
from models_service.judges.probes import interventions_tools as tools
from models_service.judges.probes.base import Operator, Probe

PROBE = Probe(
    "interventions",
    "Interventions",
    "Does it find a mistake that was put into a right step, and where it is?",
    "REFLECT",
    (
        Operator("wrong_argument", "Wrong argument", single=tools.wrong_argument, level="tool use"),
        Operator("wrong_tool", "Wrong tool", single=tools.wrong_tool, level="tool use"),
        Operator("dropped_tool_result", "Dropped tool result", single=tools.dropped_tool_result, level="tool use"),
        Operator("redundant_call", "Redundant call", single=tools.redundant_call, level="tool use"),
        Operator("misquoted_evidence", "Misquoted evidence", single=evidence.misquoted_evidence, level="evidence"),
        Operator("invented_citation", "Invented citation", single=evidence.invented_citation, level="evidence"),
        Operator("swapped_source", "Swapped source", single=evidence.swapped_source, level="evidence"),
        Operator("unsupported_claim", "Unsupported claim", single=evidence.unsupported_claim, level="evidence"),
        Operator(
            "contradicted_constraint",
            "Contradicted constraint",
            single=reasoning.contradicted_constraint,
            level="reasoning",
        ),
        Operator("skipped_subgoal", "Skipped sub-goal", single=reasoning.skipped_subgoal, level="reasoning"),
        Operator("arithmetic_slip", "Arithmetic slip", single=reasoning.arithmetic_slip, level="reasoning"),
        Operator("early_stop", "Early stop", single=reasoning.early_stop, level="report"),
    ),
)
