"""A trajectory that is a tree is treated as one: what rules fill in and close, and what its steps say of themselves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from django.urls import reverse

from annotations import schemes
from annotations.models import Annotation, Label, Project, Role, Step, Trajectory
from annotations.services import desk, imports, labels, projects, trees
from annotations.services.agreement_rows import gathered
from annotations.services.agreement_silence import Silence
from annotations.services.outcomes import Missing
from tests import make
from tests.db.importing import SAMPLES

pytestmark = pytest.mark.django_db

# The user's turn is 0. 1 and 4 were tried after it, 2 and 3 after 1, 5 after 4.
PARENTS = {1: 0, 2: 1, 3: 1, 4: 0, 5: 4}
VALUES = {"q": 0.875, "visits": 12345, "reward": -0.625, "odd_number": 77.125}


def hung(trajectory: Trajectory, parents: Mapping[int, int] = PARENTS, **extra: Any) -> Trajectory:
    steps = {step.index: step for step in trajectory.steps.all()}
    for index, parent in parents.items():
        steps[index].parent, steps[index].extra = steps[parent], extra
    Step.objects.bulk_update(steps.values(), ["parent", "extra"])
    return trajectory


def begun(scheme: str = "agent-process", **fields: Any) -> Annotation:
    person = make.user()
    project = make.project(person, scheme=make.scheme(scheme), **fields)
    return make.lease(hung(make.trajectory(project, steps=5), values=VALUES), person)


def say(mine: Annotation, *said: tuple[int | None, str, Any]) -> None:
    mine.refresh_from_db()
    items = [labels.Item(step=step, field=field, value=value) for step, field, value in said]
    labels.change(mine.pk, mine.rater.user, items, change=uuid.uuid4(), revision=mine.revision)


def do(deed: Any, mine: Annotation, **more: Any) -> None:
    mine.refresh_from_db()
    deed(mine.pk, mine.rater.user, change=uuid.uuid4(), revision=mine.revision, **more)


def held(mine: Annotation) -> dict[int, Any]:
    """Index of a step → its label, or (label, index of its cause)."""
    rows = Label.objects.current().filter(annotation=mine, step__isnull=False)
    rows = rows.values_list("step__index", "value", "origin", "cause__step__index")
    return {index: (value, cause) if origin == "propagated" else value for index, value, origin, cause in rows}


def page(client: Any, user: Any, name: str, *args: Any) -> str:
    client.force_login(user)
    return str(client.get(reverse(name, args=args)).content.decode())


def labelling(client: Any, mine: Annotation) -> str:
    return page(client, mine.rater.user, "annotate", mine.rater.project.slug, mine.pk)


@pytest.mark.parametrize("policy", ["suggest", "fill"])
def test_an_error_reaches_the_steps_tried_after_it_and_not_its_siblings(policy):
    mine = begun(propagation=policy)
    say(mine, (1, "label", -1), (4, "label", 1))
    do(labels.accept, mine)
    assert held(mine) == {1: -1, 2: (-1, 1), 3: (-1, 1), 4: 1}
    say(mine, (2, "label", 1))
    assert held(mine) == {1: -1, 2: 1, 3: (-1, 1), 4: 1}
    say(mine, (1, "label", None))
    assert held(mine) == {2: 1, 4: 1}
    do(labels.undo, mine)
    assert held(mine) == {1: -1, 2: 1, 3: (-1, 1), 4: 1}


def test_each_way_has_its_own_first_error_and_what_comes_after_it_is_not_asked():
    mine = begun("processbench")
    say(mine, (4, "label", -1), (3, "label", -1))
    do(labels.accept, mine)
    assert held(mine) == {1: (1, 3), 3: -1, 4: -1}
    with pytest.raises(Missing) as refused:
        do(labels.submit, mine)
    assert {one["step"] for one in refused.value.answer["missing"]} == {2}
    say(mine, (2, "label", 1))
    do(labels.submit, mine)
    assert Annotation.objects.get(pk=mine.pk).state == "submitted"


def test_a_row_of_steps_is_no_tree_and_a_tree_knows_its_ends_and_its_depth():
    assert trees.of(make.trajectory(make.project(), steps=2).pk) is None
    tree = trees.of(hung(make.trajectory(make.project(), steps=5)).pk)
    assert tree is not None
    assert tree.after == {1: None, 2: 1, 3: 1, 4: None, 5: 4}
    assert (tree.ends, tree.depth, tree.siblings(3)) == (3, 2, [2, 3])


def test_an_agents_step_hangs_on_the_nearest_of_the_agents_whoever_spoke_between():
    trajectory = make.trajectory(make.project(), steps=5)
    trajectory.steps.filter(index=2).update(source="user")
    tree = trees.of(hung(trajectory, {2: 1, 3: 2, 4: 2, 5: 1}).pk)
    assert tree is not None
    assert tree.after == {1: None, 3: 1, 4: 1, 5: 1}
    assert tree.siblings(3) == [3, 4]


CLOSES = """
name: closes
version: "1"
title: Closes
main: label
fields:
  - {name: label, title: Label, kind: choice, choices: [{value: 1, title: Right}, {value: -1, title: Wrong}]}
  - {name: odd, title: Odd, kind: flag}
