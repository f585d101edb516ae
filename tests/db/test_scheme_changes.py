"""A live project goes on under another version of its scheme: labels go along, nothing is lost, and one can go back."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import jobs, schemes
from annotations.models import Annotation, Event, Label, Look, Project, ProjectScheme, Run, User
from annotations.services import (
    labels,
    projects,
    scheme_changes,
    scheme_lost,
    scheme_passes,
    scheme_texts,
    scheme_writing,
    successors,
)
from annotations.services.outcomes import NotAccepted
from annotations.services.scheme_changes import Changed
from annotations.services.scheme_plan import Plan
from tests import make

pytestmark = pytest.mark.django_db

State = Annotation.State
ONE = """
name: ours
version: "1"
title: Ours
main: label
final: final
fields:
  - name: label
    title: Step
    target: step
    kind: choice
    level: ordinal
    required: true
    choices: [{value: 1, title: Right, keys: ["1"]}, {value: 0, title: Neutral}, {value: -1, title: Wrong}]
  - {name: correction, title: Correction, target: step, kind: flag, key: c}
  - name: final
    title: Final
    target: trajectory
    kind: choice
    choices: [{value: 1, title: Solved}, {value: -1, title: Failed}]
rules:
  - {rule: carry-forward, field: label, value: -1, until: correction}
