"""What went wrong: each finding with its place, of what the reader may see and of nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Annotation, Label, Membership, Project, Rater, Role, Trajectory, User
from annotations.services import findings
from annotations.services.dossier import Dossier
from annotations.services.findings import Findings, failed
from tests import make
from tests.db.importing import file, take
from tests.db.test_pages_lists import scored

pytestmark = pytest.mark.django_db


def seen(project: Project, trajectory: Trajectory, user: User | None = None) -> Findings:
    reader = Membership.objects.get(project=project, user=user) if user else project.memberships.get(role=Role.OWNER)
    return findings.of(Dossier(reader, trajectory))


def rollout(*answers: str, calls: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """A conversation of one call a step, and what each was answered."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do it."}]
    for number, answer in enumerate(answers):
        what = calls[number] if calls else str(number)
        function = {"name": "run", "arguments": f'{{"command": "{what}"}}'}
        call = {"id": f"c{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": f"I run {what}.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": answer})
    return {"messages": messages, "id": "one", **more}


@pytest.fixture
def imported(project: Project, tmp_path):
    def make_it(*answers: str, **more: Any) -> Trajectory:
        take(project, file(tmp_path, rollout(*answers, **more)))
        return project.trajectories.get()

    return make_it


def test_first_errors_are_grouped_by_the_step_with_the_reasons_given(project: Project) -> None:
    one = make.trajectory(project, steps=5)
    for name, values in (("a", [1, -1, -1, 1, 1]), ("b", [1, -1, 1, 1, 1]), ("c", [1, 1, 1, 1, -1]), ("d", [1] * 5)):
        make.rating(make.rater(project, name), one, values)
    Label.objects.filter(annotation__rater__name="b", value=-1).update(explanation="Read the wrong file.")
    Label.objects.filter(annotation__rater__name="a", step__index=3).update(explanation="Not the first of theirs.")
    found = seen(project, one)
    assert [(error.place.number, error.raters) for error in found.first_errors] == [(2, ["a", "b"]), (5, ["c"])]
    assert found.first_errors[0].reasons == [("b", "Read the wrong file.")]
    assert found.first_errors[0].gist and found.first_errors[0].gist.said == "I try 2."


def test_turns_are_those_of_the_reference_and_of_people_where_there_are_any(project: Project) -> None:
    one = make.trajectory(project, steps=5)
    make.rating(make.rater(project, "judge"), one, [1, 1, -1, 1, 0])
    assert [
        (rater, [(place.number, a.words, b.words) for place, a, b in turns])
        for rater, turns, _ in seen(project, one).turns
    ] == [("judge", [(3, "+1", "−1"), (4, "−1", "+1"), (5, "+1", "0")])]
    gold = make.rater(project, "gold", "import")
    make.rating(gold, one, [1, None, -1, -1, 1])
    project.reference = gold
    project.save()
    (rater, turns, more) = seen(project, one).turns[0]
    told = [(place.number, a.words, b.words) for place, a, b in turns]
    assert (rater, told, more) == ("gold", [(3, "+1", "−1"), (5, "−1", "+1")], 0)
    assert len(seen(project, one).turns) == 1


def test_the_same_call_again_is_named_with_its_places(imported, project: Project) -> None:
    one = imported(*["ok"] * 6, calls=["ls", "cat", "ls", "pwd", "cat", "ls"])
    (ls, cat) = seen(project, one).repeats
    assert [(call.name, call.arguments) for call in ls.gist.calls] == [("run", "ls")]
    assert (ls.where.count, [place.number for place in ls.where.places]) == (3, [1, 3, 6])
    assert [place.number for place in cat.where.places] == [2, 5]


def test_tools_that_failed_are_known_by_their_own_words(imported, project: Project) -> None:
    fails = [
        "Error: no such file",
        "Traceback (most recent call last):\n  File …",
        "ValueError: nothing",
        '{"error": "denied"}',
        "…\nexit code: 2",
        "Process exited with status 1",
        "2 failed, 10 passed",
        "bash: foo: command not found",
        '{"status": "error", "detail": 1}',
    ]
    fine = [
        "0 failed, 12 passed",
        "exit code: 0",
        "No error at all.",
        "The errors of measurement are small.",
        '{"status": "ok", "errors": []}',
        "It was never exited.",
    ]
    one = imported(*fails, *fine)
    assert [place.number for place in seen(project, one).errors.places] == list(range(1, 9))
    assert seen(project, one).errors.count == len(fails)


