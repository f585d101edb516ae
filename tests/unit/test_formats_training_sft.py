"""What of a labelled rollout is worth being learned, and which of its words count in the loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.formats import step_text, training
from annotations.formats.critiques import Critiques
from annotations.formats.sft import SFT
from annotations.records import Labelled
from tests.rollouts import agent, rollout, tree, user

MODES = ["cut", "keep", "corrected", "spliced"]


def rows(*rollouts: Labelled, **asked: Any) -> list[dict[str, Any]]:
    return list(SFT().rows(rollouts, asked))


def learned(row: dict[str, Any]) -> list[str]:
    """The stretches of the text that count."""
    return [row["text"][start:end] for start, end in row["loss_mask"]]


def said(row: dict[str, Any]) -> list[str]:
    return [one["content"] for one in row["messages"]]


def test_a_rollout_is_cut_before_its_first_error():
    labelled = rollout(agent(1, "a", "{}", "seen"), "b", "bad", "c", grades=[1, 1, -1, 1])
    (row,) = rows(labelled)
    assert said(row) == ["Q", "a", "seen", "b"]
    assert row["loss"] == [False, True, False, True]
    assert [one.get("weight") for one in row["messages"]] == [None, 1, None, 1]
    assert row["text"] == (
        'Q\n\na\n\n<tool_call>\n{"name":"look","arguments":"{}"}\n</tool_call>\n\n'
        "<tool_response>\nseen\n</tool_response>\n\nb"
    )
    assert learned(row) == ['a\n\n<tool_call>\n{"name":"look","arguments":"{}"}\n</tool_call>', "b"]


@pytest.mark.parametrize(("grades", "kept"), [([1, None, 1], ["Q", "a"]), ([1, 0, 1], ["Q", "a"]), ([None, 1], None)])
def test_a_step_that_nobody_called_right_ends_the_row_too(grades, kept):
    assert [said(row) for row in rows(rollout("a", "b", "c", grades=grades))] == ([kept] if kept else [])


def test_a_neutral_step_is_learned_where_that_is_asked():
    (row,) = rows(rollout("a", "b", "bad", grades=[1, 0, -1]), grade="0")
    assert learned(row) == ["a", "b"]


def test_steps_that_are_not_good_enough_can_be_read_without_loss():
    (row,) = rows(rollout("a", "bad", "b", "unknown", grades=[1, -1, 1, None]), mode="keep")
    assert said(row) == ["Q", "a", "bad", "b", "unknown"]
    assert row["loss"] == [False, True, False, True, False]
    assert learned(row) == ["a", "b"]
    assert rows(rollout("a", "bad", grades=[None, -1]), mode="keep") == []


def test_the_first_wrong_step_is_replaced_by_its_correction():
    labelled = rollout("a", "unknown", "bad", "c", grades=[1, None, -1, 1], corrections={3: "better", 4: "else"})
    (row,) = rows(labelled, mode="corrected")
    assert said(row) == ["Q", "a", "unknown", "better"]
    assert learned(row) == ["a", "better"]
    assert rows(rollout("bad", grades=[-1]), mode="corrected") == []
    assert rows(rollout("a", grades=[1], corrections={1: "better"}), mode="corrected") == []


def test_a_dead_end_goes_where_a_right_step_comes_back_from_it():
    labelled = rollout("a", agent(2, "bad", "{}", "nothing"), "lost", "back", "done", grades=[1, -1, 0, 1, 1])
    (row,) = rows(labelled, mode="spliced")
    assert said(row) == ["Q", "a", "back", "done"]
    assert learned(row) == ["a", "back", "done"]


@pytest.mark.parametrize(
    "labelled",
    [
        rollout("a", "b", grades=[1, 1]),  # there is no dead end
        rollout("a", "bad", "unknown", grades=[1, -1, None]),  # nobody says that it came back
        rollout("bad", "back", grades=[-1, 1], final=-1),  # it failed all the same
        rollout(agent(1, "bad"), user("No!", 2), agent(3, "back"), grades=[-1, 1]),  # somebody else brought it back
    ],
)
def test_nothing_is_spliced_where_no_step_came_back_by_itself(labelled):
    assert rows(labelled, mode="spliced") == []


def test_an_error_that_nothing_came_back_from_ends_a_spliced_row():
    (row,) = rows(rollout("bad", "back", "bad again", "lost", grades=[-1, 1, -1, 0]), mode="spliced")
    assert said(row) == ["Q", "back"]


def test_each_way_of_a_tree_is_a_row_and_equal_ones_are_one():
    labelled = tree((0, "a"), (1, "b"), (1, "c"), (1, "bad"), (1, "off"), grades={1: 1, 2: 1, 3: 1, 4: -1, 5: -1})
    assert [said(row) for row in rows(labelled)] == [["Q", "a", "b"], ["Q", "a", "c"], ["Q", "a"]]


def test_spans_count_code_points():
    (row,) = rows(rollout("🕳 deep", grades=[1], asked="Tiefe? 🤔"))
    assert (row["loss_mask"], learned(row)) == ([[10, 16]], ["🕳 deep"])


def test_a_picture_and_odd_arguments_become_text_of_one_shape():
    seen = ({"role": "tool", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]},)
    calls = ({"id": "c", "name": "look", "arguments": {"at": 1}}, {"id": "d", "name": "look", "arguments": "{broken"})
    step = agent(1, "a")
    step = type(step)(**vars(step) | {"observations": seen, "tool_calls": calls})
    (row,) = rows(rollout(step, grades=[1]))
    assert row["messages"][2] == {"role": "tool", "content": "a\n[image_url]"}
    assert [one["function"]["arguments"] for one in row["messages"][1]["tool_calls"]] == ['{"at":1}', "{broken"]


def critiques(labelled: Labelled, **asked: Any) -> list[dict[str, Any]]:
    return list(Critiques().rows([labelled], asked))


def test_a_critique_stands_with_its_step_and_the_refined_one():
    labelled = rollout("a", "bad", grades=[1, -1], explanations={2: "Off."}, corrections={2: "better"})
    (row,) = critiques(labelled)
    assert row == {
        "prompt": "Q\n\na",
        "response": "bad",
        "critique": "Off.",
        "refined": "better",
        "text": "Q\n\na\n\nbad\n\nOff.\n\nbetter",
        "loss_mask": [[11, 15], [17, 23]],
        "grade": -1,
        "by": "human:ada",
        "task": "task",
        "trajectory": "t",
        "step": 2,
    }
    assert learned(row) == ["Off.", "better"]
    assert learned(critiques(labelled, loss="refined")[0]) == ["better"]


def test_which_critiques_are_written_can_be_narrowed():
    labelled = rollout(
        "a", "b", "c", grades=[1, -1, -1], explanations={1: "Fine.", 2: "Off.", 3: " "}, corrections={1: "d", 3: "e"}
    )
    found = {kept: [row["step"] for row in critiques(labelled, kept=kept)] for kept in ("every", "refined", "wrong")}
    assert found == {"every": [1, 2], "refined": [1], "wrong": [2]}
    assert [row["step"] for row in critiques(labelled, loss="refined")] == [1]


WORDS = st.text(alphabet="ab \n🕳", max_size=4)


@st.composite
def labelled_rollouts(draw: st.DrawFn) -> Labelled:
    turns, grades, corrections = [], [], {}
    for place in range(1, draw(st.integers(1, 6)) + 1):
        if draw(st.integers(0, 4)) == 0:
            turns.append(user(draw(WORDS), place))
            continue
        answer = draw(st.sampled_from(["", "seen"]))
        turns.append(agent(place, draw(WORDS), draw(st.sampled_from(["", "{}"])), answer, reasoning=draw(WORDS)))
        grades.append(draw(st.sampled_from([1, 0, -1, None])))
        if draw(st.booleans()):
            corrections[place] = draw(WORDS)
    return rollout(*turns, grades=grades, corrections=corrections, final=draw(st.sampled_from([1, 0, -1, None])))


@given(labelled_rollouts(), st.sampled_from(MODES), st.sampled_from(["1", "0"]))
def test_only_words_of_the_agent_that_are_good_enough_count(labelled, mode, grade):
    good = {step_text.said(labelled.record.steps[place]) for place, one in labelled.grades.items() if one >= int(grade)}
    for row in rows(labelled, mode=mode, grade=grade):
        assert set(learned(row)) <= good | set(labelled.corrections.values())
        assert sum(row["loss"]) == sum(one.get("weight", 0) for one in row["messages"])
        assert all(
            one["role"] == "assistant" for one, counts in zip(row["messages"], row["loss"], strict=True) if counts
        )
        starts = [place for span in row["loss_mask"] for place in span]
        assert starts == sorted(starts) and starts[-1] <= len(row["text"])


@given(labelled_rollouts(), st.sampled_from(["1", "0"]))
def test_no_row_holds_anything_from_after_the_cut(labelled, grade):
    for row in rows(labelled, mode="cut", grade=grade):
        (line,) = training.lines_of(labelled)
        good = [place for place in line.agents if labelled.grades.get(place, -1) >= int(grade)]
        end = next(place for place in (*line.agents, 99) if place not in good)
        kept = [place for place in line.places if place < end]
        assert step_text.joined(line.steps, kept).startswith(row["text"])
        assert sum(one["role"] == "assistant" for one in row["messages"]) == sum(place < end for place in line.agents)
