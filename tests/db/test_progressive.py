"""A first pass without hindsight: the next step comes when this one is labelled, then all; both passes are kept."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from annotations.models import Annotation, Event, Project, Step, Trajectory
from annotations.services import exports, labels, progressive, queue
from annotations.services.outcomes import Closed, Missing, NotAccepted, NotRevealed
from annotations.services.progressive import Hindsight, Shift, Tally
from tests import make
from tests.db.test_labels import do, held, say

pytestmark = pytest.mark.django_db


def with_replies(project: Project, steps: int = 3) -> Trajectory:
    """Agent steps 1, 3, 5… with what the user says after each."""
    made = make.trajectory(project, steps=0)
    for number in range(steps):
        at = 1 + 2 * number
        Step.objects.create(
            trajectory=made, index=at, source="agent", source_index=at, message=f"Act {number}.", content_hash=f"{at}"
        )
        Step.objects.create(
            trajectory=made,
            index=at + 1,
            source="user",
            source_index=at + 1,
            message=f"Reply {number}.",
            content_hash="u",
        )
    return made


@pytest.fixture
def mine() -> Annotation:
    person = make.user()
    project = make.project(person, mode="progressive")
    with_replies(project)
    leased = queue.lease_next(project, person)
    assert leased is not None
    return leased


def reveal(mine: Annotation) -> None:
    progressive.reveal(mine.pk, mine.rater.user)
    mine.refresh_from_db()


def through(mine: Annotation, *values: int) -> None:
    for place, value in enumerate(values):
        say(mine, (1 + 2 * place, "label", value))


def test_it_begins_with_the_first_step_and_goes_on_as_one_labels(mine):
    assert mine.frontier == 1
    assert say(mine, (1, "label", 1)).frontier == 3
    assert say(mine, (3, "label", -1)).frontier == 5
    assert say(mine, (5, "label", -1)).frontier == 6  # what was said after the last step


def test_a_step_that_is_not_shown_yet_does_not_exist(mine):
    with pytest.raises(NotAccepted) as refused:
        say(mine, (3, "label", 1))
    assert refused.value.answer["accepted"] == [1]
    assert held(mine) == {}


def test_a_note_or_a_suggestion_does_not_bring_the_next_step_but_taking_the_suggestion_does(mine):
    assert say(mine, (1, "note", "Hm.")).frontier == 1
    assert say(mine, (1, "label", -1)).frontier == 3  # the second step is carried on to
    assert say(mine, (3, "note", "Hm.")).frontier == 3
    outcome = do(labels.accept, mine)
    assert held(mine) == {1: -1, 3: (-1, 1)}
    assert outcome.frontier == 5
    assert say(mine, (3, "label", -1)).frontier == 5


def test_taking_a_label_back_hides_nothing_that_was_seen(mine):
    say(mine, (1, "label", 1))
    say(mine, (1, "label", None))
    mine.refresh_from_db()
    assert mine.frontier == 3
    do(labels.undo, mine)
    mine.refresh_from_db()
    assert mine.frontier == 3


def test_where_the_project_fills_a_first_pass_only_suggests():
    person = make.user()
    project = make.project(person, mode="progressive", propagation="fill")
    with_replies(project)
    leased = queue.lease_next(project, person)
    assert leased is not None
    say(leased, (1, "label", -1))
    leased.refresh_from_db()
    assert (leased.propagation, leased.frontier) == ("suggest", 3)
    assert held(leased) == {1: -1}


def test_it_is_revealed_once_every_step_is_labelled_and_handed_in_only_then(mine):
    say(mine, (1, "label", 1))
    with pytest.raises(Missing) as missing:
        reveal(mine)
    assert missing.value.answer["missing"] == [{"step": 3, "field": "label"}]
    with pytest.raises(NotRevealed):
        do(labels.submit, mine)
    through(mine, 1, -1, -1)
    reveal(mine)
    assert mine.frontier is None
    at = mine.revealed_at
    reveal(mine)
    assert mine.revealed_at == at
    say(mine, (None, "final", -1))
    assert do(labels.submit, mine).state == "submitted"


def test_a_closed_pass_is_not_revealed(mine):
    through(mine, 1, 1, 1)
    labels.skip(mine.pk, mine.rater.user, "Unclear.")
    with pytest.raises(Closed):
        reveal(mine)


def test_both_passes_are_kept_and_what_hindsight_changed_is_told(mine):
    through(mine, 1, 1, -1)
    assert progressive.hindsight([mine], "label") == {}
    assert progressive.first_pass(mine, "label") == {}
    reveal(mine)
    say(mine, (1, "label", -1))
    say(mine, (5, "label", 0))
    say(mine, (5, "label", -1))  # and back again
    assert progressive.first_pass(mine, "label") == {1: 1, 3: 1, 5: -1}
    assert held(mine) == {1: -1, 3: 1, 5: -1}
    assert progressive.hindsight([mine], "label") == {mine.pk: [Hindsight(1, 1, -1)]}
    assert Event.objects.filter(annotation=mine, verb="reveal").count() == 1


def test_what_hindsight_did_in_the_project_is_counted(mine):
    through(mine, 1, 1, -1)
    project = mine.rater.project
    assert progressive.tally(project, "label") == Tally(0, 0, [])
    reveal(mine)
    say(mine, (1, "label", -1))
    say(mine, (3, "label", None))
    assert progressive.tally(project, "label") == Tally(1, 3, [Shift(1, -1, 1), Shift(1, None, 1)])
    assert progressive.tally(project, "label").changed == 2


def test_an_export_tells_both_passes(mine, tmp_path):
    from pyarrow import parquet

    through(mine, 1, 1, -1)
    reveal(mine)
    say(mine, (1, "label", -1), (None, "final", -1))
    do(labels.submit, mine)
    result = exports.export(mine.rater.project, "parquet", tmp_path)
    rows = parquet.read_table(tmp_path / result["files"][0]).to_pylist()
    told = {row["step"]: (row["value"], row["first_value"], row["mode"]) for row in rows if row["field"] == "label"}
    assert told == {1: ("-1", "1", "progressive"), 3: ("1", "1", "progressive"), 5: ("-1", "-1", "progressive")}


def test_other_modes_have_nothing_to_reveal():
    person = make.user()
    other = make.lease(make.trajectory(make.project(person)), person)
    before = other.revision
    assert progressive.reveal(other.pk, person).revision == before


# --- Nothing of a later step is in any answer -------------------------------------------------------------------------

LATER = ["Act 1", "Act 2", "Reply 0", "Reply 1", "Reply 2"]


def doors_of(mine: Annotation) -> list[str]:
    here = f"/p/{mine.rater.project.slug}/label/{mine.pk}/"
    steps = [f"{here}text/{index}/message/" for index in range(7)]
    return [here, f"{here}?at=6", f"{here}cards?from=0&to=60", f"{here}desk", f"{here}state", f"{here}find?q=e", *steps]


def test_the_label_page_sends_no_step_before_its_time(mine, client: Client):
    client.force_login(mine.rater.user)
    for door in doors_of(mine):
        text = client.get(door).content.decode()
        assert [word for word in LATER if word in text] == [], door
    assert client.get(doors_of(mine)[3]).json()["steps"] == [[1, 1, 1]]
    hits = client.get(f"/p/{mine.rater.project.slug}/label/{mine.pk}/find?q=reply").json()
    assert hits == {"hits": [], "next": None}
    say(mine, (1, "label", 1))
    text = client.get(f"/p/{mine.rater.project.slug}/label/{mine.pk}/cards?from=0&to=60").content.decode()
    assert [word for word in LATER if word in text] == ["Act 1", "Reply 0"]


def test_posting_to_a_later_step_tells_nothing_of_it(mine, client: Client):
    client.force_login(mine.rater.user)
    here = f"/p/{mine.rater.project.slug}/label/{mine.pk}/change"

    def told(step: int) -> dict[str, Any]:
        item = {"step": step, "field": "label", "value": 1}
        body = {"change": str(uuid.uuid4()), "revision": 0, "items": [item]}
        return client.post(here, body, content_type="application/json").json()

    there, nowhere = told(3), told(4_000)
    assert there["error"].replace("3", "N") == nowhere["error"].replace("4000", "N")
    assert there["accepted"] == nowhere["accepted"] == [1]


def test_what_was_carried_on_is_taken_step_by_step_and_nothing_is_revealed_before_all_were_shown(mine):
    person = mine.rater.user
    say(mine, (1, "label", -1))
    for step in (3, 5):
        with pytest.raises(Missing):
            progressive.reveal(mine.pk, person)
        mine.refresh_from_db()
        assert mine.frontier == step
        labels.accept(mine.pk, person, change=uuid.uuid4(), revision=mine.revision)
        mine.refresh_from_db()
    reveal(mine)
    assert progressive.first_pass(mine, "label") == {1: -1, 3: -1, 5: -1}


def test_labels_alone_do_not_end_the_first_pass_where_a_step_was_never_shown(mine):
    say(mine, (1, "label", 1))
    Annotation.objects.filter(pk=mine.pk).update(frontier=1)
    with pytest.raises(Missing):
        progressive.reveal(mine.pk, mine.rater.user)
