"""What an assisted pass is offered, how a taken suggestion is stored, and the share that is left blind."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from annotations.models import Annotation, Label, Project, Rater, Run, Score, Step, Trajectory, User
from annotations.services import desk, exports, labels, queue, suggestions, twins
from annotations.services.outcomes import Item, Suggestion
from tests import make

pytestmark = pytest.mark.django_db


def scored(project: Project, trajectory: Trajectory, *probabilities: float | None) -> Run:
    run = Run.objects.create(project=project, kind="score", config={"scorer": "embedded"}, state="done")
    for step, probability in zip(trajectory.steps.of_agent(), probabilities, strict=True):
        Score.objects.create(run=run, trajectory=trajectory, step=step, value=probability or 0, probability=probability)
    return run


def assisted(person: User, **fields: Any) -> Project:
    fields = {"mode": "assisted", "prefill": "scorer:embedded", "prefill_confidence": 0.8, "blind_share": 0} | fields
    return make.project(person, **fields)


@pytest.fixture
def person() -> User:
    return make.user()


def take(mine: Annotation, step: int, value: int, source: str, looked_ms: int = 900) -> Label:
    mine.refresh_from_db()
    item = Item(step=step, field="label", value=value, accepted={"source": source, "looked_ms": looked_ms})
    labels.change(mine.pk, mine.rater.user, [item], change=uuid.uuid4(), revision=mine.revision)
    return mine.labels.current().get(step__index=step)


def test_a_scorer_offers_right_and_wrong_where_it_is_sure_enough(person):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=4)
    scored(project, trajectory, 0.95, 0.81, 0.5, 0.05)
    found = suggestions.of(make.lease(trajectory, person))
    assert {step: (one.value, round(one.confidence or 0, 2)) for step, one in found.items()} == {
        1: (1, 0.95),
        2: (1, 0.81),
        4: (-1, 0.95),
    }


def test_a_score_that_is_no_probability_offers_nothing(person):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=1)
    scored(project, trajectory, None)
    assert suggestions.of(make.lease(trajectory, person)) == {}


@pytest.mark.parametrize("mode", ["blind", "reference", "progressive"])
def test_only_an_assisted_pass_is_offered_anything(person, mode):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=1)
    scored(project, trajectory, 0.99)
    mine = make.lease(trajectory, person, mode=mode)
    assert suggestions.of(mine) == {}
    assert desk.desk(mine)["suggestions"] == []


def test_a_judge_is_as_sure_of_a_value_as_the_reference_has_proved_it_right(person):
    project = assisted(person, prefill="judge:strict", prefill_confidence=0.85)
    gold, judge = make.rater(project, "gold", "import"), make.rater(project, "strict", "judge")
    project.reference = gold
    project.save()
    for number in range(30):  # right in 28 of 30 where it says right, in 10 of 30 where it says wrong
        known = make.trajectory(project, steps=2)
        make.rating(judge, known, [1, -1])
        make.rating(gold, known, [1 if number < 28 else 0, -1 if number < 10 else 1])
    trajectory = make.trajectory(project, steps=2)
    make.rating(judge, trajectory, [1, -1])
    found = suggestions.of(make.lease(trajectory, person))
    assert found == {1: Suggestion(1, 29 / 32, "judge:strict")}


def test_a_judge_nobody_could_check_is_not_sure_of_anything(person):
    project = assisted(person, prefill="judge:new")
    trajectory = make.trajectory(project, steps=1)
    make.rating(make.rater(project, "new", "judge"), trajectory, [1])
    mine = make.lease(trajectory, person)
    assert suggestions.of(mine) == {}
    Project.objects.update(prefill_confidence=0)
    mine.rater.project.refresh_from_db()
    assert suggestions.of(mine) == {1: Suggestion(1, None, "judge:new")}


def several(project: Project, *names: str) -> list[Rater]:
    """Judges, whose votes are what the project suggests."""
    voices = [make.rater(project, name, "judge") for name in names]
    project.prefill = suggestions.together(one.pk for one in voices)
    project.save()
    return voices


def test_several_judges_are_as_sure_of_a_value_as_the_share_of_them_that_gives_it(person):
    project = assisted(person, prefill_confidence=0.6)
    a, b, c = several(project, "a", "b", "c")
    trajectory = make.trajectory(project, steps=5)
    make.rating(a, trajectory, [1, 1, 1, -1, None])
    make.rating(b, trajectory, [1, 1, -1, 1, None])
    make.rating(c, trajectory, [1, -1, 0, None, 1])
    # All three; two of three; one each; one each and one silent; one of three.
    found = suggestions.of(make.lease(trajectory, person))
    assert found == {
        1: Suggestion(1, 1.0, project.prefill),
        2: Suggestion(1, pytest.approx(2 / 3), project.prefill),
    }


def test_who_said_nothing_of_a_step_makes_the_others_no_surer(person):
    project = assisted(person, prefill_confidence=0.5)
    a, *_ = several(project, "a", "b", "c")
    trajectory = make.trajectory(project, steps=1)
    make.rating(a, trajectory, [1])
    mine = make.lease(trajectory, person)
    assert suggestions.of(mine) == {}
    Rater.objects.filter(project=project, name="c").delete()
    Project.objects.update(prefill_confidence=0.3)
    mine.rater.project.refresh_from_db()
    assert suggestions.of(mine) == {1: Suggestion(1, pytest.approx(1 / 3), project.prefill)}


def test_a_suggestion_of_several_is_stored_with_who_they_are(person):
    project = assisted(person)
    voices = several(project, "a", "b")
    trajectory = make.trajectory(project, steps=1)
    for one in voices:
        make.rating(one, trajectory, [-1])
    stored = take(make.lease(trajectory, person), 1, -1, project.prefill)
    assert (stored.origin, stored.suggestion["source"]) == ("accepted", project.prefill)
    assert (stored.suggestion["confidence"], stored.suggestion["raters"]) == (1.0, ["a", "b"])


def test_neither_people_nor_the_reference_nor_strangers_vote(person):
    project = assisted(person, prefill_confidence=0)
    elsewhere = make.project(person)
    gold, human = make.rater(project, "gold", "judge"), make.rater(project, "ann", "human")
    project.reference = gold
    project.prefill = suggestions.together([gold.pk, human.pk, make.rater(elsewhere, "far", "judge").pk])
    project.save()
    trajectory = make.trajectory(project, steps=1)
    for one in (gold, human):
        make.rating(one, trajectory, [1])
    assert suggestions.of(make.lease(trajectory, person)) == {}


def test_several_that_are_suggested_are_a_choice_by_their_names_until_one_is_gone(person):
    project = assisted(person)
    voices = several(project, "a", "b")
    assert (project.prefill, "a, b together (judges)") in suggestions.sources(project)
    voices[0].delete()
    assert (project.prefill, f"{project.prefill} (not there any more)") in suggestions.sources(project)


def test_the_reference_itself_is_never_offered(person):
    project = assisted(person, prefill="judge:gold", prefill_confidence=0)
    gold = make.rater(project, "gold", "judge")
    project.reference = gold
    project.save()
    trajectory = make.trajectory(project, steps=1)
    make.rating(gold, trajectory, [1])
    assert suggestions.of(make.lease(trajectory, person)) == {}


def test_a_taken_suggestion_is_stored_with_its_source_its_confidence_and_the_time_looked_at(person):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=2)
    scored(project, trajectory, 0.95, 0.5)
    mine = make.lease(trajectory, person)
    stored = take(mine, 1, 1, "scorer:embedded", looked_ms=1234)
    assert stored.origin == Label.Origin.ACCEPTED
    assert stored.suggestion == {"source": "scorer:embedded", "value": 1, "confidence": 0.95, "looked_ms": 1234}


def test_an_export_tells_what_was_accepted_and_how_long_it_took(person, tmp_path):
    from pyarrow import parquet

    project = assisted(person)
    trajectory = make.trajectory(project, steps=1)
    scored(project, trajectory, 0.95)
    mine = make.lease(trajectory, person)
    take(mine, 1, 1, "scorer:embedded", looked_ms=1234)
    Annotation.objects.filter(pk=mine.pk).update(state="submitted", lease_until=None)
    result = exports.export(project, "parquet", tmp_path)
    [row] = parquet.read_table(tmp_path / result["files"][0]).to_pylist()
    assert (row["origin"], row["time_ms"], row["first_value"]) == ("accepted", 0, None)
    assert json.loads(row["suggestion"])["looked_ms"] == 1234


@pytest.mark.parametrize(
    ("step", "value", "source"), [(1, 0, "scorer:embedded"), (2, 1, "scorer:embedded"), (1, 1, "x")]
)
def test_what_nothing_suggested_is_the_persons_own_word_and_not_lost(person, step, value, source):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=2)
    scored(project, trajectory, 0.95, 0.5)
    stored = take(make.lease(trajectory, person), step, value, source)
    assert (stored.value, stored.origin, stored.suggestion) == (value, Label.Origin.HUMAN, None)


def test_saying_by_key_what_one_had_accepted_makes_it_ones_own_word(person):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=1)
    scored(project, trajectory, 0.95)
    mine = make.lease(trajectory, person)
    take(mine, 1, 1, "scorer:embedded")
    mine.refresh_from_db()
    item = Item(step=1, field="label", value=1)
    labels.change(mine.pk, person, [item], change=uuid.uuid4(), revision=mine.revision)
    assert mine.labels.current().get().origin == Label.Origin.HUMAN


def test_accepting_again_what_is_labelled_already_changes_nothing(person):
    project = assisted(person)
    trajectory = make.trajectory(project, steps=1)
    scored(project, trajectory, 0.95)
    mine = make.lease(trajectory, person)
    labels.change(mine.pk, person, [Item(step=1, field="label", value=1)], change=uuid.uuid4(), revision=0)
    assert take(mine, 1, 1, "scorer:embedded").origin == Label.Origin.HUMAN


@pytest.mark.parametrize(("share", "modes"), [(0, {"assisted"}), (100, {"blind"})])
def test_a_share_of_assisted_passes_is_begun_blind(person, share, modes):
    project = assisted(person, blind_share=share)
    for _ in range(4):
        make.trajectory(project)
    begun = []
    while leased := queue.lease_next(project, person):
        begun.append(leased.mode)
        Annotation.objects.filter(pk=leased.pk).update(state="skipped", seat=None, lease_until=None)
    assert len(begun) == 4
    assert set(begun) == modes


# --- One's own word on the same steps ---------------------------------------------------------------------------------


def alike(project: Project, same: int, steps: int = 4) -> tuple[Trajectory, Trajectory]:
    """Two rollouts of a task of which the first `same` agent steps, and the question, are equal."""
    one = make.trajectory(project, steps=steps)
    other = make.trajectory(project, steps=steps, of=one.task)
    for trajectory in (one, other):
        for step in trajectory.steps.all():
            shared = step.index <= same
            Step.objects.filter(pk=step.pk).update(
                turn_hash=f"{step.index}" if shared else f"{trajectory.pk}-{step.index}"
            )
    return one, other


def test_what_one_said_of_the_same_beginning_is_offered_again(person):
    project = make.project(person)
    one, other = alike(project, same=2)
    first = make.lease(one, person)
    items = [Item(step=index, field="label", value=value) for index, value in ((1, 1), (2, -1), (3, 0))]
    labels.change(first.pk, person, items, change=uuid.uuid4(), revision=0)
    second = make.lease(other, person)
    assert twins.prefix(second, [first]) == {
        1: Suggestion(1, None, f"own:{first.pk}"),
        2: Suggestion(-1, None, f"own:{first.pk}"),
    }
    stored = take(second, 2, -1, f"own:{first.pk}")
    assert (stored.origin, stored.suggestion["source"]) == ("accepted", f"own:{first.pk}")


def test_nobody_elses_word_on_the_same_beginning_is(person):
    other_person = make.user()
    project = make.project(person, other_person)
    one, other = alike(project, same=4)
    theirs = make.lease(one, other_person)
    labels.change(theirs.pk, other_person, [Item(step=1, field="label", value=1)], change=uuid.uuid4(), revision=0)
    mine = make.lease(other, person)
    assert twins.siblings_of(mine) == []
    assert desk.desk(mine)["prefix"] == []
    assert desk.desk(mine)["twins"] == {}


def test_an_equal_step_elsewhere_in_a_sibling_is_a_twin(person):
    project = make.project(person)
    one, other = alike(project, same=0)
    Step.objects.filter(trajectory=one, index=3).update(turn_hash="same")
    Step.objects.filter(trajectory=other, index=2).update(turn_hash="same")
    first = make.lease(one, person)
    labels.change(first.pk, person, [Item(step=3, field="label", value=-1)], change=uuid.uuid4(), revision=0)
    assert desk.desk(make.lease(other, person))["twins"] == {2: [[first.pk, 3, -1]]}


def test_repeated_calls_are_told_of_by_what_they_do(person):
    project = make.project(person)
    trajectory = make.trajectory(project, steps=4)
    trajectory.steps.filter(index__in=[1, 3]).update(action_hash="call")
    trajectory.steps.filter(index__in=[2, 4]).update(action_hash="says", tool_calls=[])
    assert desk.desk(make.lease(trajectory, person))["repeats"] == [[1, 3]]
