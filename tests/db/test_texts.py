"""A text's address, on the label page and the trajectory page alike: whole, drawn, in pieces, found in, as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Project, Step, Trajectory
from annotations.rendering.outline import outline
from annotations.rendering.parts import parts
from annotations.services import bodies, pictures
from annotations.services.bodies import PIECE, Body, Part
from tests import make
from tests import pictures as drawn
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db

LONG = "".join(f"line {number} of a long text\n" for number in range(1, 20_001)) + "the end"


@pytest.fixture
def mine() -> Annotation:
    annotator = make.user()
    return make.lease(make.trajectory(make.project(annotator), steps=3), annotator)


@pytest.fixture
def client(mine: Annotation) -> Client:
    return enter(mine.rater.user)


def store(trajectory: Trajectory, index: int, **fields: Any) -> Step:
    """Another content for a step, with the outline an import would give it."""
    trajectory.steps.filter(index=index).update(**fields)
    step = trajectory.steps.get(index=index)
    step.outline = outline(parts(step))
    step.save(update_fields=["outline"])
    return step


Ask = Callable[..., HttpResponse]


@pytest.fixture(params=["label page", "trajectory page"])
def ask(request: pytest.FixtureRequest, mine: Annotation, client: Client) -> Ask:
    """ask(step, part, **query) at one of the two doors of the same text."""
    slug, trajectory = mine.rater.project.slug, mine.trajectory_id

    def at(index: int, part: str, *number: int, **query: Any) -> HttpResponse:
        on_label = request.param == "label page"
        kind = "image" if number else "text" if on_label else "part"
        name, first = (f"annotate_{kind}", mine.pk) if on_label else (f"trajectory_{kind}", trajectory)
        return client.get(reverse(name, args=[slug, first, index, part, *number]), query)

    return at


def test_a_text_comes_as_the_page_has_it_as_written_and_drawn(mine: Annotation, ask: Ask) -> None:
    store(mine.trajectory, 1, message="**bold** <b>")
    assert '<pre class="text" dir="auto">\n**bold** &lt;b&gt;</pre>' in ask(1, "message").content.decode()
    assert "<strong>bold</strong> &lt;b&gt;" in ask(1, "message", **{"as": "rendered"}).content.decode()
    assert 'data-offers="rendered"' in ask(1, "message", **{"as": "written"}).content.decode()
    call = ask(1, "call-0").content.decode()
    assert '<span class="t-key">"at"</span>' in call
    assert 'data-offers="written"' in call
    assert '{"at": 1}' in ask(1, "call-0", **{"as": "written"}).content.decode()


def test_every_text_is_told_to_be_left_alone(ask: Ask) -> None:
    shown = ask(1, "observation-0").content.decode()
    for shield in ("hx-disable", "hx-ignore", 'translate="no"', 'dir="auto"'):
        assert shield in shown


def test_a_text_is_a_file_as_it_was_imported(mine: Annotation, ask: Ask) -> None:
    store(mine.trajectory, 1, message="a\r\nb\u202e<b>")
    answer = ask(1, "message", raw="")
    assert answer.content.decode() == "a\r\nb\u202e<b>"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="step-1-message.txt"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("part", ["message", "reasoning", "observation-0", "call-0"])
def test_the_pieces_of_a_long_text_are_the_text(mine: Annotation, ask: Ask, part: str) -> None:
    contents = {
        "message": {"message": LONG},
        "reasoning": {"reasoning": LONG},
        "observation-0": {"observations": [{"content": [{"type": "text", "text": LONG}]}]},
        "call-0": {"tool_calls": [{"id": "1", "name": "write", "arguments": LONG}]},
    }
    store(mine.trajectory, 1, **contents[part])
    told = ask(1, part, pieces="").json()
    assert (told["characters"], told["lines"]) == (len(LONG), 20_001)
    assert told["at"][0] == [0, 1, False]
    assert len(told["at"]) > 3
    text = ""
    for first, line, goes_on in told["at"]:
        assert not goes_on
        assert LONG.startswith(f"line {line} ", first)
        html = ask(1, part, **{"from": first}).content.decode()
        text += html.split('dir="auto">\n')[1].split("</pre>")[0]
    assert text == LONG


def test_a_long_text_answers_with_its_first_piece_and_links_to_the_others(mine: Annotation, ask: Ask) -> None:
    store(mine.trajectory, 1, message=LONG)
    page = ask(1, "message").content.decode()
    assert "line 1 of" in page
    assert "the end" not in page
    second = ask(1, "message", pieces="").json()["at"][1][0]
    assert f'<a href="?from={second}">Later</a>' in page
    last = ask(1, "message", **{"from": ask(1, "message", pieces="").json()["at"][-1][0]}).content.decode()
    assert ">Earlier</a>" in last
    assert ">Later</a>" not in last
    assert "the end" in last


def test_a_text_is_found_in_by_character(mine: Annotation, ask: Ask) -> None:
    store(mine.trajectory, 1, message=f"{LONG}\nİ Needle \U0001f600 nEEDLE")
    first = len(LONG) + 3
    assert ask(1, "message", find="needle").json() == {"hits": [first, first + 9], "next": None}
    assert ask(1, "message", find="needle", **{"from": first + 1}).json() == {"hits": [first + 9], "next": None}
    assert ask(1, "message", find="nowhere").json() == {"hits": [], "next": None}
    assert ask(1, "message", find="").json() == {"hits": [], "next": None}
    many = ask(1, "message", find="line").json()
    assert len(many["hits"]) == bodies.MOST_HITS
    assert LONG.startswith("line", ask(1, "message", find="line", **{"from": many["next"]}).json()["hits"][0])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "x"}, "from: found 'x'; accepted is a character from 0 to 8"),
        ({"from": "-1"}, "from: found '-1'"),
        ({"from": "9"}, "from: found '9'"),
        ({"from": "x", "find": "a"}, "from: found 'x'"),
        ({"as": "video"}, "as: found 'video'; accepted are written and rendered"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(ask: Ask, query: dict[str, str], said: str) -> None:
    answer = ask(1, "message", **query)
    assert answer.status_code == 400
    assert answer.content.decode().startswith(said)


@pytest.mark.parametrize("part", ["reasoning", "call-1", "call-x", "observation-9", "extra", "content_hash"])
def test_there_is_no_text_of_another_name(ask: Ask, part: str) -> None:
    assert ask(1, part).status_code == 404
    assert ask(9, "message").status_code == 404


def test_a_first_pass_gets_no_text_and_no_picture_beyond_its_frontier() -> None:
    annotator = make.user()
    project = make.project(annotator, mode=Project.Mode.PROGRESSIVE)
    trajectory = make.trajectory(project, steps=3)
    mine = make.lease(trajectory, annotator, frontier=1)
    for step in trajectory.steps.all():
        store(trajectory, step.index, extra={"fields": {"content": [drawn.as_openai()]}})
    client = enter(annotator)
    for address in ("annotate_text", "annotate_image"):
        number = [1] if address == "annotate_image" else []
        for index, status in ((1, 200), (2, 404)):
            url = reverse(address, args=[project.slug, mine.pk, index, "message", *number])
            for query in ({}, {"raw": ""}, {"pieces": ""}, {"find": "try"}, {"from": 0}):
                assert client.get(url, query).status_code == status, (url, query)


# --- pictures


def test_a_picture_comes_as_what_it_is_and_can_do_nothing(mine: Annotation, ask: Ask) -> None:
    seen = {"content": [{"type": "text", "text": "a"}, drawn.as_anthropic(), drawn.as_openai(drawn.png(3, 3))]}
    store(mine.trajectory, 1, observations=[seen], extra={"fields": {"content": [drawn.as_openai(drawn.png(2, 2))]}})
    answer = ask(1, "observation-0", 1)
    assert answer.content == drawn.png()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert ask(1, "observation-0", 2).content == drawn.png(3, 3)
    assert ask(1, "message", 1).content == drawn.png(2, 2)
    for part, number in (
        ("observation-0", 3),
        ("observation-0", 0),
        ("observation-1", 1),
        ("call-0", 1),
        ("message", 2),
    ):
        assert ask(1, part, number).status_code == 404


def test_what_is_no_picture_of_ours_is_not_sent_whatever_it_claims(mine: Annotation, ask: Ask) -> None:
    hostile = [
        drawn.as_openai(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/png"),
        drawn.as_openai(b"<script>", "text/html"),
        {"type": "image_url", "image_url": {"url": "https://evil.example/x.png"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "not base64 ☃"}},
    ]
    store(mine.trajectory, 1, observations=[{"content": hostile}])
    for number in range(1, len(hostile) + 1):
        assert ask(1, "observation-0", number).status_code == 404


def test_a_browser_that_has_the_picture_is_not_sent_it_again_but_asks_whether_it_may(
    mine: Annotation, client: Client
) -> None:
    store(mine.trajectory, 1, extra={"fields": {"content": [drawn.as_openai()]}})
    url = reverse("trajectory_image", args=[mine.rater.project.slug, mine.trajectory_id, 1, "message", 1])
    tag = client.get(url).headers["ETag"]
    again = client.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert enter(make.user()).get(url, headers={"If-None-Match": tag}).status_code == 404


def test_both_pages_show_pictures_by_address_and_none_of_their_data(mine: Annotation, client: Client) -> None:
    far = {"type": "image_url", "image_url": {"url": "https://evil.example/x.png"}}
    store(mine.trajectory, 1, extra={"fields": {"content": [drawn.as_openai(), far]}})
    slug, data = mine.rater.project.slug, drawn.as_address()[30:90]
    for page, image in (
        (reverse("annotate", args=[slug, mine.pk]), reverse("annotate_image", args=[slug, mine.pk, 1, "message", 1])),
        (
            reverse("trajectory", args=[slug, mine.trajectory_id]),
            reverse("trajectory_image", args=[slug, mine.trajectory_id, 1, "message", 1]),
        ),
    ):
        html = client.get(page).content.decode()
        assert f'<img src="{image}" width="8" height="6" loading="lazy"' in html
        assert "Picture not shown: https://evil.example/x.png" in html
        assert 'src="https://evil' not in html
        assert data not in html


def test_a_call_shows_the_screen_before_it_with_a_mark_where_it_points(mine: Annotation, client: Client) -> None:
    trajectory = mine.trajectory
    store(trajectory, 1, observations=[{"content": [drawn.as_openai(drawn.png(100, 50))]}])
    store(trajectory, 2, tool_calls=[{"name": "computer", "arguments": '{"action": "click", "coordinate": [40, 30]}'}])
    html = client.get(reverse("trajectory", args=[mine.rater.project.slug, trajectory.pk])).content.decode()
    assert '<svg class="marks" viewBox="0 0 100 50"' in html
    assert '<circle class="mark" cx="40" cy="30"' in html
    assert "On the picture before this call (100 × 50)" in html
    assert "click at 40, 30" in html


def test_the_screen_before_a_window_of_steps_is_looked_up(mine: Annotation) -> None:
    trajectory = mine.trajectory
    assert pictures.before(trajectory.pk, 3) is None
    store(trajectory, 1, observations=[{"content": [drawn.as_openai(drawn.png(3, 3)), drawn.as_openai()]}])
    found = pictures.before(trajectory.pk, 3)
    assert found is not None
    assert (found.step, found.part, found.number, found.image.width) == (1, "observation-0", 2, 8)
    assert pictures.before(trajectory.pk, 1) is None
    store(
        trajectory, 2, extra={"fields": {"content": [{"type": "image_url", "image_url": {"url": "https://x.example"}}]}}
    )
    assert pictures.before(trajectory.pk, 3) == found


# --- bodies


def test_pieces_end_at_lines_and_where_there_are_none_at_so_many_characters() -> None:
    body = Body(Part("message", "message", "", "x" * (2 * PIECE + 5) + "\n" + "y\n" * 12_000))
    assert [(first, line, goes_on) for first, line, goes_on in body.pieces] == [
        (0, 1, False),
        (PIECE, 1, True),
        (2 * PIECE, 1, True),
        (2 * PIECE + 6 + 2 * 4_999, 5_001, False),
        (2 * PIECE + 6 + 2 * 9_999, 10_001, False),
    ]
    assert "".join(body.piece(first) for first, *_ in body.pieces) == body.text
    assert [body.after(first) for first, *_ in body.pieces] == [*(first for first, *_ in body.pieces[1:]), None]
    assert [body.before(first) for first, *_ in body.pieces] == [None, *(first for first, *_ in body.pieces[:-1])]


def test_a_piece_never_ends_between_the_two_halves_of_a_line_end() -> None:
    body = Body(Part("message", "message", "", "x" * (PIECE - 1) + "\r\n" + "y" * 10))
    assert [first for first, *_ in body.pieces] == [0, PIECE + 1]


def test_a_text_of_nothing_but_line_ends_has_pieces_a_page_can_bear() -> None:
    body = Body(Part("message", "message", "", "\n" * 20_000))
    assert all(body.piece(first).count("\n") <= bodies.PIECE_LINES for first, *_ in body.pieces)
    assert body.lines == 20_001


def test_a_long_text_is_read_once_and_a_short_one_each_time(
    mine: Annotation, client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    store(mine.trajectory, 1, message=LONG)
    steps = mine.trajectory.steps.all()
    bodies.body(steps, 1, "message")
    with django_assert_num_queries(1):  # which step it is, and whether it may be read
        assert bodies.body(steps, 1, "message") is not None
    with django_assert_num_queries(1):
        assert bodies.body(steps.filter(index__lt=1), 1, "message") is None


def test_long_texts_that_were_read_make_room_for_others() -> None:
    kept = bodies.Kept(most=25)
    for number in range(4):
        kept.put((number,), Body(Part("message", "message", "", "x" * 10)))
    assert [kept.get((number,)) is not None for number in range(4)] == [False, False, True, True]
    kept.put((9,), Body(Part("message", "message", "", "x" * 100)))
    assert kept.get((9,)) is not None
