"""Finding trajectories: by what they did, by who is at work on them, in any order, from page to page and back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Project, Step, Thread, User
from annotations.services import browse, filters
from annotations.services.filters import SORTS
from tests import make
from tests.db.test_pages import enter
from tests.db.test_pages_lists import scored, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User) -> Client:
    return enter(owner)


def page(client: Client, project: Project, **asked: Any) -> str:
    return client.get(reverse("trajectories", args=[project.slug]), asked).content.decode()


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_pages_forward_and_back_over_ties_without_gap_or_repetition(
    sort: str, client: Client, project: Project
) -> None:
    judge, other = make.rater(project), make.rater(project)
    run = None
    for number in range(browse.PER_PAGE * 2 + 3):
        one = make.trajectory(project, steps=1 + number % 3)
        values = [-1 if number % 4 == place else 1 for place in range(1 + number % 3)]
        make.rating(judge, one, values)
        make.rating(other, one, [1] * len(values))
        if number % 5:
            run = scored(one, [(number % 7) / 10] * len(values), run)
    address = reverse("trajectories", args=[project.slug])
    forward, query = [], f"?sort={sort}"
    while query:
        answer = client.get(address + query)
        forward.append([row.id for row in answer.context["page"].rows])
        query = answer.context["next"]
    every = [pk for one in forward for pk in one]
    assert len(every) == len(set(every)) == browse.PER_PAGE * 2 + 3
    backward, query = [forward[-1]], answer.context["previous"]
    while query:
        answer = client.get(address + query)
        backward.append([row.id for row in answer.context["page"].rows])
        query = answer.context["previous"]
    assert backward[::-1] == forward


def test_orders_put_first_what_they_are_about(client: Client, project: Project) -> None:
    judge, other = make.rater(project), make.rater(project)
    late, early, never = (make.trajectory(project, steps=steps) for steps in (4, 3, 2))
    make.rating(judge, late, [1, 1, 1, -1])
    make.rating(judge, early, [1, -1, -1])
    make.rating(other, early, [1, 1, 1])
    names = {one.pk: name for one, name in ((late, "late"), (early, "early"), (never, "never"))}
    external = {one.external_id: names[one.pk] for one in (late, early, never)}

    def order(sort: str) -> list[str]:
        return [external[name] for name in shown(client, project, sort=sort)]

    assert order("first_error") == ["early", "late", "never"]
    assert order("-first_error") == ["late", "early", "never"]
    assert order("-steps") == ["late", "early", "never"]
    assert order("steps") == ["never", "early", "late"]
    assert order("-differ")[0] == "early"
    rows = client.get(reverse("trajectories", args=[project.slug])).context["page"].rows
    assert [(row.steps, row.first_error, row.differ) for row in rows] == [(4, 4, 0), (3, 2, 2), (2, None, 0)]


def test_a_first_error_is_shown_and_found_by_the_number_the_step_has_on_its_page(
    client: Client, project: Project
) -> None:
    judge = make.rater(project)
    one, other = make.trajectory(project, steps=4), make.trajectory(project, steps=4)
    one.steps.filter(index=2).update(source=Step.Source.USER)  # between the first and the second step
    make.rating(judge, one, [1, -1, 1])
    make.rating(judge, other, [1, 1, -1, 1])
    rows = client.get(reverse("trajectories", args=[project.slug])).context["page"].rows
    assert [(row.first_error, row.first_error_step) for row in rows] == [(3, 2), (3, 3)]
    assert '?at=3#step-3">step 2</a>' in page(client, project)
    assert shown(client, project, first_error=2) == [one.external_id]
    assert shown(client, project, first_error=3) == [other.external_id]
    assert shown(client, project, first_error=4) == []


def test_the_list_finds_by_the_tool_that_was_called(client: Client, project: Project) -> None:
    one, other = make.trajectory(project), make.trajectory(project)
    arguments = '{"name":"buy","note":"\\"name\\":\\"sell\\""}'
    one.steps.filter(index=2).update(tool_calls=[{"id": "a", "name": "50%_off", "arguments": arguments}])
    assert shown(client, project, tool="50%_off") == [one.external_id]
    assert shown(client, project, tool="look") == [one.external_id, other.external_id]
    for tool in ("50", "%", "buy", "sell", "Look", '"'):
        assert shown(client, project, tool=tool) == [], f"{tool} is no tool that was called"


def test_the_tools_on_offer_are_those_of_the_tasks(client: Client, project: Project) -> None:
    tools = [{"type": "function", "function": {"name": "search"}}, {"name": "bash"}, "odd", {"function": 3}]
    make.trajectory(project, of=make.task(project, tools=tools))
    make.trajectory(project, of=make.task(project, tools={"not": "a list"}))
    answer = client.get(reverse("trajectory_choices", args=[project.slug, "tool"])).content.decode()
    assert [name for name in ("bash", "search", "odd") if f'value="{name}"' in answer] == ["bash", "search"]


def test_the_list_finds_by_the_number_of_the_agents_steps(client: Client, project: Project) -> None:
    names = {steps: make.trajectory(project, steps=steps).external_id for steps in (1, 3, 5)}
    assert shown(client, project, steps_from=3) == [names[3], names[5]]
    assert shown(client, project, steps_to=3) == [names[1], names[3]]
    assert shown(client, project, steps_from=2, steps_to=4) == [names[3]]
    assert shown(client, project, steps_to=0) == []


def test_the_list_finds_by_where_peoples_work_stands(client: Client, project: Project, owner: User) -> None:
    person, judge = make.user(), make.rater(project, "judge")
    make.member(project, person)
    begun, done, untouched = (make.trajectory(project) for _ in range(3))
    make.lease(begun, person, state=Annotation.State.DRAFT)
    make.lease(done, person, state=Annotation.State.SUBMITTED)
    make.rating(judge, untouched, [1, 1, 1])
    make.rating(judge, begun, [1, 1, 1])
    assert shown(client, project, state="draft") == [begun.external_id]
    assert shown(client, project, state="submitted") == [done.external_id], "what was imported is nobody's work"
    assert shown(client, project, state="none") == [untouched.external_id]
    assert shown(client, project, state="submitted", rater="judge") == [begun.external_id, untouched.external_id]
    assert shown(client, project, state="none", rater="judge") == [done.external_id]
    assert shown(client, project, mine=1) == []
    make.lease(untouched, owner)
    assert shown(client, project, mine=1) == [untouched.external_id]
    assert shown(client, project, mine=1, state="none") == [begun.external_id, done.external_id]


def test_a_lead_finds_every_open_question_and_an_annotator_their_own(project: Project, owner: User) -> None:
    people = [make.user() for _ in range(2)]
    asked = [make.trajectory(project) for _ in range(3)]
    for person, one in zip(people, asked, strict=False):
        make.member(project, person)
        Thread.objects.create(project=project, trajectory=one, kind=Thread.Kind.ASK, begun_by=person)
    closed = Thread.objects.create(project=project, trajectory=asked[2], kind=Thread.Kind.FLAG, begun_by=people[0])
    closed.closed_at = closed.created_at
    closed.save()
    assert shown(enter(owner), project, questions=1) == [asked[0].external_id, asked[1].external_id]
    assert "1 open" in page(enter(owner), project)
    assert shown(enter(people[0]), project, questions=1) == [asked[0].external_id]
    assert page(enter(people[1]), project).count("1 open") == 1


def test_what_of_the_address_cannot_be_taken_is_said_and_the_rest_holds(client: Client, project: Project) -> None:
    one = make.trajectory(project, policy_model="small")
    make.trajectory(project, policy_model="large")
    answer = page(client, project, model="small", first_error="soon<b>", colour="red", sort="size")
    assert "First error at step: found “soon&lt;b&gt;”; accepted is a whole number from 1." in answer
    assert "There is no filter called “colour”" in answer
    assert "Order: found “size”" in answer
    assert shown(client, project, model="small", first_error="soon") == [one.external_id]


def test_filters_that_are_on_are_chips_that_take_them_away(client: Client, project: Project) -> None:
    make.trajectory(project, policy_model="small")
    answer = client.get(
        reverse("trajectories", args=[project.slug]), {"model": "small", "label": "-1", "sort": "newest"}
    )
    assert [chip.words for chip in answer.context["chips"]] == ["Policy model: small", "Label: Wrong"]
    body = answer.content.decode()
    assert 'href="?model=small&amp;sort=newest"' in body
    assert "Take all away" in body
    assert "Nothing fits" in body


def test_a_column_sorts_and_says_so(client: Client, project: Project) -> None:
    make.trajectory(project)
    body = page(client, project, model="", sort="-steps")
    assert 'aria-sort="descending"><a href="?sort=steps">Steps</a>' in body
    assert body.count("aria-sort") == 1


def long(project: Project, steps: int) -> Any:
    """A trajectory of that many steps, one of them wrong in the middle of it."""
    one = make.trajectory(project, steps=1)
    Step.objects.bulk_create(
        Step(trajectory=one, index=number, source="agent", source_index=number, content_hash=f"{number:064x}")
        for number in range(2, steps + 1)
    )
    make.rating(
        make.rater(project, "gold", "import"), one, [-1 if number == steps // 2 else 1 for number in range(steps)]
    )
    return one


def test_the_strip_of_a_long_trajectory_is_short_and_hides_no_error(client: Client, project: Project) -> None:
    long(project, 1_000)
    project.reference = project.raters.get()
    project.save()
    answer = client.get(reverse("trajectories", args=[project.slug]))
    (row,) = answer.context["page"].rows
    (strip,) = row.strips
    assert len(strip.cells) <= browse.MINI
    assert [mark.words for mark, _ in strip.cells].count("−1") == 1
    assert {mark.words: count for mark, count in strip.counts.items()} == {"+1": 999, "−1": 1}
    assert 'aria-label="gold: 1,000 steps: ' in answer.content.decode()
    assert (row.steps, row.first_error, row.differ) == (1_000, 501, None)
    assert len(answer.content) < 20_000


def test_an_annotator_sorts_and_pages_by_their_own_alone(project: Project) -> None:
    person = make.user()
    make.member(project, person)
    own = make.rater(project, person.username, "human", person)
    judge = make.rater(project, "the-judge")
    mine, theirs = make.trajectory(project), make.trajectory(project)
    make.rating(judge, theirs, [-1, 1, 1])
    make.rating(own, mine, [1, 1, -1])
    client = enter(person)
    assert shown(client, project, sort="first_error") == [mine.external_id, theirs.external_id]
    rows = client.get(reverse("trajectories", args=[project.slug])).context["page"].rows
    assert [(row.first_error, row.low, row.differ, row.came_of_it) for row in rows] == [
        (3, None, None, ""),
        (None, None, None, ""),
    ]
    body = page(client, project, sort="-differ")
    assert "That order is not yours to ask for here" in body
    assert "sort=-differ" not in body
    for name in filters.SORTS:
        assert shown(client, project, sort=name)
