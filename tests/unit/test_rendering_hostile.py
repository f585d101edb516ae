"""Whatever a text is made of, no view of it emits an element, an attribute or an address that could do something."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.rendering.shown import Shown, first, rendered, written
from annotations.rendering.tokens import CLASSES

CORPUS: dict[str, str] = json.loads((Path(__file__).parents[1] / "samples" / "hostile.json").read_text())
VIEWS = [first, written, rendered]
PLACES = [
    ("message", ""),
    ("reasoning", ""),
    ("observation", "cat"),
    ("call", "python"),
    ("call", "html"),
    ("call", "bash"),
]

ELEMENTS = set("pre span ins del div p br hr strong em s a ul ol li blockquote code table thead tbody tr th td".split())  # noqa: SIM905
CLASS = re.compile(
    "|".join([*CLASSES, "text|prose|scrolls|heading|maths|display|address|remote|muted|number|middle|breaks"])
    + r"|hidden-character|d-(?:line|hunk|head)|a-(?:fg|bg)\d{1,2}"
    + r"|a-(?:bold|dim|italic|under|struck|inverse|concealed|inert)"
)
VALUES = {
    "class": lambda value: all(CLASS.fullmatch(one) for one in value.split()),
    "title": lambda value: re.fullmatch(r"U\+[0-9A-F]{4,6} [a-z0-9 -]+(?:, \d+ different in all)?", value),
    "data-count": str.isdigit,
    "dir": lambda value: value == "auto",
    "role": lambda value: value == "group",
    "aria-label": lambda value: value == "Table",
    "tabindex": lambda value: value == "0",
    "start": str.isdigit,
    "href": lambda value: re.match(r"(?:https?://|mailto:)[!-~]+\Z", value),
    "rel": lambda value: value == "noopener noreferrer nofollow",
}


class Reader(HTMLParser):
    """Collects what may not be there, and the text a reader sees, marks as the characters they stand for."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.mark = ""
        self.length = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name not in VALUES or not VALUES[name](value or ""):
                self.wrong.append(f"<{tag} {name}={value!r}>")
        facts = dict(attrs)
        if (facts.get("class") or "").startswith("hidden-character"):
            self.mark = chr(int((facts["title"] or "").split()[0].rstrip(",")[2:], 16))
            self.length += int(facts.get("data-count") or 1)

    def handle_endtag(self, tag: str) -> None:
        self.mark = ""

    def handle_data(self, data: str) -> None:
        self.text.append(self.mark or data)
        self.length += 0 if self.mark else len(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"<?{data}>")


def read(shown: Shown) -> Reader:
    reader = Reader()
    reader.feed(shown.html)
    reader.close()
    return reader


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@pytest.mark.parametrize("name", CORPUS)
def test_no_view_of_a_hostile_text_emits_anything_that_acts(name: str, view: Callable[..., Shown]) -> None:
    for place in PLACES:
        assert read(view(CORPUS[name], *place)).wrong == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_nor_does_any_view_of_all_of_them_together(view: Callable[..., Shown]) -> None:
    for joint in ("\n\n", "", " ", "\n"):
        for place in PLACES:
            assert read(view(joint.join(CORPUS.values()), *place)).wrong == []


SPECIAL = st.text(alphabet="<>&\"'`=/\\()[]{}!#*_~|:-+.$%@;,\n\r\t\x1b\x08 abhref1\u202e\u200b\ufe0f😀", max_size=120)


@given(SPECIAL, st.sampled_from(PLACES), st.sampled_from(VIEWS))
def test_nor_does_any_view_of_any_text(text: str, place: tuple[str, str], view: Callable[..., Shown]) -> None:
    assert read(view(text, *place)).wrong == []


@given(SPECIAL, st.sampled_from(PLACES))
def test_a_view_that_says_it_is_exact_has_the_texts_own_characters(text: str, place: tuple[str, str]) -> None:
    for view in VIEWS:
        shown = view(text, *place)
        if shown.exact:
            found = read(shown)
            assert found.length - 1 == len(text)  # the newline after <pre> is the parser's
            if "data-count" not in shown.html:
                assert "".join(found.text)[1:] == text


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_text_as_it_was_written_is_all_there(name: str) -> None:
    for place in PLACES:
        found = read(written(CORPUS[name], *place))
        assert found.length - 1 == len(CORPUS[name])


def repeated(piece: str) -> str:
    return (piece * (200_000 // len(piece) + 1))[:200_000]


SLOW = [
    *(
        "[",
        "![",
        "[a](",
        "*a ",
        "*",
        "_a",
        "`",
        ">",
        "> > > a\n",
        "- ",
        "1. ",
        "<",
        "<!--",
        "&#x",
        "|a",
        "|a|b|\n",
        "# a\n",
    ),
    *(
        "\\(",
        "$$",
        "$$x\n",
        "$a",
        "\\[\n",
        "\\begin{align}\n",
        "$\\ab ",
        "-",
        "=",
        "\t",
        "\n",
        " ",
        "~",
        "```\n",
        "[a]: b\n",
    ),
    *(
        "<http://a",
        "\\",
        "\u200b\u200c",
        "a\u200b",
        "\x1b[",
        "\x1b[31mx",
        "\x1b]8;;",
        "ab\r",
        "a\x08",
        "\r",
        "@@ -",
        "\n@@ -1 +1 @@",
    ),
    *(
        "'",
        '"',
        "'''",
        '"""',
        "//\n",
        "/*",
        "{",
        "(",
        "a=",
        "<a b='",
        "${",
        "a,b,c\n",
        "a\tb\n",
        '"a',
        "{}\n",
        "\\n",
        "a\u0301",
    ),
]


@pytest.mark.parametrize("piece", SLOW)
def test_no_text_of_200_kb_takes_long(piece: str) -> None:
    """A generous limit, for machines differ: what grows faster than the text takes minutes."""
    text = repeated(piece)
    wrapped = [text, f"```python\n{text}", '{"a": "' + text.replace("\n", "\\n")]
    for one, place in [
        *((one, ("message", "")) for one in wrapped),
        (text, ("observation", "")),
        (text, ("call", "python")),
    ]:
        for view in (first, rendered):
            began = time.process_time()
            view(one[:200_000], *place)
            assert time.process_time() - began < 5, (place, view.__name__)
