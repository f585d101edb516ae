"""Step-labelled sets that are only read: what their numbers say of each step, and what they do not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations import schemes
from annotations.formats.base import Item
from annotations.formats.opening import values
from annotations.formats.opening.sources import of_path
from annotations.formats.processbench import ProcessBench
from annotations.records import Labelled, TrajectoryRecord
from annotations.services import rating_ways, sources
from tests.labelled import items_of, labels_of, record_of

BENCH = {
    "idx": "1",
    "question": "q",
    "modified_question": "m",
    "original_process": ["a", "b"],
    "modified_process": ["a", "x", "y"],
    "reason": "why",
    "classification": "circular",
}


def test_numbers_of_prmbench_count_from_one_and_the_other_steps_are_right():
    record = record_of("prmbench", BENCH | {"error_steps": [2, 3]})
    assert labels_of(record) == [1, -1, -1]
    assert record.rating and record.rating.explanations == {2: "why", 3: "why"}
    assert (record.steps[0].message, record.external_id, record.task.source) == ("m", "circular/1", "circular")
    assert record.extra["fields"]["original_process"] == ["a", "b"]


def test_a_solution_of_prmbench_that_was_not_modified_has_no_error():
    row = {key: value for key, value in BENCH.items() if not key.startswith("modified")}
    assert labels_of(record_of("prmbench", row | {"classification": "multi_solutions"})) == [1, 1]


def test_modified_steps_without_labels_say_nothing():
    assert record_of("prmbench", BENCH | {"modified_steps": [2]}).rating is None


def test_a_number_of_no_step_is_told_and_makes_no_other_step_right():
    record, told = items_of("prmbench", BENCH | {"error_steps": [2, 4]})
    assert isinstance(record.record, TrajectoryRecord) and labels_of(record.record) == [None, -1, None]
    assert "found 4" in told.problems[0].reason and "1 to 3" in told.problems[0].reason


@pytest.mark.parametrize(("index", "labels"), [(0, [-1, None]), (1, [1, -1]), (None, [1, 1]), (1.0, [1, -1])])
def test_null_is_a_solution_without_a_mistake_in_bigbench(index, labels):
    row = {"input": "q", "steps": ["a", "b"], "target": "t", "answer": "u", "mistake_index": index}
    record = record_of("bigbench-mistake", row)
    assert (labels_of(record), record.task.reference, record.outcome) == (labels, "t", {"answer": "u"})


@pytest.mark.parametrize("index", [2, -1, True, "0"])
def test_a_mistake_at_no_step_is_refused(index):
    (item,) = items_of("bigbench-mistake", {"input": "q", "steps": ["a", "b"], "mistake_index": index})
    assert item.problems[0].field == "mistake_index"


def delta(said: str, wrong: Any, useless: Any = None, key: str = "sections_content") -> dict[str, Any]:
    numbers = {"reason_error_section_numbers": wrong, "reason_unuseful_section_numbers": useless}
    return {"question": "q", key: said, "task_l1": "math"} | numbers


@pytest.mark.parametrize("key", ["sections_content", "section_content"])
def test_a_section_of_no_use_is_neutral_unless_it_is_wrong(key):
    record = record_of("deltabench", delta("section1: a section2: b section3: c", [2], [2, 3], key))
    assert [step.message for step in record.steps[1:]] == ["a", "b", "c"]
    assert labels_of(record) == [1, -1, 0]


def test_a_section_that_is_only_mentioned_does_not_begin_there():
    record = record_of("deltabench", delta("section1: as section3: says.\nsection2: as in section1: b", []))
    assert [step.message for step in record.steps[1:]] == ["as section3: says.", "as in section1: b"]


def test_numbers_can_be_texts_as_tables_have_them():
    assert labels_of(record_of("deltabench", delta("section1: a section2: b", "[2]", "[]"))) == [1, -1]


def test_sections_that_nobody_numbered_as_wrong_or_not_have_no_labels():
    assert record_of("deltabench", delta("section1: a", None)).rating is None


def ben(*solutions: Any) -> list[Item]:
    return items_of("mr-ben", {"uuid": list(solutions)})


def solution(steps: Any, first: Any, **more: Any) -> dict[str, Any]:
    row = {"Question_UUID": "uuid", "Question": "q", "Model_Solution_Steps": steps, "Sampled_Model": "s"}
    return row | {"Model_Solution_First_Error_Step": first} | more


def record(item: Item) -> TrajectoryRecord:
    assert isinstance(item.record, TrajectoryRecord)
    return item.record


def test_solutions_of_a_question_are_its_rollouts():
    found = [record(item) for item in ben(solution(["a", "b"], "2"), solution(["c"], "N/A"))]
    assert [(one.task.external_id, one.rollout, labels_of(one)) for one in found] == [
        ("uuid", 0, [1, -1]),
        ("uuid", 1, [1]),
    ]


def test_a_solution_alone_is_a_row():
    assert labels_of(record_of("mr-ben", solution(["a", "b"], 1))) == [-1, None]


def test_reasons_and_corrections_stand_at_the_wrong_step():
    more = {
        "Model_Solution_Error_Reason": ["one", "two"],
        "Model_Solution_Rectified_First_Error_Step": ["B"],
        "Model_Solution_Correctness": "incorrect",
    }
    (item,) = ben(solution(["a", "b"], "2", **more))
    rating = record(item).rating
    assert rating and (rating.explanations, rating.final) == ({2: "one\n\ntwo"}, 0)
    assert record(item).steps[2].extra == {"fields": {"rectified": ["B"]}}


def test_lines_of_code_are_steps_and_the_wrong_one_is_written_out():
    (item,) = ben(solution("def f(x):\n\n    x += 1\n    return x", "    x += 1"))
    assert labels_of(record(item)) == [1, -1, None]


@pytest.mark.parametrize("first", ["", "    a()", "gone()", "7", 0.5])
def test_a_line_that_is_not_one_line_is_told_and_labels_nothing(first):
    item, told = ben(solution("a()\n    a()\nb()\n    a()", first))
    assert record(item).rating is None
    assert told.problems[0].field == "uuid[0].Model_Solution_First_Error_Step"


def test_one_solution_that_cannot_be_taken_leaves_the_others():
    found = ben(solution([], "1"), "text", solution(["a"], "1"))
    assert [bool(item.record) for item in found] == [False, False, True]
    assert [item.problems[0].field for item in found[:2]] == ["uuid[0].Model_Solution_Steps", "uuid[1]"]


def log(*history: tuple[str, str, str | None], **more: Any) -> dict[str, Any]:
    entries = [{"content": said, "role": role} | ({"name": who} if who else {}) for said, role, who in history]
    return {"question": "q", "question_ID": "id", "history": entries} | more


TEAM = (("a", "assistant", "Expert"), ("ran", "user", "Computer_terminal"), ("b", "user", "Checker"))
CREW = (("q?", "human", None), ("plan", "Orchestrator (thought)", None), ("go", "Orchestrator (-> Surfer)", None))


def test_every_agents_entry_is_a_step_and_the_person_and_the_terminal_are_context():
    made = record_of("who-and-when", log(*TEAM, mistake_step="2", mistake_agent="Checker"))
    assert [step.source for step in made.steps] == ["agent", "user", "agent"]
    assert [step.extra["fields"]["name"] for step in made.steps] == ["Expert", "Computer_terminal", "Checker"]
    made = record_of("who-and-when", log(*CREW, mistake_step="1", mistake_agent="Orchestrator"))
    assert [step.source for step in made.steps] == ["user", "agent", "agent"]


def test_only_the_decisive_step_is_labelled():
    made = record_of("who-and-when", log(*TEAM, mistake_step="2", mistake_agent="Checker", mistake_reason="why"))
    assert made.rating and made.rating.steps == {2: -1} and made.rating.explanations == {2: "why"}


@pytest.mark.parametrize("project", ["agent-process", "binary", "processbench"])
def test_no_project_makes_the_steps_before_the_decisive_one_right(project):
    made = record_of("who-and-when", log(*TEAM, mistake_step="2", mistake_agent="Checker"))
    taken = rating_ways.Inwards(schemes.shipped()[project]).take(made, "f", 1)
    assert taken.record.rating and taken.record.rating.steps == {2: -1} and not taken.unheld and not taken.problems


@pytest.mark.parametrize("step", ["3", "1", "x", "-1", True, [0]])
def test_a_mistake_that_is_at_no_agents_entry_is_told(step):
    item, told = items_of("who-and-when", log(*TEAM, mistake_step=step, mistake_agent="Expert"))
    assert record(item).rating is None
    assert told.problems[0].field == "mistake_step" and "0 to 2" in told.problems[0].reason


def test_a_terminal_that_is_blamed_is_a_step():
    made = record_of("who-and-when", log(*TEAM, mistake_step="1", mistake_agent="Computer_terminal"))
    assert labels_of(made) == [None, -1, None]


REAL = [
    ("processbench", "processbench", 1400, 8587, 801),
    ("bigbench_mistake", "bigbench-mistake", 900, 6631, 764),
    ("prmbench", "prmbench", 270, 4010, 270),
    ("mr_ben", "mr-ben", 1156, 15770, 914),
]


def real(folder: Path) -> tuple[set[str], list[TrajectoryRecord]]:
    with sources.opened([(folder, folder.name)]) as units:
        pairs = [(unit.format.name if unit.format else "", item) for unit in units for item in unit.items()]
    return {name for name, _ in pairs}, [i.record for _, i in pairs if isinstance(i.record, TrajectoryRecord)]


@pytest.mark.parametrize(("folder", "name", "many", "steps", "wrong"), REAL)
def test_real_files_hold_what_their_page_counts(folder, name, many, steps, wrong, shared_data):
    found, records = real(shared_data / folder)
    assert (found, len(records)) == ({name}, many)
    assert sum(step.source == "agent" for one in records for step in one.steps) == steps
    assert sum(-1 in labels_of(one) for one in records) == wrong


def graded(one: TrajectoryRecord) -> Labelled:
    assert one.rating
    return Labelled(one, one.rating.steps, 1 if one.rating.final else -1)


def test_every_real_processbench_record_is_written_as_it_stood(shared_data):
    form, seen = ProcessBench(), 0
    for path in sorted((shared_data / "processbench").iterdir()):
        for line in values.read(of_path(path), values.shape_of(of_path(path))):
            (row,) = form.rows([graded(form.record(line.value))], {})
            assert row == line.value and list(row) == list(line.value)
            seen += 1
    assert seen == 1400
