"""Rendering: ids and the places of verdicts are made together, whatever a trajectory's text contains."""

from __future__ import annotations

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.batches import Batch, batches, plan
from models_service.scorers.families.trl import TRL
from models_service.scorers.rendering import Rendered, neutral, texts

PROMPT = StepRecord("user", 0, message="2+2?")


class Letters:
    """A tokenizer whose ids a person can read: characters as their code points, and one special token."""

    bos_token_id: int | None = None
    added = {"<m>": 7}

    def get_added_vocab(self) -> dict[str, int]:
        return self.added

    def __call__(self, pieces: list[str], **options: bool) -> dict[str, list[list[int]]]:
        assert options["add_special_tokens"] is False
        return {"input_ids": [self._ids(piece) for piece in pieces]}

    def _ids(self, piece: str) -> list[int]:
        before, mark, after = piece.partition("<m>")
        return [*map(ord, before), *([7, *self._ids(after)] if mark else [])]


def record(*messages: str) -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=message) for number, message in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord("t"), (PROMPT, *steps))


def stepwise(one: TrajectoryRecord, separator: str = "\n", bos: int | None = None) -> Rendered:
    words = Letters()
    words.bos_token_id = bos
    return TRL(words, separator).render(next(texts(one)))


def text(ids: list[int]) -> str:
    return "".join(map(chr, ids))


def test_prompt_then_each_step_and_its_separator() -> None:
    rendered = stepwise(record("ab", "c"), "\n\v", bos=1)
    assert rendered.ids == [1, *map(ord, "2+2?"), *map(ord, "ab"), 10, 11, ord("c"), 10, 11]
    assert rendered.marks == [8, 11]
    assert rendered.begins == 8


def test_no_separator_stands_between_prompt_and_first_step() -> None:
    assert text(stepwise(record("ab")).ids) == "2+2?ab\n"


def test_a_separator_in_a_steps_text_is_not_a_place_of_judgement() -> None:
    rendered = stepwise(record("one\ntwo\n", "three"))
    assert text(rendered.ids) == "2+2?one\ntwo\n\nthree\n"
    assert rendered.marks == [len("2+2?one\ntwo\n"), len(rendered.ids) - 1]


def test_a_reserved_token_that_a_text_spells_out_is_broken() -> None:
    assert neutral("see <extra_0> and <extra_0>", {"<extra_0>", "\n", "  "}) == "see < extra_0> and < extra_0>"
    assert neutral("<<a>>", {"<a>", "< a>"}) == "<<  a>>"
    assert neutral("a\n\nb", {"\n\n", "\n"}) == "a\n\nb"
    rendered = stepwise(record("<m>", "<m>"), "<m>")
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
    [one] = texts(TrajectoryRecord(TaskRecord("t"), turns))
    assert one.prompt == "2+2?"
    assert "add" in one.steps[0] and "4" in one.steps[0]
    assert "add" in one.own[0] and "4" not in one.own[0]
    assert one.steps[1] == "Sure?\n\nYes."


def test_a_trajectory_without_agent_steps_has_nothing_to_judge() -> None:
    [one] = texts(TrajectoryRecord(TaskRecord("t"), (PROMPT,)))
    assert (one.places, stepwise(TrajectoryRecord(TaskRecord("t"), (PROMPT,))).marks) == ((), [])


def test_of_a_tree_each_step_is_judged_on_the_first_way_it_is_on() -> None:
    steps = (
        PROMPT,
        StepRecord("agent", 1, "root"),
        StepRecord("agent", 2, "left", parent=1),
        StepRecord("agent", 3, "right", parent=1),
    )
    left, right = texts(TrajectoryRecord(TaskRecord("t"), steps))
    assert (left.places, left.first) == ((1, 2), 0)
    assert (right.places, right.first) == ((1, 3), 1)


def test_batches_keep_to_the_budget_with_their_padding_and_leave_nothing_out() -> None:
    lengths = [5, 90, 7, 40, 6, 41, 200]
    made = list(batches(lengths, budget=100))
    assert sorted(place for batch in made for place in batch) == list(range(7))
    assert made == [[6], [1], [5, 3], [2, 4, 0]]


def sequence(length: int, beginning: int = 0, own: int = 0) -> Rendered:
    """`beginning` tokens that all have, then tokens of its own, judged at the last."""
    return Rendered([1] * beginning + [2 + own] * (length - beginning), [length - 1])


def test_a_groups_beginning_is_run_once_where_that_saves_enough() -> None:
    items = [sequence(120, 100, one) for one in range(3)] + [sequence(50, 0, 9)]
    made = list(plan(items, 1000, groups=["a", "a", "a", "b"]))
    assert made == [Batch([0, 1, 2], shared=100), Batch([3])]


@pytest.mark.parametrize(("beginning", "length"), [(20, 60), (100, 1000)], ids=["short", "a small part"])
def test_a_beginning_that_saves_little_is_not_shared(beginning: int, length: int) -> None:
    items = [sequence(length, beginning, one) for one in range(2)]
    assert all(not batch.shared for batch in plan(items, 10_000, groups=["a", "a"]))


def test_what_is_judged_is_never_in_the_shared_part() -> None:
    items = [Rendered([1] * 200, [99, 199]), Rendered([1] * 200 + [2], [99, 200])]
    assert [batch.shared for batch in plan(items, 1000, groups=["a", "a"])] == [98]


def test_sequences_of_very_different_lengths_are_packed_where_the_model_packs() -> None:
    items = [sequence(100), *(sequence(5, 0, one) for one in range(8))]
    assert [batch.packed for batch in plan(items, 1000, packs=True)] == [True]
    assert [batch.packed for batch in plan(items, 1000)] == [False]
    assert [batch.packed for batch in plan([sequence(90), sequence(100)], 1000, packs=True)] == [False]
