"""Trajectories as pages that stand alone: they ask for nothing, run nothing, and say what they leave out."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zipfile
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Project, Trajectory, User
from annotations.views import paper
from tests import make
from tests.db.importing import file, take
from tests.db.test_pages import enter
from tests.db.test_pages_lists import scored

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.example/">x</a>\u202e'


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(width: int = 3) -> bytes:
    """A small PNG."""
    head = struct.pack(">IIBBBBB", width, 2, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\x00" + b"\x7f" * width) * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Links(HTMLParser):
    """Every address that a page names, and the elements in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "data")]


@pytest.fixture
def one(project: Project) -> Trajectory:
    made = make.trajectory(
        project, of=make.task(project, instruction=HOSTILE), external_id="a/b: ü<", outcome={"reward": 0}
    )
    made.steps.filter(index=1).update(message=HOSTILE)
    make.rating(make.rater(project, "the-judge"), made, [1, -1, 1], final=-1)
    make.rating(make.rater(project, "gold", "import"), made, [1, 0, -1])
    scored(made, [0.9, 0.0731, 0.4])
    return made


def bundle(project: Project, out: Path, *names: str, **options: Any) -> dict[str, bytes]:
    call_command("bundle", project.slug, *names, out=out, stdout=io.StringIO(), **options)
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_bundle_is_an_index_and_a_page_each_that_lead_to_each_other_and_nowhere_else(project, one, tmp_path) -> None:
    make.trajectory(project)
    files = bundle(project, tmp_path / "site")
    pages = [name for name in files if name.endswith(".html")]
    assert sorted(files) == sorted([*pages, "style.css"])
    assert len(pages) == 3
    for name in pages:
        links = Links(files[name].decode())
        for address in links.addresses:
            target, _, anchor = address.partition("#")
            assert not target or target in files, f"{name} leads to {address}"
            assert not anchor or f'id="{anchor}"'.encode() in files[target or name]
        assert not {"script", "iframe", "object", "embed", "form", "img", "button"} & set(links.tags), name
        assert not any(one.startswith(("on", "hx-get", "style")) for one in links.attributes), name
        assert b"default-src 'none'" in files[name]
    assert not re.search(rb"url\(|@import", files["style.css"])


def test_what_a_stranger_wrote_is_text(project, one, tmp_path) -> None:
    files = bundle(project, tmp_path / "site")
    for name, content in files.items():
        for dangerous in ("<script>alert", "<img src=x", "\u202e", '<a href="https://evil'):
            assert dangerous not in content.decode(), name
    assert any("&lt;script&gt;alert(1)" in content.decode() for content in files.values())


def test_the_same_makes_the_same_bytes(project, one, tmp_path) -> None:
    assert bundle(project, tmp_path / "a") == bundle(project, tmp_path / "b")
    for name in ("c", "d"):
        call_command("bundle", project.slug, out=tmp_path / name, zip=True, stdout=io.StringIO())
    assert (tmp_path / "c.zip").read_bytes() == (tmp_path / "d.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == bundle(project, tmp_path / "e")


@pytest.mark.parametrize(
    ("labels", "there", "absent"),
    [
        ("all", ["the-judge", "gold", "0.07"], []),
        ("none", [], ["the-judge", "gold", "0.07"]),
        ("mine:gold", ["gold"], ["the-judge", "0.07"]),
    ],
)
def test_only_the_labels_that_were_asked_for_come_along(labels, there, absent, project, one, tmp_path) -> None:
    text = "".join(
        content.decode() for name, content in bundle(project, tmp_path / "s", labels=labels).items() if "html" in name
    )
    assert [word for word in there if word not in text] == []
    assert [word for word in absent if word in text] == []


def test_what_is_cut_is_said_where_it_is_cut_in_the_index_and_by_the_command(
    project, one, tmp_path, monkeypatch
) -> None:
    one.steps.filter(index=2).update(message="word " * paper.TEXT)
    monkeypatch.setattr(paper, "STEPS", 3)
    told = io.StringIO()
    call_command("bundle", project.slug, out=tmp_path / "s", stdout=told)
    page = next(path for path in (tmp_path / "s").glob("*.html") if path.name != "index.html").read_text()
    assert "Cut here: the whole text has 39.1\u00a0KB" in page
    assert "This page ends before #3" in page
    assert "all from #3 on; the end of 1 text" in (tmp_path / "s" / "index.html").read_text()
    assert "leaves out all from #3 on and the end of 1 texts" in told.getvalue()


def test_pictures_are_files_beside_the_page(project: Project, tmp_path: Path) -> None:
    data = base64.b64encode(picture()).decode()
    shot = [
        {"type": "text", "text": 'src="x"'},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
    ]
    elsewhere = [{"type": "image_url", "image_url": {"url": "https://evil.example/track.png"}}]
    call = {"id": "c", "type": "function", "function": {"name": "screenshot", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": "I look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": shot},
        {"role": "user", "content": elsewhere},
        {"role": "assistant", "content": "Again."},
    ]
    take(project, file(tmp_path, {"messages": messages, "id": "seen"}))
    files = bundle(project, tmp_path / "s")
    (name,) = [name for name in files if name.startswith("images/")]
    assert name.endswith(".png")
    assert files[name] == picture()
    page = next(content.decode() for page, content in files.items() if page.startswith("seen"))
    assert f'<img src="{name}"' in page
    assert "data:image" not in page
    assert 'src="https' not in page
    assert files == bundle(project, tmp_path / "again")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"names": ["nowhere"]}, "There is no trajectory 'nowhere' in .*There are: a/b: ü<"),
        ({"labels": "mine:nobody"}, "There is no rater 'nobody' in .*There are: gold, the-judge"),
        ({"labels": "some"}, "--labels is 'some'; accepted are none, all, or mine:<rater>"),
        ({"labels": "mine:"}, "--labels is 'mine:'; accepted are"),
    ],
)
def test_what_cannot_be_bundled_is_refused_in_words(how, said, project, one, tmp_path) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("bundle", project.slug, *how.pop("names", ()), out=tmp_path / "s", **how)


def test_nothing_that_is_there_is_written_over(project, one, tmp_path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(CommandError, match="is not empty"):
        call_command("bundle", project.slug, out=tmp_path)
    (tmp_path / "s.zip").write_text("mine")
    with pytest.raises(CommandError, match="is there already"):
        call_command("bundle", project.slug, out=tmp_path / "s", zip=True)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["mine", "mine"]


def test_programs_are_told_in_json(project, one, tmp_path) -> None:
    told = io.StringIO()
    call_command("bundle", project.slug, one.external_id, out=tmp_path / "s", json=True, stdout=told)
    assert json.loads(told.getvalue()) == {"out": str(tmp_path / "s"), "trajectories": 1, "cut": {}}


def test_an_empty_project_has_nothing_to_take_away(project, tmp_path) -> None:
    with pytest.raises(CommandError, match="is empty"):
        call_command("bundle", project.slug, out=tmp_path / "s")


def test_who_may_take_data_takes_one_away_as_an_archive(project: Project, owner: User, one: Trajectory) -> None:
    page = enter(owner).get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    address = reverse("trajectory_take", args=[project.slug, one.pk])
    assert f'href="{address}"' in page
    answer = enter(owner).get(address)
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert sorted(archive.namelist()) == sorted([f"a-b-ü-{one.pk}.html", "index.html", "style.css"])
    assert answer.headers["Content-Disposition"] == f'attachment; filename="trajectory-{one.pk}.zip"'
    annotator = make.user()
    make.member(project, annotator)
    client: Client = enter(annotator)
    assert client.get(address).status_code == 403
    assert address not in client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
