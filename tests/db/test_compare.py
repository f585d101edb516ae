"""Rollouts side by side: aligned, with what may be seen of each, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations.models import Project, Rater, Step, Trajectory, User
from annotations.services.compare import ROWS
from tests import make
from tests.db.importing import file, take
from tests.db.test_pages import enter
from tests.db.test_pages_lists import scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User) -> Client:
    return enter(owner)


@pytest.fixture
def rollouts(project: Project, tmp_path: Path):
    """rollouts("abc", "abd"): rollouts of one task; each letter is a call with the answer of that letter."""

    def make_them(*letters: str, task: str = "t") -> list[Trajectory]:
        records = [_record(number, told, task) for number, told in enumerate(letters)]
        take(project, file(tmp_path, *records))
        return list(project.trajectories.filter(task__external_id=task).order_by("rollout"))

    return make_them


def _record(number: int, letters: str, task: str) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do it."}]
    for place, letter in enumerate(letters):
        function = {"name": "run", "arguments": json.dumps({"command": letter})}
        call = {"id": f"call-{number}-{place}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": f"I say {letter.lower()}.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call-{number}-{place}", "content": f"Saw {letter}."})
    return {"messages": messages, "task_id": task, "rollout": number, "id": f"{task}-{number}", "model": f"m{number}"}


def compared(client: Client, project: Project, of: list[Trajectory], **asked: Any) -> Any:
    ids = ",".join(str(one.pk) for one in of)
    answer = client.get(reverse("compare", args=[project.slug]), {"ids": ids, **asked})
    assert answer.status_code == 200
    return answer


def table(answer: Any) -> list[str]:
    """The rows of the agent's steps as letters; lower case where the first does otherwise."""
    return ["".join(_letter(cell) for cell in row.cells) for row in answer.context["rows"] if not _is_context(row)]


def _letter(cell: Any) -> str:
    if cell is None:
        return "·"
    letter: str = cell.gist.calls[0].arguments
    return letter if cell.same else letter.lower()


def _is_context(row: Any) -> bool:
    return any(cell and not cell.gist.agent for cell in row.cells)


def test_equal_actions_share_a_row_and_the_point_where_one_parts_is_marked(client, project, rollouts) -> None:
    answer = compared(client, project, rollouts("ABCD", "ABXD", "AB"), same="shown")
    assert table(answer) == ["AAA", "BBB", "Cx·", "DD·"]
    assert [(row.number, sorted(row.parting), row.diverges) for row in answer.context["rows"]] == [
        (1, [], False), (2, [], False), (3, [], False), (4, [1, 2], True), (5, [], False),
    ]  # fmt: skip
    page = answer.content.decode()
    assert page.count("Parts here") == 2
    assert page.count("parts at row 4") == 2
    assert "data-diverges" in page


def test_what_is_the_same_in_all_is_folded_and_can_be_shown(client, project, rollouts) -> None:
    both = rollouts("ABCDE", "ABCDX")
    folded = compared(client, project, both)
    assert table(folded) == ["Ex"]
    assert "Rows 1 to 5 are the same in all" in folded.content.decode()
    shown = compared(client, project, both, same="shown")
    assert table(shown) == ["AA", "BB", "CC", "DD", "Ex"]
    assert "Fold what is the same" in shown.content.decode()
    assert table(compared(client, project, both, at=2)) == ["AA", "BB", "CC", "DD", "Ex"], (
        "a link to a folded row opens it"
    )


def test_the_same_action_with_another_answer_is_not_the_same_beginning(client, project, rollouts) -> None:
    both = rollouts("ABCDE", "ABCDX")
    Step.objects.filter(trajectory=both[1], index=2).update(turn_hash="something else")
    assert table(compared(client, project, both)) == ["AA", "BB", "CC", "DD", "Ex"]


def test_who_rates_equal_steps_differently_is_marked(client, project, rollouts) -> None:
    first, second = rollouts("ABC", "ABX")
    steady, other = make.rater(project, "steady"), make.rater(project, "wavering")
    make.rating(steady, first, [1, 1, 1])
    make.rating(steady, second, [1, 1, -1])
    make.rating(other, first, [1, 0, 1], final=1)
    make.rating(other, second, [1, -1, 1], final=-1)
    answer = compared(client, project, [first, second], same="shown")
    rows = answer.context["rows"]
    assert [row.number for row in rows if row.differs] == [3], "at C and X they do otherwise, so may rate otherwise"
    assert [sorted(cell.differs) for cell in rows[2].cells] == [["wavering"], ["wavering"]]
    assert [(word.rater, word.value) for word in rows[2].cells[1].words] == [("steady", 1), ("wavering", -1)]
    verdicts = [head["column"].verdicts for head in answer.context["heads"]]
    assert [[(mark.title, who) for mark, who in one] for one in verdicts] == [
        [("Solved", ["wavering"])],
        [("Failed", ["wavering"])],
    ]
    assert "equal steps are rated differently" in answer.content.decode()


