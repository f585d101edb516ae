"""Rendering: ids and the places of verdicts are made together, whatever a trajectory's text contains."""

from __future__ import annotations

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.batches import batches
from models_service.scorers.rendering import neutral, stepwise, texts

PROMPT = StepRecord("user", 0, message="2+2?")


def encode(pieces: list[str]) -> list[list[int]]:
    """Characters as their code points: ids a person can read."""
    return [[ord(character) for character in piece] for piece in pieces]


def record(*messages: str) -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=message) for number, message in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord("t"), (PROMPT, *steps))


def text(ids: list[int]) -> str:
    return "".join(map(chr, ids))


def test_prompt_then_each_step_and_its_separator() -> None:
    rendered = stepwise(record("ab", "c"), encode, separator=[10, 11], bos=1)
    assert rendered.ids == [1, *map(ord, "2+2?"), *map(ord, "ab"), 10, 11, ord("c"), 10, 11]
    assert rendered.marks == [8, 11]
    assert rendered.indexes == [1, 2]


def test_no_separator_stands_between_prompt_and_first_step() -> None:
    assert text(stepwise(record("ab"), encode, separator=[10]).ids) == "2+2?ab\n"


def test_a_separator_in_a_steps_text_is_not_a_place_of_judgement() -> None:
    rendered = stepwise(record("one\ntwo\n", "three"), encode, separator=[10])
    assert text(rendered.ids) == "2+2?one\ntwo\n\nthree\n"
    assert rendered.marks == [len("2+2?one\ntwo\n"), len(rendered.ids) - 1]


def test_a_reserved_token_that_a_text_spells_out_is_broken() -> None:
    assert neutral("see <extra_0> and <extra_0>", {"<extra_0>", "\n", "  "}) == "see < extra_0> and < extra_0>"
    assert neutral("<<a>>", {"<a>", "< a>"}) == "<<  a>>"
    assert neutral("a\n\nb", {"\n\n", "\n"}) == "a\n\nb"
    rendered = stepwise(record("<m>", "<m>"), encode, separator=[7], reserved={"<m>"})
    assert text(rendered.ids).count("<m>") == 0
    assert rendered.ids.count(7) == len(rendered.marks) == 2


def test_calls_and_observations_are_part_of_the_step_and_later_user_turns_open_the_next() -> None:
    called = StepRecord(
        "agent",
        1,
        message="I add.",
        tool_calls=({"id": "1", "name": "add", "arguments": "{}"},),
        observations=({"content": "4"},),
    )
    turns = (PROMPT, called, StepRecord("user", 3, message="Sure?"), StepRecord("agent", 4, message="Yes."))
    prompt, steps = texts(TrajectoryRecord(TaskRecord("t"), turns))
    assert prompt == "2+2?"
    assert "add" in steps[0] and "4" in steps[0]
    assert steps[1] == "Sure?\n\nYes."


def test_a_trajectory_without_agent_steps_has_nothing_to_judge() -> None:
    rendered = stepwise(TrajectoryRecord(TaskRecord("t"), (PROMPT,)), encode, separator=[10])
    assert (rendered.marks, rendered.indexes) == ([], [])


def test_batches_keep_to_the_budget_with_their_padding_and_leave_nothing_out() -> None:
    lengths = [5, 90, 7, 40, 6, 41, 200]
    made = list(batches(lengths, budget=100))
    assert sorted(place for batch in made for place in batch) == list(range(7))
    assert made == [[6], [1], [5, 3], [2, 4, 0]]
