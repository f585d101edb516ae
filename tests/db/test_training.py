"""Training: newcomers label what is known, see what is right, and then the queue is theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Gold, Membership, Project, Rater, Role, Training, User
from annotations.services import agreement, gold, gold_feedback, labels, queue, todo, training, training_people
from annotations.services.outcomes import SawOthers
from annotations.services.training import NotYet
from tests import gilded, make

pytestmark = pytest.mark.django_db
TRAINING = Annotation.Purpose.TRAINING
USE = Gold.Use.TRAINING
WRONG = [1, 1]  # one of two steps, and the verdict is right: 2 of 3


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    made = make.project(owner=lead, overlap=2)
    gilded.live(made, 4)
    return made


@pytest.fixture
def new(project: Project) -> User:
    """A newcomer of a project that trains with two of three items, at 80 %."""
    gilded.filled(project, *gilded.known(project, 3, USE))
    gilded.planned(project, training=2, mark=80)
    return joined(project, "new")


def joined(project: Project, name: str, role: Role = Role.ANNOTATOR) -> User:
    user = make.user(name)
    make.member(project, user, role)
    return user


def mine(project: Project, user: User) -> Membership:
    return Membership.objects.select_related("project__scheme", "user").get(project=project, user=user)


def trained(project: Project, user: User, *each: list[Any]) -> None:
    for values in each:
        taken = gilded.take(project, user)
        assert taken.purpose == TRAINING
        gilded.answer(taken, values)


def test_a_newcomer_trains_then_the_queue_is_theirs(project: Project, new: User) -> None:
    trained(project, new, gilded.RIGHT, gilded.RIGHT)
    assert gilded.take(project, new).purpose == ""
    now = training.settle(mine(project, new))
    assert now is not None
    assert (now.is_passed, now.score, len(now.handed_in)) == (True, 100.0, 2)


def test_who_was_a_member_before_is_not_sent_back(project: Project) -> None:
    old = joined(project, "old")
    gilded.filled(project, *gilded.known(project, 3, USE))
    gilded.planned(project, training=2)
    assert gilded.take(project, old).purpose == ""
    assert training.settle(mine(project, old)) is None


def test_who_labelled_here_left_and_came_back_is_no_newcomer(project: Project) -> None:
    old = joined(project, "old")
    gilded.answer(gilded.take(project, old), gilded.RIGHT)
    gilded.planned(project, training=2)
    Membership.objects.filter(user=old).delete()
    make.member(project, old)
    assert gilded.take(project, old).purpose == ""


def test_who_sees_others_labels_is_not_trained(project: Project) -> None:
    gilded.planned(project, training=2)
    assert gilded.take(project, joined(project, "reviewer", Role.REVIEWER)).purpose == ""


def test_below_the_mark_one_tries_again_with_others(project: Project, new: User) -> None:
    gilded.filled(project, *gilded.known(project, 2, USE))
    trained(project, new, WRONG, gilded.RIGHT)  # 5 of 6: above 80 %
    Training.objects.update(passed_at=None)
    gilded.planned(project, mark=90)
    Training.objects.update(rounds=[{"items": Training.objects.get().rounds[0]["items"]}])
    assert queue.lease_next(project.slug, new) is None  # the round is over
    now = training.settle(mine(project, new))
    assert now is not None
    assert (now.is_over, round(now.score or 0), now.left) == (True, 83, True)
    training.again(mine(project, new))
    first = set(Annotation.objects.filter(purpose=TRAINING).values_list("trajectory", flat=True))
    trained(project, new, gilded.RIGHT, gilded.RIGHT)
    assert Annotation.objects.filter(purpose=TRAINING).exclude(trajectory__in=first).count() == 2
    assert gilded.take(project, new).purpose == ""


def test_another_round_begins_only_when_the_last_is_over(project: Project, new: User) -> None:
    with pytest.raises(NotYet):
        training.again(mine(project, new))
    trained(project, new, gilded.RIGHT)
    with pytest.raises(NotYet):
        training.again(mine(project, new))


def test_with_no_item_left_the_newcomer_and_the_lead_are_told(project: Project, lead: User) -> None:
    gilded.filled(project, *gilded.known(project, 1, USE))
    gilded.planned(project, training=2)
    new = joined(project, "new")
    trained(project, new, gilded.RIGHT)
    assert queue.lease_next(project.slug, new) is None
    now = training.settle(mine(project, new))
    assert now is not None
    assert now.is_stuck
    assert [one.stuck for one in training_people.newcomers(project)] == [True]
    assert "Help newcomers" in {one.title for one in todo.of(mine(project, lead), _progress(project))}
    training_people.let_pass(project, new, lead)
    assert gilded.take(project, new).purpose == ""
    [told] = training_people.newcomers(project)
    assert (told.by, told.stuck) == ("lead", False)


def _progress(project: Project) -> Any:
    from annotations.services import progress_counts

    return progress_counts.of_project(project)


def test_a_newcomer_is_told_to_train_first(project: Project, new: User) -> None:
    assert [one.title for one in todo.of(mine(project, new), _progress(project))] == ["Train first"]


def test_feedback_comes_after_handing_in_and_closes_the_pass(project: Project, new: User) -> None:
    taken = gilded.take(project, new)
    with pytest.raises(NotYet):
        gold_feedback.feedback(mine(project, new), taken.pk)
    gilded.answer(taken, WRONG)
    _, item, compared = gold_feedback.feedback(mine(project, new), taken.pk)
    assert item.explanation == "Look at what the tool said."
    assert [(at.said, at.reference, at.right) for at in compared] == [(1, 1, True), (1, -1, False), (1, 1, True)]
    with pytest.raises(SawOthers):
        labels.reopen(taken.pk, new)


def test_feedback_is_ones_own_and_of_training_alone(project: Project, new: User, lead: User) -> None:
    other = joined(project, "other")
    trained(project, other, gilded.RIGHT)
    theirs = Annotation.objects.get(rater__user=other)
    for who in (new, lead):
        with pytest.raises(Http404):
            gold_feedback.feedback(mine(project, who), theirs.pk)
    ann = make.rating(make.rater(project, "lead", Rater.Kind.HUMAN, lead), make.trajectory(project, steps=2), [1, 1])
    with pytest.raises(Http404):
        gold_feedback.feedback(mine(project, lead), ann.pk)


def test_label_next_shows_what_came_of_an_item_before_the_next(client: Any, project: Project, new: User) -> None:
    client.force_login(new)
    door = reverse("label_next", args=[project.slug])
    first = client.get(door)
    annotation = Annotation.objects.get(rater__user=new)
    assert first.url == reverse("annotate", args=[project.slug, annotation.pk])
    assert "Training, item 1 of 2" in client.get(first.url).content.decode()
    gilded.answer(annotation, WRONG)
    feedback = client.get(door)
    assert feedback.url == reverse("training_feedback", args=[project.slug, annotation.pk])
    page = client.get(feedback.url).content.decode()
    assert "2 of 3" in page
    assert "Look at what the tool said." in page
    assert client.get(door).url == reverse("annotate", args=[project.slug, annotation.pk + 1])


def test_training_passes_are_no_labels_and_are_kept(project: Project, new: User) -> None:
    trained(project, new, gilded.RIGHT)
    [taken] = Annotation.objects.filter(rater__user=new)
    assert gilded.labelled(taken) == 3
    assert not agreement.counted(project).filter(pk=taken.pk).exists()


def test_nothing_is_leased_ahead_of_a_training_item(project: Project, new: User) -> None:
    assert queue.lease_ahead(gilded.take(project, new), new) is None


def test_a_skipped_item_does_not_count_and_another_comes(project: Project, new: User) -> None:
    labels.skip(gilded.take(project, new).pk, new, "I do not know this tool.")
    trained(project, new, gilded.RIGHT, gilded.RIGHT)
    assert gilded.take(project, new).purpose == ""


def test_asking_again_in_another_tab_gives_the_same_item(project: Project, new: User) -> None:
    assert gilded.take(project, new).pk == gilded.take(project, new).pk
    assert [len(one["items"]) for one in Training.objects.get().rounds] == [1]


def test_training_that_is_switched_off_holds_nobody_up(project: Project, new: User) -> None:
    trained(project, new, gilded.RIGHT)
    gilded.planned(project, training=0)
    assert gilded.take(project, new).purpose == ""


def test_switching_it_on_again_makes_no_newcomers_of_who_joined_meanwhile(project: Project) -> None:
    gilded.planned(project, training=2)
    gilded.planned(project, training=0)
    old = joined(project, "old")
    Membership.objects.filter(user=old).update(created_at=timezone.now() - timedelta(minutes=1))
    gilded.planned(project, training=2)
    assert not training.asked(mine(project, old))


def test_an_item_taken_out_while_somebody_trains_leaves_no_dead_end(project: Project, new: User) -> None:
    trained(project, new, gilded.RIGHT)
    [item] = Gold.objects.filter(trajectory__annotations__rater__user=new)
    gold.unmark(item, None)
    trained(project, new, gilded.RIGHT, gilded.RIGHT)
    assert gilded.take(project, new).purpose == ""


def test_gold_items_are_told_of_once_the_day_is_over_where_the_lead_says_so(project: Project) -> None:
    ann = joined(project, "ann")
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    old, new = gilded.known(project, 2)
    yesterday = timezone.now() - timedelta(days=1)
    had = make.rating(rater, old.trajectory, WRONG, final=1, purpose="gold", submitted_at=yesterday)
    today = make.rating(rater, new.trajectory, WRONG, final=1, purpose="gold")
    for shown in ("nothing", "totals"):
        gilded.planned(project, shown=shown)
        assert gold_feedback.golden(mine(project, ann)) == []
        with pytest.raises(Http404):
            gold_feedback.feedback(mine(project, ann), had.pk)
    gilded.planned(project, shown="items")
    [told] = gold_feedback.golden(mine(project, ann))
    assert (told.annotation, told.right, told.compared) == (had, 2, 3)
    with pytest.raises(Http404):
        gold_feedback.feedback(mine(project, ann), today.pk)
    gold_feedback.feedback(mine(project, ann), had.pk)
    with pytest.raises(SawOthers):
        labels.reopen(had.pk, ann)
