"""Proofs in Lean as their tactics."""

from __future__ import annotations

from typing import Any

import pytest

from annotations import formats
from tests.unit.test_formats_agents import agents, items_of, records_of

THEOREM = {"full_name": "a.b", "url": "https://example.org", "file_path": "A.lean"}


def tactic(text: str, before: str, after: str, **more: Any) -> dict[str, Any]:
    return {"tactic": text, "state_before": before, "state_after": after} | more


def test_a_tactic_is_a_step_and_the_goals_after_it_its_observation():
    proof = [tactic("intro n", "⊢ p", "⊢ q"), tactic("simp", "⊢ q", "no goals"), tactic("rfl", "⊢ other", "no goals")]
    (record,) = records_of("lean", THEOREM | {"traced_tactics": proof})
    assert [(step.message, step.observations[0]["content"]) for step in agents(record)] == [
        ("intro n", "⊢ q"),
        ("simp", "no goals"),
        ("rfl", "no goals"),
    ]
    assert [step.extra for step in agents(record)] == [{}, {}, {"fields": {"state_before": "⊢ other"}}]
    assert (record.task.external_id, record.task.instruction, record.task.source) == (
        "a.b",
        "⊢ p",
        "https://example.org",
    )


def test_goals_may_be_lists_of_texts_or_of_objects():
    proof = [{"tactic": "split", "goals": ["⊢ a", {"pp": "⊢ b"}]}, {"tactic": "simp", "goals": []}]
    (record,) = records_of("lean", {"statement": "theorem t : a ∧ b", "tactics": proof, "proved": True})
    assert [step.observations[0]["content"] for step in agents(record)] == ["⊢ a\n\n⊢ b", "no goals"]
    assert (record.outcome, record.task.instruction) == ({"proved": True}, "theorem t : a ∧ b")


def test_tactics_that_name_the_one_before_make_a_tree():
    proof = [{"tactic": "a", "parent": None}, {"tactic": "b", "parent": 0}, {"tactic": "c", "parent": 0, "score": 0.5}]
    (record,) = records_of("lean", {"theorem": "t", "tactics": proof})
    assert [step.parent for step in record.steps] == [None, 0, 1, 1]
    assert record.steps[3].extra["values"] == {"score": 0.5}


def test_an_error_is_seen_beside_the_goals():
    (record,) = records_of("lean", {"theorem": "t", "tactics": [{"tactic": "simp", "error": "no progress"}]})
    assert [(one["name"], one["content"]) for one in record.steps[1].observations] == [("error", "no progress")]


@pytest.mark.parametrize(
    ("tactics", "field"),
    [
        ([], "tactics"),
        ([{"tactic": "a"}, {"tac": 1}], "tactics[1]"),
        ([{"tactic": "a", "parent": 3}], "tactics[0].parent"),
    ],
)
def test_a_wrong_tactic_is_named(tactics, field):
    ((problem,),) = [item.problems for item in items_of("lean", {"theorem": "t", "tactics": tactics})]
    assert (problem.field, "accepted" in problem.reason) == (field, True)


@pytest.mark.parametrize(
    "value", [{"steps": ["a"]}, {"steps": [{"tactic": "flank"}]}, {"proof": "simp"}, [], {"tactics": {}}]
)
def test_other_objects_are_not_taken_for_proofs(value):
    assert not formats.FORMATS["lean"].recognises(value)