def test_many_places_are_counted_beyond_the_first_ones(imported, project: Project) -> None:
    found = seen(project, imported(*["Error: no"] * 30)).errors
    assert (len(found.places), found.count, found.more) == (findings.SHOWN, 30, 22)


def test_corrections_scores_and_the_end_are_told(project: Project) -> None:
    one = make.trajectory(project, steps=3)
    passed = make.rating(make.rater(project), one, [1, -1, 1])
    Label.objects.create(annotation=passed, step=one.steps.get(index=3), field="correction", value=True, origin="judge")
    scored(one, [0.9, 0.07, 0.5])
    found = seen(project, one)
    assert [place.number for place in found.corrections.places] == [3]
    assert [(title, place.number, value) for title, place, value in found.lowest] == [("Embedded default", 2, 0.07)]
    assert found.end and found.end.said == "I try 3."


@pytest.mark.parametrize(
    ("outcome", "verdicts", "expected"),
    [
        (None, [], None),
        ({"answer": "x"}, [], None),
        ({"reward": 0}, [], True),
        ({"reward": 0.0}, [False], True),
        ({"reward": 1}, [True], False),
        ({"answer": {"success": False}}, [], True),
        ({"resolved": True}, [], False),
        ({"score": "high"}, [], None),
        (None, [True, True, False], True),
        (None, [True, False, False], False),
        ("failed", [], None),
    ],
)
def test_whether_it_failed_is_what_the_outcome_says_else_most_verdicts(outcome, verdicts, expected):
    assert failed(outcome, verdicts) is expected


def test_the_reference_alone_decides_where_there_is_one(project: Project) -> None:
    one = make.trajectory(project)
    for name in "abc":
        make.rating(make.rater(project, name), one, [1, 1, 1], final=1)
    gold = make.rater(project, "gold", "import")
    make.rating(gold, one, [1, 1, 1], final=-1)
    assert seen(project, one).failed is False
    project.reference = gold
    project.save()
    assert seen(project, one).failed is True


def test_an_annotator_in_blind_mode_learns_what_the_trajectory_says_and_their_own_labels(
    imported, project: Project
) -> None:
    one = imported("Error: no", "ok", calls=["ls", "ls"])
    one.outcome = {"reward": 0}
    one.save()
    person = make.user()
    make.member(project, person)
    make.rating(make.rater(project, "judge"), one, [-1, -1], final=-1)
    scored(one, [0.1, 0.2])
    found = seen(project, one, person)
    assert (found.failed, found.finals, found.first_errors, found.turns, found.lowest) == (None, [], [], [], [])
    assert (found.errors.count, found.repeats[0].where.count) == (1, 2)
    make.rating(make.rater(project, person.username, Rater.Kind.HUMAN, person), one, [1, -1], final=-1)
    found = seen(project, one, person)
    assert [(error.place.number, error.raters) for error in found.first_errors] == [(2, [person.username])]
    assert found.failed is True


def test_what_was_said_otherwise_once_the_end_was_known_is_told_person_by_person(project: Project) -> None:
    one = make.trajectory(project, steps=4)
    for name, later in (("a", {2: -1, 3: None}), ("b", {})):
        mine = make.rating(make.rater(project, name), one, [1, 1, 0, 1])
        Annotation.objects.filter(pk=mine.pk).update(revealed_at=timezone.now())
        for step, value in later.items():
            mine.labels.filter(step__index=step).update(superseded_at=timezone.now())
            if value is not None:
                mine.labels.create(step=one.steps.get(index=step), field="label", value=value, origin="human")
    ((name, shifts, more),) = seen(project, one).hindsight
    assert (name, more) == ("a", 0)
    told = [(place.number, before.words, after and after.words) for place, before, after in shifts]
    assert told == [(2, "+1", "−1"), (3, "0", None)]