"""
NO_NEUTRAL = ONE.replace("{value: 0, title: Neutral}, ", "").replace('"1"\ntitle', '"2"\ntitle')
CAUSE = "  - {name: cause, title: Cause, target: step, kind: text, key: n}\nrules:"
ASKS_MORE = NO_NEUTRAL.replace("rules:", CAUSE.replace("kind: text", "kind: text, required: true"))
RENAMED = ONE.replace('"1"\ntitle', '"3"\ntitle').replace("value: -1, title: Wrong", "value: bad, title: Bad")
RENAMED = RENAMED.replace("value: -1, until", "value: bad, until") + "renames: [{field: label, from: -1, to: bad}]\n"


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(ann: User, owner: User) -> Project:
    scheme = projects.freeze(schemes.read(ONE))
    made = make.project(ann, owner=owner, scheme=scheme, propagation=Project.Propagation.FILL)
    version = scheme_texts.save(made, ONE, owner)
    scheme_texts.mark_used(version)
    return made


@pytest.fixture
def mine(project: Project, ann: User) -> Annotation:
    """Handed in: right, neutral, wrong, and wrong because of that; solved."""
    mine = make.lease(make.trajectory(project, steps=4), ann)
    say(mine, 1, "label", 1)
    say(mine, 2, "label", 0)
    say(mine, 3, "label", -1, explanation="It reads the wrong page.")
    say(mine, None, "final", 1)
    labels.submit(mine.pk, ann, change=uuid.uuid4(), revision=revision(mine))
    mine.refresh_from_db()
    return mine


def revision(annotation: Annotation) -> int:
    return Annotation.objects.values_list("revision", flat=True).get(pk=annotation.pk)


def say(annotation: Annotation, step: int | None, field: str, value: Any, **more: Any) -> None:
    user = annotation.rater.user
    assert user
    item: Any = {"step": step, "field": field, "value": value, **more}
    labels.change(annotation.pk, user, [item], change=uuid.uuid4(), revision=revision(annotation), time_ms=700)


def put(project: Project, text: str, by: User) -> Changed:
    made = scheme_changes.change(project, scheme_texts.save(project, text, by), by)
    assert isinstance(made, Changed)
    return made


def said(annotation: Annotation) -> dict[tuple[int | None, str], Any]:
    rows = annotation.labels.current().values_list("step__index", "field", "value")
    return {(step, field): value for step, field, value in rows}


def live(annotation: Annotation) -> Annotation:
    return Annotation.objects.live().get(rater=annotation.rater_id, trajectory=annotation.trajectory_id)


def everything() -> list[Any]:
    """All rows that say something, as they are stored."""
    return [
        list(model.objects.order_by("pk").values())  # type: ignore[attr-defined]
        for model in (Annotation, Label, Look, Event, ProjectScheme)
    ] + [list(Project.objects.values("slug", "scheme"))]


def test_labels_that_map_exactly_go_along_with_who_said_them_when_and_why(project, mine, owner):
    put(project, RENAMED, owner)
    new = live(mine)
    assert new.pk != mine.pk and new.scheme == Project.objects.get(pk=project.pk).scheme
    assert said(new) == {
        (1, "label"): 1,
        (2, "label"): 0,
        (3, "label"): "bad",
        (4, "label"): "bad",
        (None, "final"): 1,
    }
    facts = ("origin", "explanation", "time_ms", "guideline", "revision", "created_at", "cause__step__index")
    assert facts_of(new, facts) == facts_of(mine, facts)
    filled = new.labels.get(step__index=4)
    assert filled.cause and filled.cause.annotation_id == new.pk and filled.cause.value == "bad"
    assert (new.state, new.seat, new.revision, new.submitted_at) == (
        State.SUBMITTED,
        0,
        mine.revision,
        mine.submitted_at,
    )


def facts_of(annotation: Annotation, names: Sequence[str]) -> dict[Any, Any]:
    rows = annotation.labels.current().values_list("step__index", "field", *names)
    return {row[:2]: row[2:] for row in rows}


def test_the_old_pass_stays_whole(project, mine, owner):
    before = list(mine.labels.order_by("pk").values())
    put(project, NO_NEUTRAL, owner)
    mine.refresh_from_db()
    assert mine.retired_at is not None and mine.seat is None and mine.state == State.SUBMITTED
    assert list(mine.labels.order_by("pk").values()) == before


def test_what_has_no_counterpart_becomes_no_label_and_is_listed(project, mine, owner):
    made = put(project, NO_NEUTRAL, owner)
    assert (2, "label") not in said(live(mine))
    field = made.plan.fields["label"]
    assert (field.becomes, field.kept, field.gone) == ("label", 3, 1)
    (example,) = field.examples
    assert (example.step, example.rater, example.value) == (2, "ann", 0)
    assert example.why == "label takes one of 1, -1, not 0"
    (event,) = Event.objects.filter(annotation=live(mine), verb="scheme.carried_over")
    assert event.after["lost"] == [{"step": 2, "field": "label", "value": 0, "why": example.why}]


def test_the_list_can_be_downloaded_before_and_after_and_is_the_same(project, mine, owner):
    trajectory = mine.trajectory
    trajectory.external_id = "=cmd()"
    trajectory.save()
    before = list(scheme_changes.unmapped(project, schemes.read(NO_NEUTRAL)))
    made = put(project, NO_NEUTRAL, owner)
    after = list(scheme_lost.of_change(project, made.change))
    assert before == after and len(after) == 1
    (row,) = csv.DictReader(io.StringIO("".join(scheme_lost.as_csv(after))))
    assert (row["trajectory"], row["step"], row["field"], row["value"]) == ("'=cmd()", "2", "label", "0")


def test_the_preview_is_what_then_happens_and_writes_nothing(project, mine, owner):
    make.rating(make.rater(project, "j"), make.trajectory(project), [0, 1, -1], final=-1)
    version = scheme_texts.save(project, ASKS_MORE, owner)
    stored = everything()
    plan = scheme_changes.preview(project, schemes.read(ASKS_MORE))
    assert everything() == stored
    made = scheme_changes.change(project, version, owner)
    assert isinstance(made, Changed) and made.plan.as_json() == plan.as_json()
    assert plan.counts == {"passes": 2, "restored": 0, "returned": 1, "labels": 7, "unmapped": 2}
    assert plan.fresh == [{"name": "cause", "title": "Cause", "required": True}]


def test_a_pass_that_now_lacks_an_answer_comes_back_to_its_person_with_the_reason(project, mine, owner, ann):
    put(project, NO_NEUTRAL, owner)
    new = live(mine)
    assert (new.state, new.submitted_at, new.seat) == (State.RETURNED, None, 0)
    assert "scheme was changed" in new.comment and new.lease_until is not None
    say(new, 2, "label", 1)
    labels.submit(new.pk, ann, change=uuid.uuid4(), revision=revision(new))
    assert live(mine).state == State.SUBMITTED


def test_a_pass_that_lacks_nothing_stays_handed_in(project, mine, owner):
    put(project, ONE.replace('"1"\ntitle', '"4"\ntitle').replace("rules:", CAUSE), owner)
    assert live(mine).state == State.SUBMITTED


def test_passes_of_files_and_judges_come_back_to_nobody(project, owner):
    judged = make.rating(make.rater(project, "j"), make.trajectory(project), [0, 0, 0])
    assert put(project, NO_NEUTRAL, owner).plan.returned == 0
    assert live(judged).state == State.SUBMITTED and said(live(judged)) == {}


def test_what_was_begun_skipped_or_failed_stays_so(project, ann, owner):
    begun = make.lease(make.trajectory(project), ann)
    say(begun, 1, "label", 1)
    skipped = make.lease(make.trajectory(project), ann, state=State.SKIPPED, seat=None, lease_until=None)
    failed = make.rating(make.rater(project), make.trajectory(project), [None] * 3, state=State.FAILED)
    put(project, RENAMED, owner)
    assert [live(one).state for one in (begun, skipped, failed)] == [State.DRAFT, State.SKIPPED, State.FAILED]
    assert live(begun).seat == 0 and live(begun).lease_until is not None


def test_a_label_that_the_lost_one_implied_is_lost_with_it(project, mine, owner):
    gone = ONE.replace('"1"\ntitle', '"5"\ntitle').replace("value: -1, title: Wrong", "value: bad, title: Bad")
    made = put(project, gone.replace("value: -1, until", "value: bad, until"), owner)
    assert {place for place in said(live(mine)) if place[1] == "label"} == {(1, "label"), (2, "label")}
    whys = [one.why for one in scheme_lost.of_change(project, made.change)]
    assert len(whys) == 2


def test_going_back_puts_what_was_there_in_force_again_as_it_was(project, mine, owner):
    first = said(mine)
    put(project, NO_NEUTRAL, owner)
    made = put(project, ONE, owner)
    assert (made.plan.restored, made.plan.passes, made.plan.gone) == (1, 0, 0)
    again = live(mine)
    assert again.pk == mine.pk and said(again) == first
    assert (again.state, again.seat, again.lease_until) == (State.SUBMITTED, 0, None)
    assert Label.objects.filter(annotation__trajectory=mine.trajectory_id).count() == 5 + 4, "nothing was deleted"


def test_going_back_and_forth_ends_where_it_began(project, mine, owner):
    put(project, NO_NEUTRAL, owner)
    second = live(mine)
    for _ in range(2):
        put(project, ONE, owner)
        assert live(mine).pk == mine.pk
        put(project, NO_NEUTRAL, owner)
        assert live(mine).pk == second.pk
    assert Annotation.objects.filter(rater=mine.rater_id).count() == 2


def test_going_back_over_several_versions_finds_the_first(project, mine, owner):
    put(project, RENAMED, owner)
    put(project, NO_NEUTRAL, owner)
    put(project, ONE, owner)
    assert live(mine).pk == mine.pk


def test_going_back_after_somebody_said_more_keeps_what_they_said(project, mine, owner):
    put(project, NO_NEUTRAL, owner)
    second = live(mine)
    say(second, 2, "label", -1)
    made = put(project, ONE, owner)
    third = live(mine)
    assert made.plan.restored == 0 and third.pk not in (mine.pk, second.pk)
    assert said(third)[2, "label"] == -1 and said(third)[1, "label"] == 1
    assert said(mine)[2, "label"] == 0, "the first word is still there"


def test_time_that_went_into_a_pass_since_goes_back_with_it(project, mine, owner):
    put(project, NO_NEUTRAL, owner)
    new = live(mine)
    step = mine.trajectory.steps.of_agent().first()
    Look.objects.create(annotation=new, step=step, page=uuid.uuid4(), visible_ms=900)
    Annotation.objects.filter(pk=new.pk).update(time_spent_ms=99_000)
    put(project, ONE, owner)
    assert live(mine).time_spent_ms == 99_000 and live(mine).looks.get().visible_ms == 900


def test_how_long_steps_were_looked_at_goes_along(project, mine, owner):
    step = mine.trajectory.steps.of_agent().first()
    Look.objects.create(annotation=mine, step=step, page=uuid.uuid4(), visible_ms=900, visits=2)
    put(project, NO_NEUTRAL, owner)
    assert live(mine).looks.values_list("step", "visible_ms", "visits").get() == (step.pk, 900, 2)


def test_what_a_first_pass_said_before_the_end_was_shown_goes_along(project, mine, owner):
    wrong = mine.labels.current().get(step__index=1)
    Annotation.objects.filter(pk=mine.pk).update(
        mode=Project.Mode.PROGRESSIVE, revealed_at=wrong.created_at, state=State.DRAFT
    )
    say(mine, 1, "label", -1)
    put(project, RENAMED, owner)
    values = dict(live(mine).labels.filter(step__index=1).values_list("value", "superseded_at"))
    assert values["bad"] is None and values[1] is not None


def test_a_change_that_breaks_in_the_middle_has_changed_nothing(project, mine, owner, monkeypatch):
    make.rating(make.rater(project, "j"), make.trajectory(project), [0, 1, -1])
    version = scheme_texts.save(project, NO_NEUTRAL, owner)
    stored = everything()
    monkeypatch.setattr(scheme_passes, "CHUNK", 1)
    break_at_second_write(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        scheme_changes.apply(project, version, owner)
    monkeypatch.undo()
    assert everything() == stored
    project.refresh_from_db()
    scheme_changes.apply(project, version, owner)
    assert live(mine).scheme_id == version.scheme_id


def break_at_second_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process goes away between two lists of passes."""
    write, calls = scheme_writing.write, iter((0, 1))

    def dying(*args: Any) -> None:
        if next(calls):
            raise KeyboardInterrupt
        write(*args)

    monkeypatch.setattr(scheme_writing, "write", dying)