def test_rows_come_in_windows_both_ways_and_know_the_divergences_beyond(client, project, rollouts) -> None:
    letters = "ABCDEFGH" * 20
    first, second = rollouts(letters, letters[:100] + "X" + letters[101:])
    address, rows = reverse("compare", args=[project.slug]), reverse("compare_rows", args=[project.slug])
    ids = f"{first.pk},{second.pk}"
    start = client.get(address, {"ids": ids, "same": "shown"})
    assert len(start.context["rows"]) == ROWS
    assert (start.context["divergence_after"], start.context["earlier"], start.context["later"]) == (102, None, ROWS)
    linked = client.get(address, {"ids": ids, "same": "shown", "at": 102})
    assert [linked.context["rows"][0].number, linked.context["earlier"]] == [81, 80]
    assert 'id="row-102"' in linked.content.decode()
    before = client.get(rows, {"ids": ids, "same": "shown", "to": 80})
    assert [row.number for row in before.context["rows"]] == list(range(41, 81))
    assert before.context["later"] is None
    last = client.get(rows, {"ids": ids, "same": "shown", "from": 120})
    assert [row.number for row in last.context["rows"]] == list(range(121, 162))[:ROWS]
    assert last.context["divergence_before"] == 102
    folded = client.get(rows, {"ids": ids, "to": 120})
    assert folded.context["rows"][0].number == 102, "what is folded stays so"


def test_an_annotator_sees_their_own_labels_beside_the_steps_and_nobody_elses(project, rollouts) -> None:
    first, second = rollouts("ABC", "ABX")
    first.outcome = {"reward": "zq-reward"}
    first.save()
    person = make.user("ines")
    make.member(project, person)
    own = make.rater(project, "ines", Rater.Kind.HUMAN, person)
    make.rating(own, first, [1, 0, 1], final=1)
    make.rating(make.rater(project, "the-judge"), second, [-1, -1, -1], final=-1)
    scored(second, [0.1234, 0.1234, 0.1234])
    page = compared(enter(person), project, [first, second], same="shown").content.decode()
    assert "ines" in page
    for hidden in ("the-judge", "0.12", "zq-reward"):
        assert hidden not in page
    lead = compared(enter(project.memberships.get(role="owner").user), project, [first, second], same="shown")
    for seen in ("the-judge", "0.12", "zq-reward", "ines"):
        assert seen in lead.content.decode()


@pytest.mark.parametrize(
    ("ids", "status", "said"),
    [
        ("", 200, "Nothing to compare yet"),
        ("{a}", 200, "Choose 2 to 6 rollouts"),
        ("{a},{a}", 200, "Choose 2 to 6 rollouts"),
        ("x", 422, "ids: found “x”; accepted are numbers of trajectories"),
        ("{a},-1", 422, "ids: found “-1”"),
        ("{a},{c}", 422, "Only rollouts of one task can be compared"),
        ("{a},{b},99999999", 404, ""),
        ("{a},{b},1,2,3,4,5", 422, "found 7 rollouts; accepted are 2 to 6"),
    ],
)
def test_ids_that_cannot_be_compared_are_answered_in_words(
    ids: str, status: int, said: str, client: Client, project: Project, rollouts: Any
) -> None:
    a, b = rollouts("AB", "AX")
    (c,) = rollouts("A", task="another")
    answer = client.get(reverse("compare", args=[project.slug]), {"ids": ids.format(a=a.pk, b=b.pk, c=c.pk)})
    assert answer.status_code == status
    assert said in answer.content.decode()


def test_boxes_that_were_ticked_become_one_address(client, project, rollouts) -> None:
    a, b = rollouts("AB", "AX")
    answer = client.get(f"{reverse('compare', args=[project.slug])}?ids={a.pk}&ids={b.pk}")
    assert answer.headers["Location"] == f"?ids={a.pk},{b.pk}"


def test_rollouts_of_another_project_are_not_there(client, project, rollouts) -> None:
    (a, _), elsewhere = rollouts("AB", "AX"), make.trajectory(make.project())
    for name in ("compare", "compare_rows"):
        answer = client.get(reverse(name, args=[project.slug]), {"ids": f"{a.pk},{elsewhere.pk}"})
        assert answer.status_code == 404


def test_it_asks_the_same_questions_for_two_and_for_six(client, project, rollouts) -> None:
    every = rollouts(*["ABCDEFGHIJ" + letter for letter in "UVWXYZ"])
    for one in every:
        make.rating(make.rater(project), one, [1] * 11, final=1)
    with CaptureQueriesContext(connection) as short:
        compared(client, project, every[:2])
    with CaptureQueriesContext(connection) as wide:
        compared(client, project, every)
    assert len(wide) - len(short) == 4, "one more for the fingerprints of each column"
    assert len(short) <= 14
    bodies = [f'"annotations_step"."{name}"' for name in ("message", "tool_calls", "observations", "reasoning")]
    alone = [sql for sql in (query["sql"] for query in wide.captured_queries) if any(body in sql for body in bodies)]
    assert all("LEFT(" in sql for sql in alone), "of the bodies only the beginnings are read"


def test_hostile_words_stay_words(client, project, rollouts) -> None:
    both = rollouts("AB", "AX")
    both[1].steps.filter(index=2).update(
        message="<img src=x onerror=alert(1)>\u202e",
        tool_calls=[{"id": "a", "name": "<script>", "arguments": "</td><script>"}],
    )
    page = compared(client, project, both, same="shown").content.decode()
    for dangerous in ("<img src=x", "<script>alert", "</td><script", "<b><script>", "\u202e"):
        assert dangerous not in page
