"""How a project labels: presets, versions, what is in force, and a text that is no scheme."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from annotations import schemes
from annotations.models import Event, Project, ProjectScheme, Role, User
from annotations.schemes.fields import KINDS
from annotations.services import projects, scheme_changes, scheme_texts, setup
from annotations.services.outcomes import NotAccepted
from annotations.views import scheme_words
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db

TEXT = """\
name: short
version: "1"
title: Short
main: label
fields:
  - {name: label, title: Step, kind: choice, required: true, choices: [
      {value: good, title: Good, keys: ["1"]}, {value: bad, title: Bad, keys: ["2"]}]}
guidelines:
  - {name: first, title: First, text: "# How to"}
  - {name: second, title: Second, text: "# How else to"}
"""
SEALING = """\
name: sealing
version: "1"
title: Sealing
main: foresight
fields:
  - {name: foresight, title: Foresight, kind: scale, min: 1, max: 7, step: 1, required: true}
  - {name: hindsight, title: Hindsight, kind: scale, target: trajectory, min: 1, max: 7, step: 1}
rules:
  - {rule: hindsight-lock, first: foresight, then: hindsight}
"""


@pytest.fixture
def project(owner: User) -> Project:
    return projects.create(slug="mine", text=TEXT, owner=owner)


def door(name: str, project: Project, *more: object) -> str:
    return reverse(name, args=[project.slug, *more])


def send(user: User, project: Project, text: str, base: int = 1, name: str = "scheme_edit"):
    body = json.dumps({"text": text, "base": base})
    return enter(user).post(door(name, project), body, content_type="application/json")


def test_every_kind_target_and_level_has_words_of_its_own():
    assert set(scheme_words.KINDS) == set(KINDS)
    assert set(scheme_words.SENTENCES) == set(schemes.schema.rules.RULES)


def test_a_project_keeps_the_text_its_scheme_was_read_from(project, owner):
    stored = project.schemes.get()
    assert (stored.number, stored.text, stored.created_by) == (1, TEXT, owner)
    assert scheme_texts.in_force(project) == stored
    assert project.guidelines.get().text == "# How to"


def test_a_project_begins_with_the_guidelines_that_were_chosen():
    made = projects.create(slug="other", text=TEXT, guideline="second")
    assert made.guidelines.get().text == "# How else to"


def test_a_scheme_that_seals_makes_a_progressive_project_and_no_other_mode_is_taken():
    made = projects.create(slug="sealed", text=SEALING)
    assert made.mode == "progressive"
    with pytest.raises(NotAccepted, match="Only the progressive mode") as refused:
        setup.change(made, None, mode="blind")
    assert refused.value.answer["accepted"] == ["progressive"]
    assert Project.objects.get(pk=made.pk).mode == "progressive"


def test_a_saved_text_is_a_draft_until_it_is_put_in_force(project, owner):
    answer = send(owner, project, TEXT.replace("title: Short", "title: Longer"))
    assert answer.json() == {"url": door("scheme_version", project, 2)}
    draft = project.schemes.get(number=2)
    assert draft.used_at is None
    assert scheme_texts.in_force(project).number == 1
    page = enter(owner).get(door("scheme_version", project, 2)).content.decode()
    assert "<ins>title: Longer</ins>" in page
    answer = enter(owner).post(door("scheme_force", project, 2), follow=True)
    assert "Version 2 is in force." in answer.content.decode()
    project.refresh_from_db()
    assert scheme_texts.in_force(project) == draft
    assert project.scheme == draft.scheme
    assert list(Event.objects.values_list("verb", flat=True)) == ["scheme.saved", "scheme.in_force"]


def test_the_version_before_can_be_put_in_force_again(project, owner):
    later = scheme_texts.save(project, TEXT.replace("Good", "Fine"), owner)
    scheme_changes.apply(project, later, owner)
    scheme_changes.apply(project, project.schemes.get(number=1), owner)
    project.refresh_from_db()
    assert scheme_texts.in_force(project).number == 1


def test_a_version_that_only_writes_it_differently_can_be_in_force_too(project, owner):
    later = scheme_texts.save(project, TEXT + "# a remark\n", owner)
    assert later.scheme == project.scheme
    scheme_changes.apply(project, later, owner)
    assert scheme_texts.in_force(project) == later


def test_the_same_text_again_makes_no_version(project, owner):
    assert scheme_texts.save(project, TEXT, owner, base=1).number == 1
    assert ProjectScheme.objects.count() == 1


def test_a_text_with_mistakes_is_refused_with_each_line_key_and_what_is_accepted(project, owner):
    wrong = TEXT.replace("kind: choice", "kind: choise").replace("main: label", "main: 7")
    answer = send(owner, project, wrong)
    assert answer.status_code == 422
    said = {one["key"]: (one["line"], one["reason"]) for one in answer.json()["mistakes"]}
    assert said["fields.0.kind"][0] == 6
    assert "accepted is one of choice, taxonomy" in said["fields.0.kind"][1]
    assert said["main"][0] == 4
    assert ProjectScheme.objects.count() == 1


def test_a_form_that_is_refused_comes_back_with_the_text_and_the_mistakes(project, owner):
    wrong = TEXT.replace("required: true", "requierd: true")
    answer = enter(owner).post(door("scheme_edit", project), {"text": wrong.replace("\n", "\r\n"), "base": 1})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "requierd" in page
    assert "line 6" in page
    assert "accepted are name, title" in page


def test_who_saves_second_is_told_of_the_newer_version_and_what_it_changed(project, owner):
    other = make.user("sven")
    make.member(project, other, Role.MANAGER)
    scheme_texts.save(project, TEXT.replace("Good", "Fine"), other, base=1)
    mine = TEXT.replace("Bad", "Poor")
    answer = send(owner, project, mine)
    assert (answer.status_code, answer.json()["newest"]) == (409, 2)
    assert "saved by sven" in answer.json()["html"]
    assert "<ins>      {value: good, title: Fine" in answer.json()["html"]
    assert send(owner, project, mine, base=2).json() == {"url": door("scheme_version", project, 3)}
    form = {"text": TEXT, "base": 1}
    page = enter(owner).post(door("scheme_edit", project), form).content.decode()
    assert "was saved by" in page


def test_a_preview_shows_the_controls_of_the_fields_or_the_mistakes(project, owner):
    drawn = send(owner, project, TEXT, name="scheme_preview").json()
    assert drawn["mistakes"] == []
    assert 'data-field="label"' in drawn["html"]
    assert drawn["data"]["scheme"]["main"] == "label"
    broken = send(owner, project, "name: [", name="scheme_preview").json()
    assert broken["html"] is None
    assert broken["mistakes"][0]["line"] == 1


@pytest.mark.parametrize("body", ["[]", '{"text": 5}', '{"text": "\\u0000"}', '{"text": "\\ud800"}', "nonsense"])
def test_a_body_that_is_no_text_is_told_as_a_mistake(body, project, owner):
    answer = enter(owner).post(door("scheme_edit", project), body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["mistakes"]


def test_members_read_the_scheme_and_only_those_who_manage_change_it(project):
    reader = make.user("reader")
    make.member(project, reader, Role.VIEWER)
    page = enter(reader).get(door("scheme", project)).content.decode()
    assert "Good" in page
    assert door("scheme_edit", project) not in page
    assert enter(reader).get(door("scheme_file", project, 1)).content.decode() == TEXT
    assert send(reader, project, TEXT).status_code == 403
    assert enter(reader).post(door("scheme_force", project, 1)).status_code == 403


def test_a_sealing_scheme_waits_until_the_mode_is_progressive(project, owner):
    sealing = scheme_texts.save(project, SEALING, owner)
    page = enter(owner).get(door("scheme_version", project, sealing.number)).content.decode()
    assert "Only the progressive mode keeps the end back" in page
    with pytest.raises(NotAccepted):
        scheme_changes.apply(project, sealing, owner)


def test_a_new_project_takes_a_preset_with_one_of_its_guidelines(owner):
    texts = schemes.shipped()["agent-process"].guidelines
    data = {"title": "P", "slug": "p", "overlap": 2, "scheme_name": "agent-process"}
    enter(owner).post(reverse("project_new"), data | {"guideline-agent-process": texts[-1].name})
    made = Project.objects.get(slug="p")
    assert made.guidelines.get().text == texts[-1].text
    assert made.schemes.get().text == schemes.preset_text("agent-process")


def test_a_new_project_takes_a_scheme_of_ones_own_and_refuses_one_with_mistakes(owner):
    data = {"title": "P", "slug": "p", "overlap": 2, "scheme_name": "own"}
    answer = enter(owner).post(reverse("project_new"), data | {"text": TEXT.replace("main: label", "main: lable")})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "line 4" in page
    assert "accepted is one of label" in page
    assert enter(owner).post(reverse("project_new"), data | {"text": TEXT.replace("\n", "\r\n")}).status_code == 302
    assert Project.objects.get(slug="p").schemes.get().text == TEXT


def labelled(project: Project, owner: User) -> None:
    """A pass with an answer that the changed scheme takes, and one that it does not."""
    rater = make.rater(project, "ines", "human", owner)
    trajectory = make.trajectory(project)
    made = make.rating(rater, trajectory, [None, None, None])
    for step, value in zip(trajectory.steps.of_agent(), ("good", "bad", "good"), strict=True):
        made.labels.create(step=step, field="label", value=value, origin="human")


def test_what_a_change_would_do_to_labels_is_shown_before_it_is_done(project, owner):
    labelled(project, owner)
    scheme_texts.save(project, TEXT.replace("value: bad", "value: poor"), owner)
    client = enter(owner)
    page = client.get(door("scheme_version", project, 2)).content.decode()
    assert "See what it would change" in page
    plan = client.get(door("scheme_force", project, 2)).content.decode()
    assert "<strong>1 label</strong> has no exact answer" in plan
    assert "comes back to its person" in plan
    rows = b"".join(client.get(door("scheme_unmapped", project, 2)).streaming_content).decode().splitlines()
    assert len(rows) == 2
    assert '"bad"' in rows[1] or '""bad""' in rows[1]
    assert scheme_texts.in_force(project).number == 1
    done = client.post(door("scheme_force", project, 2), follow=True).content.decode()
    assert "Version 2 is in force. 1 pass went along with 2 labels; 1 label could not" in done
    change = Event.objects.get(verb="scheme.in_force").change
    assert door("scheme_lost", project, change) in done
    lost = b"".join(client.get(door("scheme_lost", project, change)).streaming_content).decode().splitlines()
    assert lost == rows
    back = client.get(door("scheme_force", project, 1)).content.decode()
    assert "as it was" in back
    client.post(door("scheme_force", project, 1))
    project.refresh_from_db()
    assert scheme_texts.in_force(project).number == 1


def test_the_guidelines_a_version_brings_are_taken_up_as_a_text_to_publish(project, owner):
    address = door("guidelines", project) + "?scheme=1&name=second"
    page = enter(owner).get(address).content.decode()
    assert "# How else to</textarea>" in page
    assert "Nothing is published yet" in page
    assert project.guidelines.count() == 1


@pytest.mark.parametrize("name", sorted(schemes.shipped()))
def test_a_preset_is_told_and_drawn_over_its_sample(name, owner):
    answer = enter(owner).get(reverse("preset", args=[name]))
    page = answer.content.decode()
    assert answer.status_code == 200
    for spec in schemes.shipped()[name].fields:
        assert f'id="field-{spec.name}"' in page
    assert "The sample cannot be read" not in page
