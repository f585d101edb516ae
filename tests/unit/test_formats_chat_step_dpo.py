"""Step-DPO rows become two rollouts that share their right steps, and labels become such rows."""

from __future__ import annotations

from typing import Any

import pytest

from annotations.formats.base import Refused
from annotations.formats.step_dpo import StepDPO
from annotations.records import Labelled, StepRecord, TaskRecord, TrajectoryRecord
from tests.unit.test_formats_chat import records

SHARED = "I try.\nStep 1: 24 / 3 = 8.\nStep 2: Eight pieces.\n"
ROW = {"prompt": "How many cuts?", "chosen": "Seven.", "rejected": "Eight.", "initial_reason_steps": SHARED}


def test_the_shared_steps_and_the_chosen_one_are_right_and_the_rejected_one_is_wrong():
    chosen, rejected = records(ROW, "step-dpo")
    texts = [step.message for step in chosen.steps]
    assert texts == ["How many cuts?", "I try.\nStep 1: 24 / 3 = 8.\n", "Step 2: Eight pieces.\n", "Seven."]
    assert chosen.steps[:-1] == rejected.steps[:-1] and rejected.steps[-1].message == "Eight."
    assert chosen.rating and rejected.rating and chosen.rating.scheme == "step-dpo"
    assert (chosen.rating.steps, rejected.rating.steps) == ({1: 1, 2: 1, 3: 1}, {1: 1, 2: 1, 3: -1})
    assert (chosen.task, chosen.outcome, rejected.outcome) == (rejected.task, {"preferred": True}, {"preferred": False})


@pytest.mark.parametrize(
    ("shared", "steps"),
    [
        ("", ["Seven."]),
        ("Step 1:", ["Step 1:Seven."]),
        ("Step 1: a\nStep 2: ", ["Step 1: a\n", "Step 2: Seven."]),
        ("**Step 1:** a\n\n**Step 2:**", ["**Step 1:** a\n\n", "**Step 2:**Seven."]),
        ("No headings here. ", ["No headings here. ", "Seven."]),
        ("### Step 1: a\nsee Step 9: no\n", ["### Step 1: a\nsee Step 9: no\n", "Seven."]),
    ],
)
def test_the_shared_text_is_cut_at_its_headings_and_the_last_one_belongs_to_what_follows(shared, steps):
    chosen, _ = records(ROW | {"initial_reason_steps": shared}, "step-dpo")
    assert [step.message for step in chosen.steps[1:]] == steps
    assert written(*records(ROW | {"initial_reason_steps": shared}, "step-dpo")) == [
        ROW | {"initial_reason_steps": shared}
    ]


def written(*rollouts: TrajectoryRecord, grades: Any = None) -> list[dict[str, Any]]:
    made = []
    for place, record in enumerate(rollouts):
        said = dict(record.rating.steps.items()) if record.rating else {}
        made.append(Labelled(record, said if grades is None else grades[place]))
    return list(StepDPO().rows(made, {}))


def test_what_is_written_is_what_is_said_now_and_not_what_the_file_said():
    rollouts = records(ROW, "step-dpo")
    (row,) = written(*rollouts, grades=[{1: 1, 2: 1, 3: -1}, {1: 1, 2: 1, 3: 1}])
    assert (row["chosen"], row["rejected"]) == ("Eight.", "Seven.")
    assert written(*rollouts, grades=[{}, {}]) == []


def test_rollouts_of_other_formats_are_written_with_their_steps_a_paragraph_each():
    def rollout(last: str) -> TrajectoryRecord:
        texts = ["Add.", last]
        steps = [StepRecord("user", 0, "Q"), *(StepRecord("agent", at, text) for at, text in enumerate(texts, 1))]
        return TrajectoryRecord(TaskRecord("t"), tuple(steps))

    rows = written(rollout("Three."), rollout("Four."), grades=[{1: 1, 2: -1}, {1: 1, 2: 1}])
    assert rows == [{"prompt": "Q", "initial_reason_steps": "Add.\n\n", "chosen": "Four.", "rejected": "Three."}]


def test_the_answer_the_set_and_whole_solutions_are_kept():
    chosen, _ = records(ROW | {"dataset": "made", "answer": "7", "full_chosen": "Seven, then."}, "step-dpo")
    assert (chosen.task.source, chosen.task.reference) == ("made", "7")
    assert chosen.extra["fields"]["full_chosen"] == "Seven, then."


def test_a_side_that_is_no_text_is_named():
    with pytest.raises(Refused) as refused:
        list(StepDPO().records(ROW | {"rejected": None}))
    assert refused.value.field == "rejected" and not StepDPO().recognises(ROW | {"rejected": None})
