"""Labels are stored as they are given, settle by the scheme's rule, and are never lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.http import Http404

from annotations.models import Annotation, Event, Label
from annotations.services import labels
from annotations.services.outcomes import Closed, NotAccepted, Outcome
from tests import make

pytestmark = pytest.mark.django_db


def begun(steps: int = 4, propagation: str = "suggest", **fields: Any) -> Annotation:
    person = make.user()
    project = make.project(person, propagation=propagation)
    return make.lease(make.trajectory(project, steps=steps), person, **fields)


def say(annotation: Annotation, *said: tuple[int | None, str, Any], **more: Any) -> Outcome:
    annotation.refresh_from_db()
    items = [labels.Item(step=step, field=field, value=value) for step, field, value in said]
    more = {"change": uuid.uuid4(), "revision": annotation.revision} | more
    return labels.change(annotation.pk, annotation.rater.user, items, **more)


def do(deed: Any, annotation: Annotation, **more: Any) -> Outcome:
    annotation.refresh_from_db()
    more = {"change": uuid.uuid4(), "revision": annotation.revision} | more
    return deed(annotation.pk, annotation.rater.user, **more)


def held(annotation: Annotation, field: str = "label") -> dict[int | None, Any]:
    """Index of a step → its current value, or (value, "cause of") where it is propagated."""
    rows = Label.objects.current().filter(annotation=annotation, field=field)
    rows = rows.values_list("step__index", "value", "origin", "cause__step__index", "cause__superseded_at")
    assert all(superseded is None for *_, superseded in rows), "a cause is current"
    return {index: (value, cause) if origin == "propagated" else value for index, value, origin, cause, _ in rows}


def changed(outcome: Outcome) -> list[tuple[Any, ...]]:
    return [(one["step"], one["field"], one["value"], one["origin"], one["cause"]) for one in outcome.labels]


def test_a_label_is_stored_and_the_answer_names_it():
    mine = begun()
    outcome = say(mine, (2, "label", 1))
    assert changed(outcome) == [(2, "label", 1, "human", None)]
    assert (outcome.revision, outcome.state, outcome.undo, outcome.redo) == (1, "draft", True, False)
    assert held(mine) == {2: 1}


def test_zero_is_a_label_and_null_is_none():
    mine = begun()
    say(mine, (1, "label", 0), (2, "label", 1))
    outcome = say(mine, (2, "label", None))
    assert changed(outcome) == [(2, "label", None, None, None)]
    assert held(mine) == {1: 0}


def test_a_change_of_mind_keeps_the_old_row():
    mine = begun()
    say(mine, (1, "label", 1))
    say(mine, (1, "label", 0))
    rows = Label.objects.filter(annotation=mine).order_by("pk")
    assert [(row.value, row.revision, row.superseded_at is None) for row in rows] == [(1, 1, False), (0, 2, True)]


def test_the_final_label_and_a_note_have_places_of_their_own():
    mine = begun()
    say(mine, (None, "final", -1), (3, "note", "Read the wrong row."))
    assert held(mine, "final") == {None: -1}
    assert held(mine, "note") == {3: "Read the wrong row."}
    assert held(mine) == {}


def test_saying_the_same_again_changes_nothing():
    mine = begun()
    say(mine, (1, "label", 1))
    outcome = say(mine, (1, "label", 1))
    assert (outcome.labels, outcome.revision, outcome.undo) == ([], 1, True)
    assert Label.objects.filter(annotation=mine).count() == 1


@pytest.mark.parametrize(
    ("item", "part", "accepted"),
    [
        ((1, "label", 2), "value", [1, 0, -1]),
        ((1, "label", True), "value", [1, 0, -1]),
        ((1, "label", "1"), "value", [1, 0, -1]),
        ((1, "correction", False), "value", [True]),
        ((1, "note", " "), "value", ["a text that is not empty"]),
        ((1, "note", "nul \x00"), "value", ["a text that is not empty"]),
        ((1, "note", "half \ud83d"), "value", ["a text that is not empty"]),
        ((0, "label", 1), "step", [1, 2, 3, 4]),
        ((9, "label", 1), "step", [1, 2, 3, 4]),
        ((9, "note", "far"), "step", [1, 2, 3, 4]),
        ((1, "final", 1), "field", ["label", "correction", "note"]),
        ((None, "label", 1), "field", ["final"]),
        ((1, "mood", 1), "field", ["label", "correction", "note"]),
    ],
)
def test_what_the_scheme_does_not_take_is_refused_with_what_it_takes(item, part, accepted):
    mine = begun()
    with pytest.raises(NotAccepted) as refused:
        say(mine, (2, "label", 1), item)
    assert refused.value.answer["field"] == part
    assert refused.value.answer["accepted"] == accepted
    assert held(mine) == {}, "all or nothing"


def test_the_same_change_twice_is_one_change():
    mine = begun()
    once = uuid.uuid4()
    first = say(mine, (1, "label", -1), change=once, revision=0, time_ms=500)
    say(mine, (1, "label", 0))
    again = say(mine, (1, "label", -1), change=once, revision=0, time_ms=500)
    assert changed(first) == [(1, "label", -1, "human", None)]
    assert changed(again) == [(1, "label", 0, "human", None)], "the current state, not the old one"
    mine.refresh_from_db()
    assert (mine.revision, mine.time_spent_ms) == (2, 500)


def test_a_change_that_arrives_again_with_a_newer_revision_is_still_one_change():
    mine = begun()
    once = uuid.uuid4()
    say(mine, (1, "label", -1), change=once)
    say(mine, (1, "label", 0))
    say(mine, (1, "label", -1), change=once)
    assert held(mine) == {1: 0}


def test_a_change_that_altered_nothing_does_nothing_when_it_arrives_again_later():
    mine = begun()
    say(mine, (1, "label", 1))
    once = uuid.uuid4()
    say(mine, (1, "label", 1), change=once)
    say(mine, (1, "label", 0))
    say(mine, (1, "label", 1), change=once)
    assert held(mine) == {1: 0}


# --- Propagation --------------------------------------------------------------------------------------------------


def test_suggestions_are_not_stored_until_they_are_accepted():
    mine = begun()
    say(mine, (2, "label", -1))
    assert held(mine) == {2: -1}
    outcome = do(labels.accept, mine)
    assert changed(outcome) == [(3, "label", -1, "propagated", 2), (4, "label", -1, "propagated", 2)]
    assert held(mine) == {2: -1, 3: (-1, 2), 4: (-1, 2)}


def test_filling_stores_at_once_and_in_the_same_unit_of_undo():
    mine = begun(propagation="fill")
    outcome = say(mine, (2, "label", -1))
    assert [one["step"] for one in outcome.labels] == [2, 3, 4]
    do(labels.undo, mine)
    assert held(mine) == {}


def test_with_propagation_off_there_is_nothing_to_accept():
    mine = begun(propagation="off")
    say(mine, (1, "label", -1))
    assert do(labels.accept, mine).labels == []
    assert held(mine) == {1: -1}


def test_taking_the_error_back_takes_what_it_implied_along():
    mine = begun(propagation="fill")
    say(mine, (1, "label", -1))
    outcome = say(mine, (1, "label", None))
    assert [(one["step"], one["value"]) for one in outcome.labels] == [(1, None), (2, None), (3, None), (4, None)]
    assert held(mine) == {}


def test_a_correction_withdraws_what_was_filled_in_from_there_on():
    mine = begun(propagation="fill")
    say(mine, (1, "label", -1))
    say(mine, (3, "correction", True))
    assert held(mine) == {1: -1, 2: (-1, 1)}
    say(mine, (3, "correction", None))
    assert held(mine) == {1: -1, 2: (-1, 1), 3: (-1, 1), 4: (-1, 1)}


def test_an_accepted_suggestion_goes_with_its_chain_and_does_not_come_back_by_itself():
    mine = begun()
    say(mine, (1, "label", -1))
    do(labels.accept, mine)
    say(mine, (3, "label", 1))
    assert held(mine) == {1: -1, 2: (-1, 1), 3: 1}
    say(mine, (3, "label", None))
    assert held(mine) == {1: -1, 2: (-1, 1)}


def test_a_person_overrides_what_was_filled_in_and_keeps_it():
    mine = begun(propagation="fill")
    say(mine, (1, "label", -1))
    say(mine, (2, "label", -1))
    assert held(mine) == {1: -1, 2: -1, 3: (-1, 2), 4: (-1, 2)}
    say(mine, (1, "label", 1))
    assert held(mine) == {1: 1, 2: -1, 3: (-1, 2), 4: (-1, 2)}


def test_what_a_person_said_is_never_overwritten_by_a_rule():
    mine = begun(propagation="fill")
    say(mine, (3, "label", 1))
    say(mine, (1, "label", -1))
    assert held(mine) == {1: -1, 2: (-1, 1), 3: 1}


def test_clearing_an_accepted_suggestion_leaves_the_others():
    mine = begun()
    say(mine, (1, "label", -1))
    do(labels.accept, mine)
    say(mine, (3, "label", None))
    assert held(mine) == {1: -1, 2: (-1, 1), 4: (-1, 1)}


# --- Undo and redo ------------------------------------------------------------------------------------------------


def test_undo_and_redo_walk_back_and_forth_with_origins_and_causes():
    mine = begun()
    states = [held(mine)]
    for deed in (
        lambda: say(mine, (1, "label", -1)),
        lambda: do(labels.accept, mine),
        lambda: say(mine, (3, "correction", True), (3, "label", 1)),
        lambda: say(mine, (1, "label", None)),
    ):
        deed()
        states.append(held(mine))
    for expected in reversed(states[:-1]):
        outcome = do(labels.undo, mine)
        assert held(mine) == expected
    assert (outcome.undo, outcome.redo) == (False, True)
    for expected in states[1:]:
        outcome = do(labels.redo, mine)
        assert held(mine) == expected
    assert (outcome.undo, outcome.redo) == (True, False)


def test_undo_redo_undo_takes_the_same_step():
    mine = begun(propagation="fill")
    say(mine, (1, "label", -1))
    for _ in range(3):
        do(labels.undo, mine)
        assert held(mine) == {}
        do(labels.redo, mine)
        assert held(mine) == {1: -1, 2: (-1, 1), 3: (-1, 1), 4: (-1, 1)}


def test_a_new_change_forgets_what_was_undone():
    mine = begun()
    say(mine, (1, "label", 1))
    do(labels.undo, mine)
    say(mine, (2, "label", 1))
    outcome = do(labels.redo, mine)
    assert (outcome.labels, outcome.redo) == ([], False)
    assert held(mine) == {2: 1}


def test_undo_with_nothing_to_undo_does_nothing_even_when_it_arrives_again():
    mine = begun()
    once = uuid.uuid4()
    assert do(labels.undo, mine, change=once).undo is False
    say(mine, (1, "label", 1))
    do(labels.undo, mine, change=once)
    assert held(mine) == {1: 1}


def test_an_undo_sent_twice_undoes_once():
    mine = begun()
    say(mine, (1, "label", 1))
    say(mine, (2, "label", 1))
    once = uuid.uuid4()
    do(labels.undo, mine, change=once)
    do(labels.undo, mine, change=once)
    assert held(mine) == {1: 1}


def test_undo_reaches_back_over_submitting_and_reopening():
    mine = begun(steps=1)
    say(mine, (1, "label", 1), (None, "final", 1))
    do(labels.submit, mine)
    labels.reopen(mine.pk, mine.rater.user)
    do(labels.undo, mine)
    assert held(mine) == {}
    assert held(mine, "final") == {}


def test_every_change_leaves_an_event_that_says_before_and_after():
    mine = begun()
    say(mine, (1, "label", 1))
    say(mine, (1, "label", -1))
    do(labels.undo, mine)
    events = list(Event.objects.filter(annotation=mine).order_by("pk"))
    assert [(one.verb, one.revision, one.actor) for one in events] == [
        ("change", 1, mine.rater.user),
        ("change", 2, mine.rater.user),
        ("undo", 3, mine.rater.user),
    ]
    assert [one["value"] for one in events[1].before] == [1]
    assert [one["value"] for one in events[1].after] == [-1]
    assert events[2].undoes == events[1]


# --- Doors --------------------------------------------------------------------------------------------------------


def test_a_lapsed_lease_loses_no_label():
    mine = begun(seat=None, lease_until=None, state="draft")
    outcome = say(mine, (1, "label", 1))
    assert (outcome.lease_until, outcome.state) == (None, "draft")
    assert held(mine) == {1: 1}


@pytest.mark.parametrize("state", ["submitted", "skipped", "failed"])
def test_a_closed_annotation_says_so(state):
    mine = begun(state=state, lease_until=None)
    with pytest.raises(Closed) as refused:
        say(mine, (1, "label", 1))
    assert refused.value.answer == {"error": "closed", "state": state}


def test_another_persons_annotation_does_not_exist_for_you():
    mine = begun()
    colleague = make.user()
    make.member(mine.rater.project, colleague)
    with pytest.raises(Http404):
        labels.change(mine.pk, colleague, [], change=uuid.uuid4(), revision=0)


def test_who_left_the_project_labels_no_more():
    mine = begun()
    mine.rater.project.memberships.all().delete()
    with pytest.raises(Http404):
        say(mine, (1, "label", 1))


def test_saving_costs_the_same_few_queries_on_a_short_and_a_long_trajectory(django_assert_num_queries):
    for steps in (2, 60):
        mine = begun(steps=steps, propagation="fill")
        say(mine, (1, "label", 1))
        with django_assert_num_queries(8):  # savepoint, lock, board, supersede, two inserts, annotation, release
            labels.change(
                mine.pk,
                mine.rater.user,
                [labels.Item(step=1, field="label", value=0)],
                change=uuid.uuid4(),
                revision=1,
            )
