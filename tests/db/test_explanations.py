"""Why a label is what it is: kept with it, in its history, and carried along when the answer changes."""

from __future__ import annotations

import uuid

import pytest

from annotations.models import Annotation, Label
from annotations.services import labels
from annotations.services.outcomes import Conflict, Item, NotAccepted
from tests.db.test_labels import begun, do

pytestmark = pytest.mark.django_db


def tell(mine: Annotation, step: int, value: int | None, why: str | None = None, **more: object) -> None:
    mine.refresh_from_db()
    item = Item(step=step, field="label", value=value)
    if why is not None:
        item["explanation"] = why
    options = {"change": uuid.uuid4(), "revision": mine.revision} | more
    labels.change(mine.pk, mine.rater.user, [item], **options)  # type: ignore[arg-type]


def whys(mine: Annotation) -> list[tuple[int, str]]:
    return list(Label.objects.current().filter(annotation=mine, field="label").values_list("value", "explanation"))


def test_an_explanation_comes_with_the_label_and_outlives_a_change_of_mind():
    mine = begun()
    tell(mine, 1, -1, "It read the wrong row.")
    tell(mine, 1, 0)
    assert whys(mine) == [(0, "It read the wrong row.")]
    tell(mine, 1, 0, "")
    assert whys(mine) == [(0, "")]
    do(labels.undo, mine)
    assert whys(mine) == [(0, "It read the wrong row.")]


def test_to_explain_a_label_keeps_the_labels_it_caused():
    mine = begun()
    tell(mine, 1, -1)
    do(labels.accept, mine)
    tell(mine, 1, -1, "Made up.")
    carried = Label.objects.current().filter(annotation=mine, origin="propagated")
    assert {one.cause.explanation for one in carried} == {"Made up."}


def test_only_an_answer_can_be_explained():
    mine = begun()
    with pytest.raises(NotAccepted, match="Only an answer"):
        tell(mine, 1, None, "Because.")
    with pytest.raises(NotAccepted, match="cannot be stored"):
        tell(mine, 1, 1, "\x00")
    assert whys(mine) == []


def test_an_explanation_of_the_same_answer_given_elsewhere_is_no_conflict():
    mine = begun()
    tell(mine, 1, -1)
    tell(mine, 1, -1, "Here.", revision=1)
    tell(mine, 1, -1, "There.", revision=1)
    assert whys(mine) == [(-1, "There.")]
    with pytest.raises(Conflict):
        tell(mine, 1, 1, revision=1)


def test_a_label_names_the_guideline_it_was_given_under_and_the_time_it_took():
    mine = begun()
    guideline = mine.rater.project.guidelines.get()
    Annotation.objects.filter(pk=mine.pk).update(guideline=guideline)
    tell(mine, 1, -1, time_ms=700)
    do(labels.accept, mine)
    rows = Label.objects.current().filter(annotation=mine).order_by("step__index")
    assert {row.guideline_id for row in rows} == {guideline.pk}
    assert [row.time_ms for row in rows] == [700, None, None, None]