def test_many_passes_go_along_in_a_run_that_is_done_once(project, mine, owner, monkeypatch):
    monkeypatch.setattr(scheme_changes, "MANY", 0)
    run = scheme_changes.change(project, scheme_texts.save(project, NO_NEUTRAL, owner), owner)
    assert isinstance(run, Run) and project.scheme_id == Project.objects.get(pk=project.pk).scheme_id
    done = jobs.run_here(run)
    assert (done.state, done.done, done.total) == (Run.State.DONE, 1, 1)
    assert done.result["plan"]["counts"]["passes"] == 1 and live(mine).pk != mine.pk
    client = Client()
    client.force_login(owner)
    page = client.get(reverse("run", args=[project.slug, run.pk])).content.decode()
    assert "1 passes went along with 4 labels" in page and f"{done.result['change']}/unmapped.csv" in page
    stored = everything()
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED)  # as if word of its end had been lost
    assert jobs.run_here(run).state == Run.State.DONE
    assert everything() == stored


def test_a_scheme_that_seals_needs_the_mode_that_keeps_the_end_back(project, owner):
    sealing = ONE.replace('"1"\ntitle', '"6"\ntitle').replace("rules:", CAUSE)
    sealing += "  - {rule: hindsight-lock, first: label, then: cause}\n"
    with pytest.raises(NotAccepted, match="progressive"):
        put(project, sealing, owner)


