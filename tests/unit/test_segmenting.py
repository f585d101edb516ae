"""A message can be cut into smaller steps; nothing of it is lost, and it can be put together again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.formats import chat
from annotations.records import RatingRecord, StepRecord, TaskRecord, TrajectoryRecord
from annotations.segmenting import KEPT, PARTS, TITLES, WAYS, cuts, joined, joined_steps, part_of, segmented

TEXT_WAYS = [cuts.paragraphs, cuts.numbered, cuts.sentences, cuts.thoughts]


def pieces(cut, text: str) -> list[str]:
    return [text[start:end] for start, end in cut(text)]


def record(*messages: dict, **fields) -> TrajectoryRecord:
    return TrajectoryRecord(TaskRecord("task"), chat.steps_of(list(messages)), **fields)


def agent(content="", calls=(), **fields) -> dict:
    said = {"role": "assistant", "content": content}
    if calls:
        function = [{"name": name, "arguments": json.dumps(given)} for name, given in calls]
        said["tool_calls"] = [{"id": one["name"], "type": "function", "function": one} for one in function]
    return said | fields


USER = {"role": "user", "content": "Question.\n\nMore of it."}


# What is a piece


def test_a_paragraph_ends_at_a_blank_line():
    assert pieces(cuts.paragraphs, "One.\nStill one.\n\n\nTwo.") == ["One.\nStill one.\n\n\n", "Two."]


@pytest.mark.parametrize("heading", ["## Plan", "**Plan**", "**Plan:**", "Plan\n===="])
def test_a_heading_is_one_with_what_follows_it(heading):
    assert pieces(cuts.paragraphs, f"{heading}\n\nDo it.\n\nDone.") == [f"{heading}\n\nDo it.\n\n", "Done."]


def test_what_is_indented_belongs_to_the_paragraph_before():
    assert pieces(cuts.paragraphs, "- item\n\n    more of it\n\nNext") == ["- item\n\n    more of it\n\n", "Next"]


@pytest.mark.parametrize(
    "block",
    [
        "```python\na = 1\n\nb = 2. Then\n1. c\n2. d\n```",
        "~~~\n```\n\nx. Y z. W\n~~~",
        "$$\nx = 1.\n\nY = 2. Then\n$$",
        "\\[ a. B\n\n c. D \\]",
        "\\begin{align}\nx. Y\n\nz. W\n\\end{align}",
        "| a | b |\n|---|---|\n| x. Y z. | w. V |\n",
        "<table><tr><td>a. B\n\n</td></tr></table>",
    ],
)
@pytest.mark.parametrize("cut", TEXT_WAYS)
def test_code_maths_and_tables_are_never_cut(cut, block):
    text = f"Before this. And that.\n\n{block}\n\nAfter it. And more."
    assert any(block.strip() in one for one in pieces(cut, text))


def test_code_that_is_not_closed_goes_on_to_the_end():
    assert pieces(cuts.paragraphs, "So:\n\n```\na\n\nb") == ["So:\n\n", "```\na\n\nb"]


@pytest.mark.parametrize(
    "mark",
    ["Step {}:", "**Step {}:**", "### Step {}\n", "Step {}.", "step {})", "Step {} - ", "[Step {}]", "Step {} (setup):"]
    + ["{}. ", "{}) ", "({}) ", "**{}.** ", "Schritt {}:", "步骤{}："],
)
def test_numbered_steps_have_many_dialects(mark):
    found = [f"{mark.format(number)} do {number}\nand more\n" for number in (1, 2, 3)]
    assert pieces(cuts.numbered, "First a word.\n" + "".join(found)) == ["First a word.\n", *found]


def test_numbers_that_do_not_count_up_are_no_steps():
    assert len(pieces(cuts.numbered, "It was in\n2019. That year\n2. was\n7. odd")) == 1


def test_a_list_within_a_headed_step_is_no_step_of_its_own():
    assert len(pieces(cuts.numbered, "Step 1: list\n1. a\n2. b\nStep 2: go")) == 2


def test_the_word_step_in_a_sentence_is_no_heading():
    assert len(pieces(cuts.numbered, "Step 1: look\nStep 1 is done, so\nStep 2: go")) == 2


def test_items_under_an_item_stay_with_it():
    assert pieces(cuts.numbered, "1. a\n   1. b\n   2. c\n2. d") == ["1. a\n   1. b\n   2. c\n", "2. d"]


def test_sentences_are_cut_and_abbreviations_and_decimals_are_not():
    assert pieces(cuts.sentences, "Dr. Low has 3.5 cats. She likes them.") == [
        "Dr. Low has 3.5 cats. ",
        "She likes them.",
    ]


def test_the_number_of_an_item_is_one_with_its_first_sentence():
    assert pieces(cuts.sentences, "1. Look there. Then go.\n2. Stop.") == ["1. Look there. ", "Then go.\n", "2. Stop."]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"),
        ("<Thinking>", "</Thinking>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("[THINK]", "[/THINK]"),
    ],
)
def test_a_thought_ends_with_its_tag(opening, closing):
    text = f"{opening}\nHm. So.\n\nYes.\n{closing}\n\nFour."
    assert pieces(cuts.thoughts, text) == [text.removesuffix("Four."), "Four."]
    unopened = text.removeprefix(opening)
    assert pieces(cuts.thoughts, unopened) == [unopened.removesuffix("Four."), "Four."]


def test_every_way_keeps_a_thought_apart():
    for cut in TEXT_WAYS:
        assert pieces(cut, "<think>a</think>b") == ["<think>a</think>", "b"]


# What a record becomes


def test_thinking_is_apart_from_what_is_said_and_done():
    made = segmented(record(USER, agent("Four.", [("add", {})], reasoning_content="Hm.")), "thought").record
    assert [(step.reasoning, step.message, len(step.tool_calls)) for step in made.steps[1:]] == [
        ("Hm.", "", 0),
        ("", "Four.", 1),
    ]


def test_a_call_is_a_step_with_what_came_back_of_it():
    answers = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("b", "a", "lost")]
    made = segmented(record(USER, agent("Both.", [("a", {}), ("b", {})]), *answers), "tool_call").record
    first, second = made.steps[1:]
    assert (first.message, first.tool_calls[0]["name"], [one["content"] for one in first.observations]) == (
        "Both.",
        "a",
        ["a"],
    )
    assert (second.message, [one["content"] for one in second.observations]) == ("", ["b", "lost"])


def test_a_part_says_what_it_is_a_part_of():
    made = segmented(record(USER, agent("One.\n\nTwo."), agent("Whole.")), "paragraph").record
    _, one, two, whole = made.steps
    assert part_of(one) == {"of": 1, "number": 1, "many": 2, "text": "message", "start": 0, "end": 6}
    assert part_of(two) == {"of": 1, "number": 2, "many": 2, "text": "message", "start": 6, "end": 10}
    assert (part_of(whole), whole.source_index, whole.extra) == (None, 2, {})
    assert made.extra[KEPT] == "paragraph"


def test_the_numbers_of_parts_are_those_of_no_message():
    made = segmented(record(USER, agent("One.\n\nTwo."), agent("A.\n\nB.\n\nC.")), "paragraph").record
    indexes = [step.source_index for step in made.steps]
    assert len(set(indexes)) == len(indexes) and [one for one in indexes if one < PARTS] == [0]


def test_only_the_agent_is_cut():
    assert len(segmented(record(USER, agent("One.")), "paragraph").record.steps) == 2


def test_a_message_with_a_picture_stays_whole():
    shown = [{"type": "text", "text": "One.\n\nTwo."}, {"type": "image_url", "image_url": {"url": "x"}}]
    assert len(segmented(record(USER, agent(shown)), "paragraph").record.steps) == 2
    assert len(segmented(record(USER, agent(shown[:1])), "paragraph").record.steps) == 3


def test_numbers_of_a_message_are_those_of_no_part():
    step = StepRecord("agent", 0, "One.\n\nTwo.", extra={"values": {"reward": 1}})
    made = segmented(TrajectoryRecord(TaskRecord("task"), (step,)), "paragraph")
    assert not any("values" in one.extra for one in made.record.steps)
    assert joined_steps(made.record.steps) == (step,)


def test_a_tree_stays_a_tree():
    steps = (
        StepRecord("agent", 0, "A.\n\nB."),
        StepRecord("agent", 1, "C.\n\nD.", parent=0),
        StepRecord("agent", 2, "E.", parent=0),
        StepRecord("agent", 3, "F.", parent=1),
    )
    cut = segmented(TrajectoryRecord(TaskRecord("task"), steps), "paragraph").record
    assert [step.parent for step in cut.steps] == [None, 0, 1, 2, 1, 3]
    assert joined(cut).steps == steps


def test_segmenting_again_begins_with_the_messages():
    original = record(USER, agent("One. Two.\n\nThree."))
    once = segmented(original, "sentence").record
    assert segmented(once, "paragraph").record == segmented(original, "paragraph").record
    assert segmented(once, "message").record == original


def test_a_message_has_the_label_that_all_its_parts_have():
    cut = segmented(record(USER, agent("A.\n\nB."), agent("C.\n\nD."), agent("E.\n\nF."), agent("G.")), "paragraph")
    a, b, c, d, e, _, g = [step.source_index for step in cut.record.steps[1:]]
    said = RatingRecord(
        steps={a: 1, b: 1, c: 1, d: -1, e: 1, g: 0}, final=1, explanations={a: "so", b: "and so", g: "well"}
    )
    whole = joined(TrajectoryRecord(cut.record.task, cut.record.steps, rating=said)).rating
    assert whole is not None
    assert (whole.steps, whole.final) == ({1: 1, 4: 0}, 1)
    assert whole.explanations == {1: "so\nand so", 4: "well"}


def test_the_first_parts_of_a_message_are_written_as_its_beginning():
    cut = segmented(record(USER, agent("One.\n\nTwo.", [("a", {})], name="Ann")), "paragraph").record
    assert chat.messages_of(cut.steps[:2]) == [USER, {"role": "assistant", "content": "One.\n\n", "name": "Ann"}]


@pytest.mark.parametrize("way", WAYS)
def test_messages_are_written_as_they_were_read(way):
    messages = [
        {"role": "system", "content": "Be good."},
        USER,
        agent("<think>a. B.\n\nc</think> One. Two.\n\n1. Three\n2. Four", [("a", {"x": 1}), ("b", {})], refusal=None),
        {"role": "tool", "tool_call_id": "b", "content": "late"},
        {"role": "tool", "tool_call_id": "a", "content": "early"},
        agent(None, [("c", {}), ("d", {})], reasoning_content="Hm. Well.\n\nSo."),
        {"role": "tool", "tool_call_id": "c", "content": "c"},
        {"role": "user", "content": "On."},
        {"role": "tool", "tool_call_id": "d", "content": "d"},
        agent([{"type": "text", "text": "One.\n\nTwo."}, "Three. Four."]),
    ]
    made = segmented(record(*messages), way).record
    assert chat.messages_of(made.steps) == messages
    assert [json.loads(one) for one in chat.texts_of(made.steps)] == messages


TEXTS = st.text(st.sampled_from("aB1.$`|\\[]()-#*<>/ \n\t\r~:é步😀")) | st.lists(
    st.sampled_from(["Step 1: a\n", "1. b\n", "2. c\n", "\n\n", "A b. ", "```\n", "$$", "<think>", "</think>", "|-|\n"])
).map("".join)


@given(TEXTS, st.sampled_from(TEXT_WAYS))
def test_the_pieces_of_any_text_joined_are_the_text(text, cut):
    found = cut(text)
    assert "".join(text[start:end] for start, end in found) == text
    assert len(found) < 2 or all(text[start:end].strip() for start, end in found)


CALLS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3)
TURNS = st.builds(
    lambda said, thought, calls: agent(said, [(name, {}) for name in calls], reasoning_content=thought),
    TEXTS | st.none(),
    TEXTS,
    CALLS,
) | st.builds(
    lambda name, said: {"role": "tool", "tool_call_id": name, "content": said}, st.sampled_from("abcd"), st.text()
)


@given(st.lists(TURNS, max_size=5), st.sampled_from(sorted(WAYS)))
def test_any_record_joined_is_the_record(turns, way):
    original = record(agent("Begin."), *turns)
    cut = segmented(original, way)
    assert joined(cut.record) == original
    assert chat.messages_of(cut.record.steps) == [agent("Begin."), *turns]
    assert [place for places in cut.places for place in places] == list(range(len(cut.record.steps)))


JSON = st.recursive(st.none() | st.integers(-2, 3) | st.text(max_size=2), lambda one: st.lists(one, max_size=2))


@given(st.lists(st.dictionaries(st.sampled_from(["of", "number", "many", "observed", "values"]), JSON), max_size=4))
def test_what_a_file_calls_parts_never_breaks_the_joining(told):
    steps = [StepRecord("agent", place, "x", observations=({},), extra={"part": one}) for place, one in enumerate(told)]
    assert "".join(step.message for step in joined_steps(steps)) == "x" * len(steps)


def test_every_way_has_a_title():
    assert list(TITLES) == list(WAYS)
