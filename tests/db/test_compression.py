"""What goes out compressed, and what as it is."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from annotations.models import Project, Run
from tests import make


def ask(client: Client, path: str, accepted: str = "gzip") -> Any:
    return client.get(path, headers={"Accept-Encoding": accepted})


@pytest.fixture
def lead(client: Client, db: None) -> Client:
    owner = make.user("owner")
    project = make.project(owner=owner, slug="packed")
    for _ in range(20):
        make.trajectory(project)
    client.force_login(owner)
    return client


def test_a_page_goes_out_compressed_to_browsers_that_can_read_it(lead: Client) -> None:
    packed = ask(lead, "/p/packed/trajectories/")
    plain = ask(lead, "/p/packed/trajectories/", accepted="identity")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.content).count(b"packed") == plain.content.count(b"packed")
    assert len(packed.content) < len(plain.content) / 2


def test_so_does_a_long_answer_of_the_api(lead: Client) -> None:
    packed = ask(lead, "/api/v1/projects/packed/trajectories/")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert b'"results"' in gzip.decompress(packed.content)


def test_what_fits_one_packet_goes_as_it_is(lead: Client) -> None:
    answer = ask(lead, "/api/v1/projects/nowhere/")

    assert answer.status_code == 404
    assert "Content-Encoding" not in answer.headers


def test_a_file_keeps_its_length(lead: Client) -> None:
    run = Run.objects.create(project=Project.objects.get(slug="packed"), kind="export", state="done")
    Run.objects.filter(pk=run.pk).update(result={"files": ["data.jsonl"], "sha256": {"data.jsonl": "0" * 64}})
    content = b'{"text": "over and over"}\n' * 1000
    default_storage.save(f"exports/{run.pk}/data.jsonl", ContentFile(content))

    answer = ask(lead, f"/p/packed/exports/{run.pk}/files/data.jsonl")

    assert answer.headers["Content-Length"] == str(len(content))
    assert "Content-Encoding" not in answer.headers
    assert b"".join(answer.streaming_content) == content


def test_the_length_of_a_page_varies_by_chance_so_that_it_tells_no_secret(lead: Client) -> None:
    lengths = {len(ask(lead, "/help/").content) for _ in range(12)}

    assert len(lengths) > 1