rules: [{rule: stop-after-first-error, field: label, value: -1}]
"""


def test_silence_counts_beside_an_error_and_not_below_it():
    person = make.user()
    project = make.project(person, scheme=projects.freeze(schemes.read(CLOSES)))
    trajectory = hung(make.trajectory(project, steps=5))
    mine = make.rater(project, "person", "human", person)
    make.rating(mine, trajectory, [-1, None, None, 1, 1])
    passes = gathered(project)
    asked = Silence(passes).places(passes.scheme.field("odd"))
    assert {passes.steps[one.step].index for one in asked if one.step} == {1, 4, 5}


def test_a_step_says_where_in_the_tree_it_hangs(client):
    html = " ".join(labelling(client, begun()).split())
    assert 'one of 2 tried after <a href="?at=1#step-1">step 1</a>; the other' in html
    assert '<a href="?at=3#step-3" aria-label="step 3">3</a>' in html
    assert "one of 2 tried at the start" in html
    assert html.count('class="besides"') == 4  # the fifth comes right after the one it hangs on, alone


def test_numbers_of_the_file_are_hidden_as_scores_and_outcomes_are(client):
    shown = {
        Project.Mode.BLIND: set(),
        Project.Mode.REFERENCE: {"reward"},
        Project.Mode.ASSISTED: {"q", "visits"},
        Project.Mode.PROGRESSIVE: set(),
    }
    words = {"q": "0.875", "visits": "12345", "reward": "0.625", "odd_number": "77.12"}
    for mode, names in shown.items():
        mine = begun(mode=mode)
        slug, pk = mine.rater.project.slug, mine.trajectory_id
        html = labelling(client, mine) + page(client, mine.rater.user, "trajectory", slug, pk)
        assert {name for name, text in words.items() if text in html} == names, mode
        lead = make.user()
        make.member(mine.rater.project, lead, Role.OWNER)
        assert all(text in page(client, lead, "trajectory", slug, pk) for text in words.values())


def test_what_is_not_shown_yet_is_no_sibling(client):
    mine = begun(mode=Project.Mode.PROGRESSIVE)
    mine.frontier = 2
    mine.save()
    html = " ".join(labelling(client, mine).split())
    slug = mine.rater.project.slug
    html += page(client, mine.rater.user, "trajectory", slug, mine.trajectory_id)
    assert "one of" not in html
    assert "<dt>A tree</dt>" not in html
    assert desk.desk(mine)["after"] == [None, 1]


def test_cards_say_who_speaks_and_which_part_of_a_message_they_are(client):
    person = make.user()
    project = make.project(person)
    trajectory = make.trajectory(project, steps=2)
    one, two = trajectory.steps.of_agent()
    one.extra = {"fields": {"name": "<b>Plan\u202ener</b>"}}
    two.extra = {"fields": {"name": ["no", "text"]}, "part": {"of": 1, "number": 2, "many": 3}}
    two.outline = {}
    Step.objects.bulk_update([one, two], ["extra"])
    html = labelling(client, make.lease(trajectory, person))
    assert "&lt;b&gt;Plan" in html
    assert "\u202e" not in html
    assert "part 2 of 3 of a message" in html
    assert html.count('class="besides"') == 2


def test_what_stands_beside_steps_costs_no_query_a_step(client, django_assert_max_num_queries):
    person = make.user()
    project = make.project(person)
    made = [make.trajectory(project, steps=steps) for steps in (2, 15)]
    counts = []
    for seat, trajectory in enumerate(made):
        count = trajectory.steps.count()
        hung(trajectory, dict.fromkeys(range(1, count), 0), fields={"name": "Ada"})
        trajectory.steps.update(outline=[])
        mine = make.lease(trajectory, person, seat=seat)
        labelling(client, mine)
        with django_assert_max_num_queries(200) as asked:
            html = labelling(client, mine)
        assert html.count("Ada") == count - 1
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_sample_of_search_trees_opens_as_trees():
    project = make.project()
    imports.import_trajectories(project, [SAMPLES / "search-tree.jsonl"])
    found = [trees.of(pk) for pk in project.trajectories.values_list("pk", flat=True)]
    assert all(found)
    assert len(found) == 5