def test_the_version_in_force_is_not_put_in_force_again(project, mine, owner):
    with pytest.raises(NotAccepted, match="in force already"):
        put(project, ONE, owner)


def test_a_project_may_go_on_under_a_shipped_scheme_by_its_declared_map(ann, owner):
    project = make.project(ann, owner=owner)
    mine = make.lease(make.trajectory(project), ann)
    say(mine, 1, "label", 1)
    say(mine, 2, "label", 0)
    made = put(project, schemes.preset_text("prm800k"), owner)
    assert said(live(mine)) == {(1, "rating"): 1, (2, "rating"): 0}
    assert any("prm800k ends there" in sentence for sentence in made.plan.loses)


def test_a_scheme_of_another_name_takes_fields_of_the_same_name(project, mine, owner):
    put(project, ONE.replace("name: ours", "name: theirs", 1), owner)
    assert said(live(mine)) == said(mine)


def test_a_page_that_is_open_follows_to_the_successor(project, ann, owner):
    mine = make.lease(make.trajectory(project), ann)
    put(project, NO_NEUTRAL, owner)
    moved = successors.follow(mine.pk, ann, [1, 2], slug=project.slug)
    assert moved and moved.annotation.pk == live(mine).pk
    assert {step: place.to for step, place in moved.steps.items()} == {1: 1, 2: 2}


def test_only_passes_over_live_trajectories_go_along(project, mine, owner):
    mine.trajectory.superseded_at = mine.submitted_at
    mine.trajectory.save()
    assert put(project, NO_NEUTRAL, owner).plan == Plan("ours 2")
    assert live(mine).pk == mine.pk


def ask(user: User, annotation: Annotation, *said: tuple[int | None, str, Any]) -> Any:
    client = Client()
    client.force_login(user)
    url = reverse("label_successor", args=[annotation.rater.project.slug, annotation.pk])
    body = {"steps": [1, 2], "said": [{"step": step, "field": field, "value": value} for step, field, value in said]}
    return client.post(url, json.dumps(body), content_type="application/json").json()


def test_what_waits_in_a_browser_is_told_what_becomes_of_it(project, ann, owner):
    mine = make.lease(make.trajectory(project), ann)
    put(project, RENAMED, owner)
    answer = ask(ann, mine, (1, "label", -1), (1, "label", None), (2, "label", 0), (None, "final", 5))
    assert answer["said"][:3] == [
        {"field": "label", "value": "bad"},
        {"field": "label", "value": None},
        {"field": "label", "value": 0},
    ]
    assert answer["said"][3] == {"why": "final takes one of 1, -1, not 5"}


def test_what_waits_is_looked_at_whatever_else_is_said(project, ann, owner):
    mine = make.lease(make.trajectory(project), ann)
    asks = ONE.replace('"1"\ntitle', '"7"\ntitle').replace(
        "kind: flag, key: c}", "kind: flag, key: c, when: {field: label, values: [1]}}"
    )
    put(project, asks, owner)
    assert ask(ann, mine, (1, "correction", True))["said"] == [{"field": "correction", "value": True}]
