"""What the page about servers of judges says is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotations.judges.servers import Options
from annotations.judges.settings import OURS
from app.stack import serving
from app.stack.management.commands.judge_server import Command
from models_service.judges import breaker, line_client, replied

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "judge-servers.md").read_text()


@pytest.mark.parametrize(
    "words",
    [
        f"longer than {line_client.LONGEST // 2**20} MiB",
        f"kept in {replied.WORDS} characters",
        ", ".join(map(str, line_client.OWN)),
        ", ".join(map(str, line_client.ONE)),
    ],
)
def test_numbers_that_the_page_names_are_those_of_the_code(words: str):
    assert words in PAGE


def test_rests_and_patience_are_as_the_page_says():
    assert (line_client.LONGEST_REST, breaker.FAULTS, breaker.PATIENCE) == (2 * 60, 5, 5 * 60)
    assert "at most two minutes" in PAGE
    assert "After five faults" in PAGE
    assert "for five minutes" in PAGE


def test_what_extra_may_not_set_is_named():
    assert all(f"`{name}`" in PAGE for name in OURS)


def test_the_command_has_the_port_and_patience_that_the_page_names():
    parser = Command().create_parser("manage.py", "judge_server")
    given = parser.parse_args(["--model", "x"])
    assert f"`--port`, {given.port} where" in PAGE
    assert given.wait == 10 * 60
    assert "ten minutes to load" in PAGE


def test_the_extra_holds_what_the_server_of_transformers_needs_and_nothing_of_ours_imports_it():
    lines = (ROOT / "requirements-serving.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in lines if "==" in line}
    assert set(serving.NEEDED) <= names
    assert not names & {line.partition("==")[0] for line in (ROOT / "requirements.in").read_text().splitlines()}


def test_how_long_an_answer_may_take_where_nobody_says_otherwise():
    options = Options()
    assert f"`timeout` seconds ({options.timeout:.0f})" in PAGE
    assert 60 * 6 > options.timeout < options.longest
    assert options.retries + 1 == 5
