"""Terminal output looks as it did on the screen, hides nothing, and commands nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from annotations.rendering.marks import inert
from annotations.rendering.shown import first
from annotations.rendering.terminal import printed


def html(text: str) -> str:
    return printed(text).html


def test_colours_and_weights_are_classes() -> None:
    assert html("\x1b[1;31mred\x1b[0m plain") == '<span class="a-fg1 a-bold">red</span> plain'
    assert html("\x1b[44mon blue\x1b[49m\x1b[96mbright") == (
        '<span class="a-bg4">on blue</span><span class="a-fg14">bright</span>'
    )
    assert html("\x1b[1m\x1b[4mboth\x1b[22mone\x1b[mnone") == (
        '<span class="a-bold a-under">both</span><span class="a-under">one</span>none'
    )


def test_every_colour_there_is_becomes_the_nearest_of_ours() -> None:
    assert html("\x1b[38;5;196mx") == '<span class="a-fg1">x</span>'
    assert html("\x1b[38;2;0;0;0mx") == '<span class="a-fg0">x</span>'
    assert html("\x1b[48;5;255mx") == '<span class="a-bg15">x</span>'
    assert html("\x1b[38:2:255:255:255mx") == '<span class="a-fg15">x</span>'
    assert html("\x1b[38;5;9mx") == '<span class="a-fg9">x</span>'


def test_numbers_that_mean_nothing_are_passed_over() -> None:
    assert html("\x1b[38;5m\x1b[999999999999m\x1b[77mx") == "x"


def test_a_carriage_return_prints_over_the_line_and_this_is_counted() -> None:
    assert printed(" 10%\r 99%\n") == (" 99%\n", 2)
    assert printed("abc\rX\n").html == "Xbc\n"
    assert printed("abc\r\x1b[Kx") == ("x", 3)
    assert printed("abcd\b\bX") == ("abXd", 1)
    assert printed("same\rsame") == ("same", 0)


def test_a_line_end_of_windows_is_a_line_end() -> None:
    assert printed("one\r\ntwo\r\r\nthree") == ("one\ntwo\nthree", 0)


def test_the_page_says_that_something_was_printed_over() -> None:
    assert first("harmless\rdangerous", "observation").note == "7 characters were printed over"
    assert first("\x1b[32mok", "observation").note == ""


def test_every_other_sequence_is_shown_and_does_nothing() -> None:
    for sequence in (
        "\x1b[2J",
        "\x1b[10A",
        "\x1b]0;title\x07",
        "\x1b]8;;https://evil.example\x1b\\",
        "\x1b[?1049h",
        "\x1b(B",
    ):
        assert html(f"a{sequence}b") == f'a<span class="a-inert">{inert(sequence)}</span>b'


def test_a_sequence_without_end_takes_no_more_than_its_line() -> None:
    assert html("\x1b]0;title\nnext").endswith("\nnext")


@given(st.text(alphabet=st.characters(blacklist_characters="\x1b\r\x08")))
def test_text_without_sequences_is_itself(text: str) -> None:
    assert printed(text) == (inert(text), 0)


@given(st.text(alphabet="\x1b[]m;01389K\r\n\x08ab\x07\\", max_size=200))
def test_whatever_is_printed_there_are_no_more_lines_than_were_begun(text: str) -> None:
    assert printed(text).html.count("\n") == text.count("\n")
