"""What every format promises that makes rows of labelled trajectories, whatever it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pytest

from annotations import formats
from annotations.formats import chat
from annotations.formats.base import Refused
from annotations.formats.lines import Packed, dump
from annotations.formats.writer import Writer
from annotations.records import Labelled, StepRecord
from tests.rollouts import agent, rollout, tree, user, valued

WRITERS = {name: one for name, one in formats.FORMATS.items() if isinstance(one, Writer) and not one.judged}
ONE_WAY = [name for name, one in WRITERS.items() if not one.reads]
SPARSE = {"openinference-annotations"}  # a span has no key for what was not said; in a file the key is null
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
WITH_PICTURES = [
    {"role": "system", "content": "Be careful."},
    {"role": "user", "content": [{"type": "text", "text": "What is it?"}, PICTURE]},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": {}}}]},
    {"role": "tool", "tool_call_id": "c", "content": [PICTURE]},
    {"role": "assistant", "content": [{"type": "text", "text": "A cat."}], "reasoning_content": "hm"},
]


def pictured() -> Labelled:
    steps = chat.steps_of(WITH_PICTURES)
    made = rollout(*steps[1:], final=1, name="pictured")
    return Labelled(**vars(made) | {"grades": {2: 1, 3: -1}, "corrections": {3: "A dog."}})


def packed() -> Labelled:
    """As it is read from the database."""
    seen = Packed('[{"role":"tool","tool_call_id":"c1","content":"seen"}]')
    step = StepRecord("agent", 1, "a", tool_calls=({"id": "c1", "name": "look", "arguments": "{}"},), observations=seen)
    return rollout(step, "b", grades=[1, 1], final=1, name="packed", scores={1: 0.5, 2: 1.0})


UNLABELLED = [
    rollout("a", agent(2, "b", '{"at": 1}', "seen"), "c", name="unlabelled"),
    rollout(agent(1), agent(2), asked="", name="empty and unlabelled"),
]
LABELLED = {
    "all right": rollout("a", "b", grades=[1, 1], final=1, name="right"),
    "all wrong": rollout("c", "d", grades=[-1, -1], final=-1, propagated=frozenset([2]), name="wrong"),
    "partly labelled": rollout("a", "e", "f", "g", grades=[1, None, -1, None], name="partly"),
    "neutral": rollout("a", "h", grades=[0, 0], final=0, name="neutral"),
    "corrected": rollout(
        agent(1, "a", "{broken", "error"),
        agent(2, "bad"),
        user("Really?", 3),
        agent(4, "back"),
        grades=[1, -1, 1],
        corrections={2: "better"},
        explanations={1: "Fine.", 2: "Off."},
        scores={1: 0.9, 2: 0.1, 4: 0.5},
        preferred=0.5,
        final=1,
        name="corrected",
    ),
    "a tree": tree((0, "i"), (1, "j"), (1, "k"), (0, "l"), grades={1: 1, 2: 1, 3: -1}, final=1, name="tree"),
    "a tree with values": rollout(valued(1, "m", 0, 0.5), valued(2, "n", 0, 1), grades=[1, -1], name="values"),
    "without tools": rollout("o", grades=[1], task={"tools": None, "reference": ["x"]}, name="toolless"),
    "with pictures": pictured(),
    "empty messages": rollout(agent(1), agent(2), asked="", grades=[1, -1], final=-1, name="empty"),
    "read from the database": packed(),
}
EVERY = [*UNLABELLED, *LABELLED.values()]

# How many labels a row says, for formats that write what is not labelled, or of whose rows labels can be counted.
COUNTED: Mapping[str, Callable[[dict[str, Any]], int]] = {
    "atif": lambda row: len(row.get("labels") or ()),
    "openai-chat": lambda row: 0,
    "label-studio": lambda row: sum("choices" in one["value"] for said in row["annotations"] for one in said["result"]),
    "turn-rewards": lambda row: sum(turn["mask"] for turn in row["turns"]) + (row["outcome_reward"] is not None),
    "openrlhf": lambda row: len(row["label"]),
    "prm-rows": lambda row: sum(one is not None for one in row["labels"]),
    "trl-stepwise": lambda row: len(row["labels"]),
    "sft": lambda row: sum(one.get("weight", 0) for one in row["messages"]),
}


def asks(one: Writer) -> Iterator[dict[str, Any]]:
    """Every choice of every option, the others as usual."""
    usual = {option.name: option.default for option in one.options}
    yield usual
    for option in one.options:
        yield from (usual | {option.name: value} for value, _ in option.choices if value != option.default)


def rows(one: Writer, rollouts: list[Labelled], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows as an export makes them: of a task together, or one rollout after the other. What a format cannot hold
    it says."""
    made: list[dict[str, Any]] = []
    for group in [rollouts] if one.together else [[each] for each in rollouts]:
        try:
            made += one.rows(group, asked)
        except Refused as refused:
            assert refused.reason
    return made


@pytest.mark.parametrize("name", WRITERS)
def test_every_row_is_json(name):
    for asked in asks(WRITERS[name]):
        found = rows(WRITERS[name], EVERY, asked)
        assert [json.loads(dump(row)) for row in found] == found


@pytest.mark.parametrize("name", [name for name in ONE_WAY if name not in SPARSE])
def test_every_row_of_a_file_has_the_same_keys(name):
    """Of formats that are read again, a row has the keys of the row that its record was made of."""
    for asked in asks(WRITERS[name]):
        keys = {tuple(row) for row in rows(WRITERS[name], EVERY, asked)}
        assert len(keys) <= 1, f"keys differ under {asked}"


@pytest.mark.parametrize("name", ONE_WAY)
def test_rows_of_a_file_have_one_type_by_column(name):
    """What Parquet and `datasets` want. Packed columns are text by then."""
    one = WRITERS[name]
    for asked in asks(one):
        found = [
            {key: dump(value) if key in one.packed else value for key, value in row.items()}
            for row in rows(one, EVERY, asked)
        ]
        assert pa.Table.from_pylist(found).num_rows == len(found)


@pytest.mark.parametrize("name", ONE_WAY)
def test_every_format_makes_rows_of_something(name):
    assert any(rows(WRITERS[name], EVERY, asked) for asked in asks(WRITERS[name]))


@pytest.mark.parametrize("name", WRITERS)
def test_rows_are_the_same_each_time(name):
    one = WRITERS[name]
    for asked in asks(one):
        assert rows(one, EVERY, asked) == rows(one, EVERY, asked)


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_unlabelled_becomes_a_label(name):
    one = WRITERS[name]
    for asked in asks(one):
        for labelled in UNLABELLED:
            found = rows(one, [labelled], asked)
            assert sum(COUNTED[name](row) for row in found) == 0 if name in COUNTED else found == []


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("case", [name for name, one in LABELLED.items() if one.record.steps[1].parent is None])
def test_no_more_labels_are_written_than_were_given(name, case):
    one, labelled = WRITERS[name], LABELLED[case]
    for asked in asks(one):
        given = len(labelled.grades) + (labelled.final is not None)
        if asked.get("reward") in ("scores", "signed") or asked.get("labels") == "soft":
            given = len(labelled.scores) + (labelled.final is not None)
        if asked.get("mode") == "corrected":
            given += len(labelled.corrections)
        assert sum(COUNTED[name](row) for row in rows(one, [labelled], asked)) <= given


@pytest.mark.parametrize("name", WRITERS)
def test_options_are_named_with_what_they_take(name):
    for option in WRITERS[name].options:
        assert option.title and (option.default in dict(option.choices) or isinstance(option.default, int | float))
