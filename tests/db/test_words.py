"""Searching the texts of steps, and keeping views of the list."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotations.models import Role, SavedView, Step
from annotations.services import views, words
from annotations.services.outcomes import NotAccepted
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make.project(owner=make.user("lead"))


def found(project, asked: str, **more) -> list[tuple[str, int]]:
    return [(hit.name, hit.index) for hit in words.search(project, asked, **more).hits]


def test_words_are_found_in_what_was_said_called_and_seen(project):
    one = make.trajectory(project, steps=2)
    Step.objects.filter(trajectory=one, index=1).update(
        message="The refund policy says no.", reasoning="Hidden thought"
    )
    Step.objects.filter(trajectory=one, index=2).update(observations=[{"content": "A café in Århus"}])
    name = one.external_id
    assert found(project, "refund") == found(project, '"refund policy"') == [(name, 1)]
    assert found(project, '"policy refund"') == []
    assert found(project, "thought or café") == [(name, 1), (name, 2)]
    assert found(project, "look -refund", source="agent") == [(name, 2)]
    assert found(project, "look", source="user") == []


def test_only_live_trajectories_of_the_project_are_searched(project):
    one, other = make.trajectory(project, steps=1), make.trajectory(make.project(), steps=1)
    for trajectory in (one, other):
        trajectory.steps.filter(index=1).update(message="refund")
    assert found(project, "refund") == [(one.external_id, 1)]
    one.superseded_at = one.created_at
    one.save()
    assert found(project, "refund") == []


def test_what_was_found_is_shown_in_pieces_and_no_text_makes_markup(project):
    one = make.trajectory(project, steps=1)
    text = f"refund {words.OPEN}<script>alert(1)</script>{words.CLOSE} & more"
    one.steps.filter(index=1).update(message=text)
    [hit] = words.search(project, "refund").hits
    assert [piece for piece, is_found in hit.pieces if is_found] == ["refund"]
    shown = "".join(piece for piece, _ in hit.pieces)
    assert "alert(1)" in shown
    assert words.OPEN not in shown


def test_pages_follow_each_other_and_huge_texts_are_taken_down_as_far_as_they_go(project):
    trajectory = make.trajectory(project, steps=words.PAGE + 5)
    huge = " ".join(f"word{number}é" for number in range(400_000))
    trajectory.steps.filter(index=1).update(message=f"refund {huge}", reasoning=huge)
    trajectory.steps.filter(index__gt=1).update(message="refund")
    first = words.search(project, "refund")
    assert (len(first.hits), first.missing) == (words.PAGE, 0)
    rest = words.search(project, "refund", after=first.after)
    assert (len(rest.hits), rest.after) == (5, None)


@pytest.mark.parametrize("asked", ["'", '"', "-", "or", "& | !", "\x00", "((", "\\"])
def test_whatever_is_asked_is_no_error(project, asked):
    make.trajectory(project)
    assert words.search(project, asked).hits == []


def test_the_page_is_for_those_who_see_everything(project, client):
    one = make.trajectory(project, steps=1)
    one.steps.filter(index=1).update(message="<b>refund</b>")
    client.force_login(project.memberships.get().user)
    page = client.get(reverse("search", args=[project.slug]), {"q": "refund"}).content.decode()
    assert "<mark>refund</mark>" in page
    assert "<b>" not in page.replace("&lt;b&gt;", "").split('class="hit"')[1].split("</p>")[0]
    annotator = make.user()
    make.member(project, annotator, Role.ANNOTATOR)
    client.force_login(annotator)
    assert client.get(reverse("search", args=[project.slug]), {"q": "refund"}).status_code == 403


def test_a_view_is_kept_opened_and_removed(project, client):
    lead = project.memberships.get().user
    client.force_login(lead)
    asked = {"name": " Long  ones ", "query": "sort=-steps&differ=1&after=77"}
    answer = client.post(reverse("view_save", args=[project.slug]), asked)
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("Long ones", "sort=-steps&differ=1")
    assert answer.url.endswith("?sort=-steps&differ=1")
    assert "Long ones" in client.get(reverse("trajectories", args=[project.slug])).content.decode()
    with pytest.raises(NotAccepted, match="already"):
        views.save(project, lead, "Long ones", "")
    client.post(reverse("view_remove", args=[project.slug, view.pk]))
    assert not SavedView.objects.exists()
    assert [one.verb for one in project.events.order_by("pk")][-2:] == ["view.saved", "view.removed"]


def test_a_view_goes_out_as_it_shows_things_then(project, tmp_path):
    lead = project.memberships.get().user
    rater = make.rater(project, "gold")
    short, long = make.trajectory(project, steps=1), make.trajectory(project, steps=5)
    for one, count in ((short, 1), (long, 5)):
        make.rating(rater, one, [1] * count, 1)
    views.save(project, lead, "Long ones", "steps_from=3&sort=-steps")
    assert list(views.shown(project, "Long ones")) == [long.pk]
    out = tmp_path / "out"
    call_command("export", project.slug, format="stepmark", view="Long ones", rater=["gold"], out=str(out))
    card = (out / "README.md").read_text()
    assert "Long ones" in card
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["filters"]["view"] == "Long ones"
    assert manifest["counts"]["rows"] == 1
    with pytest.raises(CommandError, match="no view 'Short ones'; there are Long ones"):
        call_command("export", project.slug, format="stepmark", view="Short ones", rater=["gold"], out=str(out))
