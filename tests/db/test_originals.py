"""What trajectories were made of is kept byte for byte, once, and given to those who may take data away."""

from __future__ import annotations

import gzip
import json

import pytest

from annotations.models import Original, Project, Role
from annotations.services import originals
from tests import make
from tests.db.importing import APB, file, rollout, rows, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def kept(project: Project) -> list[bytes]:
    found = project.trajectories.order_by("rollout").select_related("original")
    return [originals.content(one.original) for one in found if one.original]


def test_every_record_is_kept_byte_for_byte(project, tmp_path):
    odd = '{ "query_index": 0,\t' + json.dumps(rows()[0])[1:].replace('"query_index": 0, ', "") + "  "
    path = tmp_path / "odd.jsonl.gz"
    path.write_bytes(gzip.compress(f"\n{odd}\n{json.dumps(rows()[1])}\n".encode()))
    take(project, path)
    assert kept(project) == [odd.strip().encode(), json.dumps(rows()[1]).encode()]
    assert set(Original.objects.values_list("file", "line")) == {("odd.jsonl.gz", 2), ("odd.jsonl.gz", 3)}


def test_the_same_record_is_kept_once(project):
    take(project, APB)
    take(project, APB)
    assert Original.objects.count() == 2
    take(other := make.project(), APB)
    assert (Original.objects.count(), len(kept(other))) == (4, 2)


def test_a_new_version_has_an_original_of_its_own(project, tmp_path):
    take(project, APB)
    changed = rollout(0, answer_text="other")
    take(project, file(tmp_path, changed))
    live = project.trajectories.live().get(rollout=0)
    assert json.loads(originals.content(live.original))["answer_text"] == "other"
    assert project.trajectories.filter(rollout=0).count() == 2


def test_who_may_take_data_downloads_it(project, client):
    take(project, APB)
    one = project.trajectories.get(rollout=0)
    address = f"/p/{project.slug}/trajectories/{one.pk}/original/"
    client.force_login(make.member(project, make.user("lead"), Role.REVIEWER).user)
    answer = client.get(address)
    assert answer.content == APB.read_bytes().splitlines()[0]
    assert 'filename="apb.jsonl.1.json"' in answer["Content-Disposition"]
    client.force_login(make.member(project, make.user("ann"), Role.ANNOTATOR).user)
    assert client.get(address).status_code == 403
    client.force_login(make.user("stranger"))
    assert client.get(address).status_code == 404
