"""Pictures in what was said and seen, and where a call points on one."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from annotations.records import StepRecord
from annotations.rendering.identity import turn_hash
from annotations.rendering.images import MOST, bytes_of, described, kind_of, sources
from annotations.rendering.outline import LONG, heads, outline
from annotations.rendering.parts import part, parts, text_of
from annotations.rendering.pointers import Pointer, pointers
from tests import pictures

ADDRESS = pictures.as_address()
GIF = b"GIF89a" + struct.pack("<HH", 30, 20) + b"\x00\x00\x00;"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 10 + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 20, 30) + b"\x03"
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\x1d\x00\x00\x13\x00\x00"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": ADDRESS, "detail": "auto"}},
        {"type": "image_url", "image_url": ADDRESS},
        {"type": "input_image", "image_url": ADDRESS},
        {"type": "computer_screenshot", "image_url": ADDRESS},
        {"type": "image", "image": ADDRESS, "detail": "auto"},
        {"type": "image", "data": ADDRESS.partition(",")[2], "mimeType": "image/png"},
        pictures.as_anthropic(),
        {"inline_data": {"mime_type": "image/png", "data": ADDRESS.partition(",")[2]}},
        {"inlineData": {"mimeType": "image/png", "data": ADDRESS.partition(",")[2]}},
        {
            "type": "tool_result",
            "tool_use_id": "1",
            "content": [{"type": "text", "text": "x"}, pictures.as_anthropic()],
        },
    ],
)
def test_a_picture_is_found_however_it_is_spelled(part: dict[str, Any]) -> None:
    found = [described(one) for one in sources([{"type": "text", "text": "see"}, part])]
    assert [(one.media, one.width, one.height, one.size) for one in found] == [("image/png", 8, 6, len(pictures.png()))]
    assert bytes_of(next(sources([part]))) == pictures.png()
    assert ADDRESS[40:80] not in text_of([part])
    assert found[0].digest in text_of([part])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (pictures.png(300, 200), ("image/png", 300, 200)),
        (GIF, ("image/gif", 30, 20)),
        (JPEG, ("image/jpeg", 30, 20)),
        (WEBP, ("image/webp", 30, 20)),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ("", 0, 0)),
        (b"<!DOCTYPE html><script>", ("", 0, 0)),
        (b"%PDF-1.7", ("", 0, 0)),
        (b"", ("", 0, 0)),
        (b"\x89PNG\r\n\x1a\n", ("", 0, 0)),
    ],
)
def test_what_a_picture_is_shows_in_its_first_bytes_whatever_it_claims(data: bytes, kind: tuple[str, int, int]) -> None:
    assert kind_of(data) == kind
    assert described(next(sources([pictures.as_openai(data, "image/png")]))).media == kind[0]


def test_a_picture_from_elsewhere_is_named_and_has_no_bytes() -> None:
    far = {"type": "image_url", "image_url": {"url": "https://evil.example/x.png"}}
    assert text_of([far]) == "[image: https://evil.example/x.png]"
    assert bytes_of(next(sources([far]))) == b""
    assert text_of([{"type": "image", "image": "attachment://1f"}]) == "[image: attachment://1f]"
    assert text_of([pictures.as_openai(b"<svg/>", "image/svg+xml")]).startswith("[image: not PNG, JPEG, GIF or WebP")


def test_a_picture_that_asks_for_too_much_is_not_shown() -> None:
    bomb = pictures.png()[:16] + struct.pack(">II", 60_000, 60_000) + pictures.png()[24:]
    assert described(next(sources([pictures.as_openai(bomb)]))).media == ""
    large = pictures.png() + b"\x00" * MOST
    assert bytes_of(next(sources([pictures.as_openai(large)]))) == b""


def test_a_step_tells_which_pictures_stand_in_which_text() -> None:
    content = [{"type": "text", "text": "Look."}, pictures.as_openai(pictures.png(3, 2))]
    seen = {"tool_call_id": "1", "content": [pictures.as_anthropic(), {"type": "text", "text": "done"}]}
    step = StepRecord(
        "agent",
        0,
        message="Look.\n[image_url]",
        tool_calls=({"id": "1", "name": "shot", "arguments": "{}"},),
        observations=(seen,),
        extra={"keys": ["role", "content"], "fields": {"content": content}},
    )
    assert [(one.name, [image.width for image in one.images]) for one in parts(step)] == [
        ("message", [3]),
        ("call-0", []),
        ("observation-0", [8]),
    ]
    assert [one.text for one in parts(step, pictures=False)] == [one.text for one in parts(step)]
    for one in parts(step):
        assert part(step, one.name) == one._replace(images=() if one.name == "message" else one.images)


def test_a_step_has_no_part_of_another_name() -> None:
    step = StepRecord("agent", 0, message="x", tool_calls=({"name": "a", "arguments": ""},))
    for name in ("reasoning", "call-1", "call--1", "call-", "call-x", "observation-0", "extra", "", "call-00000000000"):
        assert part(step, name) is None


def test_arguments_that_are_an_object_are_told_whole() -> None:
    assert json.loads(text_of({"text": "said", "hidden": "payload"})) == {"text": "said", "hidden": "payload"}


def test_steps_that_differ_in_a_picture_alone_are_not_equal() -> None:
    def step(data: bytes) -> StepRecord:
        return StepRecord("user", 0, message="[image_url]", extra={"fields": {"content": [pictures.as_openai(data)]}})

    assert turn_hash("user", step(pictures.png())) == turn_hash("user", step(pictures.png()))
    assert turn_hash("user", step(pictures.png())) != turn_hash("user", step(pictures.png(color=(1, 2, 3))))


def test_a_step_with_large_pictures_has_an_outline_that_names_them() -> None:
    data = pictures.png() + b"\x00" * LONG
    step = StepRecord("agent", 0, message="x", observations=({"content": [pictures.as_openai(data)]},))
    stored = json.loads(json.dumps(outline(parts(step))))
    assert len(json.dumps(stored)) < 1_000
    assert [one.images for one in heads(stored)] == [one.images for one in parts(step)]


def test_an_outline_from_before_pictures_were_looked_for_is_still_read() -> None:
    assert heads([["message", "message", "", "x", 1, 1, True]])[0].images == ()


# --- where a call points


CLICK = Pointer("point", "left_click", ((233, 267),))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"action": "left_click", "coordinate": [233, 267]}', CLICK),
        ({"action": "left_click", "coordinate": [233, 267]}, CLICK),
        ({"type": "click", "button": "left", "x": 233, "y": 267}, CLICK._replace(label="click")),
        ({"action": {"type": "scroll", "x": 1, "y": 2, "scroll_y": 300}}, Pointer("point", "scroll", ((1, 2),))),
        ({"point": {"x": 0.5, "y": 0.25}}, Pointer("point", "point", ((0.5, 0.25),))),
        ({"action": "click", "start_box": "(100,200)"}, Pointer("point", "click", ((100, 200),))),
        (
            {"action": "left_click_drag", "start_coordinate": [1, 2], "coordinate": [3, 4]},
            Pointer("path", "left_click_drag", ((1, 2), (3, 4))),
        ),
        ({"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}, Pointer("path", "drag", ((1, 2), (3, 4)))),
        ({"type": "drag", "path": [[1, 2], [3, 4], [5, 6]]}, Pointer("path", "drag", ((1, 2), (3, 4), (5, 6)))),
        ({"bbox": [0.1, 0.2, 0.3, 0.4]}, Pointer("box", "bbox", ((0.1, 0.2), (0.3, 0.4)))),
        ({"box_2d": [100, 200, 300, 400]}, Pointer("box", "box_2d", ((200, 100), (400, 300)), thousand=True)),
        ({"box": {"x": 1, "y": 2, "width": 3, "height": 4}}, Pointer("box", "box", ((1, 2), (4, 6)))),
        ({"rect": {"left": 1, "top": 2, "right": 4, "bottom": 6}}, Pointer("box", "rect", ((1, 2), (4, 6)))),
        ("pyautogui.doubleClick(x=10, y=20)", Pointer("point", "doubleClick", ((10, 20),))),
        ({"code": "pyautogui.moveTo(10, 20)"}, Pointer("point", "moveTo", ((10, 20),))),
    ],
)
def test_a_call_says_where_it_points_in_the_spellings_of_its_kind(arguments: Any, expected: Pointer) -> None:
    assert pointers(arguments) == [expected]


@pytest.mark.parametrize(
    "arguments",
    [
        *({"text": "a, b"}, {"x": True, "y": 2}, {"x": -1, "y": 2}, {"x": "1", "y": "2"}, {"width": 5, "height": 6}),
        *(
            {"coordinate": [1, 2, 3]},
            {"coordinate": None},
            "{" * 200,
            "not json",
            None,
            7,
            [],
            {"x": float("1e9"), "y": 1},
        ),
    ],
)
def test_what_points_nowhere_points_nowhere(arguments: Any) -> None:
    assert pointers(arguments) == []


def test_a_call_that_points_at_everything_is_heard_a_little() -> None:
    assert len(pointers([{"x": 1, "y": 2}] * 1_000)) == 20


@pytest.mark.parametrize(
    ("pointer", "places"),
    [
        (Pointer("point", "", ((512, 384),)), ((512, 384),)),
        (Pointer("point", "", ((0.5, 0.25),)), ((500, 125),)),
        (Pointer("point", "", ((0, 1),)), ((0, 1),)),  # whole numbers are pixels
        (Pointer("point", "", ((200, 900),)), ((200, 450),)),  # below a picture that is 500 high: out of 1000
        (Pointer("box", "", ((200, 100), (400, 300)), thousand=True), ((200, 50), (400, 150))),
        (Pointer("point", "", ((2_000, 10),)), ()),
    ],
)
def test_the_scale_of_a_place_shows_against_the_pictures_size(pointer: Pointer, places: tuple[Any, ...]) -> None:
    assert pointer.on(1000, 500) == places


def test_real_screens_and_what_was_done_on_them(shared_data: Path) -> None:
    found, told = [], []
    for file in sorted((shared_data / "screenagent").glob("*/*.json")):
        session = json.loads(file.read_text())
        data = (file.parent / "images" / session["saved_image_name"]).read_bytes()
        image = described(next(sources([pictures.as_anthropic(data, "image/jpeg")])))
        assert (image.width, image.height) == (session["video_width"], session["video_height"])
        found += [place for one in pointers(session["actions"]) for place in one.on(image.width, image.height)]
        spots = [one["mouse_position"] for one in session["actions"] if "mouse_position" in one]
        told += [(spot["width"], spot["height"]) for spot in spots]
    assert found == told
    assert (233, 267) in found


def test_the_picture_of_an_inspect_log_is_found(shared_data: Path) -> None:
    log = json.loads((shared_data / "inspect" / "log_images_tc.json").read_text())
    contents = [message["content"] for message in log["samples"][0]["messages"]]
    assert [described(one).mark for content in contents for one in sources(content)] == [
        "[image/png, 34 × 30, 6,395 bytes, 06c95ef8]"
    ]
