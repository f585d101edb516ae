"""Checks that are run: tools' arguments, sums, Python, and the sandbox that keeps a program in."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.checks import arithmetic, sandbox, tool_arguments
from models_service.scorers.checks.arithmetic import Arithmetic
from models_service.scorers.checks.python_code import PythonSyntax
from models_service.scorers.checks.tool_arguments import ToolArguments

isolated = pytest.mark.skipif(bool(sandbox.unsafe()), reason=sandbox.unsafe() or "it is safe")
LOOK = {"type": "object", "properties": {"at": {"type": "integer"}}, "required": ["at"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": LOOK}}, {"name": "stop"}]


def step(message: str = "", *calls: tuple[str, Any]) -> StepRecord:
    return StepRecord(
        "agent", 0, message, tool_calls=tuple({"name": name, "arguments": given} for name, given in calls)
    )


def run(program: str, given: str = "", **limits: int) -> sandbox.Ran:
    return sandbox.run(f"import os, resource, socket, sys, time\n{program}", given, **limits)


def said(scorer: Any, *steps: StepRecord, tools: Any = None) -> Any:
    [found] = scorer.score([TrajectoryRecord(TaskRecord("t", tools=tools), steps)])
    return found


def test_calls_are_held_against_the_schemas_of_the_tools() -> None:
    steps = [
        step("", ("look", '{"at": 1}'), ("look", '{"at": "here"}')),
        step("", ("look", {"at": 1, "deep": True}), ("fly", {}), ("look", "{at"), ("stop", "")),
        step("Done."),
    ]
    found = said(ToolArguments(), *steps, tools=TOOLS)
    assert [one.value for one in found] == [0.5, 0.25, 1]
    assert found[0].detail["why"] == [{"feature": "look: at: 'here' is not of type 'integer'", "contribution": -0.5}]
    assert [one["feature"].split(": ")[1][:20] for one in found[1].detail["why"]] == [
        "Additional propertie", "there is no such too", "the arguments are no",
    ]  # fmt: skip
    assert found[2].detail["flags"] == ["nothing to check"]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "no such type"}, "is not valid"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "refers to what is not in it"),
        ({"$ref": "#"}, "does not come to an end"),
        ({"enum": ["x" * 100_001]}, "too large"),
        ({"allOf": [{"$ref": "#/$defs/a"}] * 21}, "refers too often"),
    ],
)
def test_a_schema_that_cannot_be_used_holds_nothing_and_says_so(schema: Any, why: str) -> None:
    found = said(ToolArguments(), step("", ("look", {"at": 1})), tools=[{"name": "look", "parameters": schema}])
    assert "nothing to check" in found[0].detail["flags"]
    assert why in found[0].detail["flags"][1]


def test_patterns_of_a_schema_are_not_run() -> None:
    hostile = {
        "properties": {"at": {"pattern": "^(a+)+$"}},
        "patternProperties": {"^(a+)+$": {}},
        "additionalProperties": False,
    }
    assert tool_arguments.refusal({"at": "a" * 60 + "!", "a" * 60 + "!": 1}, hostile) == ""


@pytest.mark.parametrize(("tools", "why"), [(None, "no tools"), (TOOLS, "no call")])
def test_without_tools_or_calls_there_is_no_score(tools: Any, why: str) -> None:
    assert why in str(said(ToolArguments(), step("Hello"), tools=tools))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("So 12 * 3 = 36 pieces.", [("12 * 3", "36", "")]),
        ("(2 + 3) × 4 = 21", [("(2 + 3) × 4", "21", "it is 20")]),
        ("$1,200 / 7 = $171.43", [("$1,200 / 7", "$171.43", "")]),
        ("10 / 3 = 3.3, 10 / 3 = 3.4", [("10 / 3", "3.3", ""), ("10 / 3", "3.4", "it is 3.33333")]),
        ("1 / 0 = 0", []),
        ("x = 3 and y + 2 = 5, v2 + 3 = 5, 2^3 + 1 = 9, 3 = 3", []),
        ("2 + 2 = 4 + 1", []),
        ("2 + 3 = 5%", []),
        ("1999-05-01", []),
    ],
)
def test_the_sums_in_a_text(text: str, found: list[tuple[str, str, str]]) -> None:
    sums = arithmetic._sums(step(text))
    assert [(left.strip(), right, arithmetic.wrong(left, right)) for left, right in sums] == found


def test_steps_by_their_share_of_right_sums() -> None:
    found = said(Arithmetic(), step("2 + 2 = 4 and 2 + 2 = 5"), step("Done."))
    assert [one.value for one in found] == [0.5, 1]
    assert found[0].detail["why"] == [{"feature": "2 + 2 = 5: it is 4", "contribution": -0.5}]
    assert "not applicable" in str(said(Arithmetic(), step("No sum")))


@given(st.text("0123456789+-*/() .,=^", max_size=60))
def test_any_text_is_a_sum_or_none_and_nothing_else_happens(text: str) -> None:
    value = arithmetic.evaluated(text)
    assert value is None or isinstance(value, Fraction)
    assert isinstance(said(Arithmetic(), step(text)), tuple | CannotScore)


def test_what_is_no_sum_of_numbers_is_not_evaluated() -> None:
    for text in ("__import__('os')", "9**9**9", "(1).real", "[1]", "True + 1", "1 if 1 else 2", "(" * 500 + "1"):
        assert arithmetic.evaluated(text) is None


@isolated
def test_python_in_fences_and_in_calls_is_parsed() -> None:
    steps = [
        step("```python\nprint(1)\n```\n```py\nprint(\n```"),
        step("", ("run_python", '{"code": "x = 1"}'), ("shell", {"code": "ls -"}), ("ipython", "no JSON")),
        step("Done."),
    ]
    found = said(PythonSyntax(), *steps)
    assert [one.value for one in found] == [0.5, 1, 1]
    assert "was never closed" in found[0].detail["why"][0]["feature"]
    assert found[2].detail["flags"] == ["nothing to check"]
    assert "no Python" in str(said(PythonSyntax(), step("Done.")))


@isolated
def test_code_that_the_parser_cannot_bear_has_no_score() -> None:
    found = said(PythonSyntax(), step("```python\n" + "(" * 100_000 + "\n```"))
    assert isinstance(found, CannotScore) or found[0].value == 0


@isolated
def test_a_program_in_the_sandbox_says_what_it_has_to_say() -> None:
    assert run("print(sys.stdin.read().upper())", "hello") == ("HELLO\n", 0)


@isolated
@pytest.mark.parametrize("address", ["('127.0.0.1', 80)", "('1.1.1.1', 53)"])
def test_no_program_opens_a_connection(address: str) -> None:
    ran = run(f"socket.socket().connect({address})")
    assert ran.code == 1 and ("unreachable" in ran.output or "refused" in ran.output)


@isolated
def test_a_service_of_this_machine_is_out_of_reach() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as here:
        port = here.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 5).close()
        assert "unreachable" in run(f"socket.socket().connect(('127.0.0.1', {port}))").output


@isolated
def test_an_endless_loop_ends() -> None:
    assert run("while True: pass", seconds=1).code != 0
    assert run("time.sleep(1000)", seconds=1) == ("", None)


@isolated
@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("os.fork()", "Resource temporarily unavailable"),
        ("bytearray(2**30)", "MemoryError"),
        ("[os.open('/dev/null', 0) for _ in range(99)]", "Too many open files"),
        ("f = open(f'/tmp/{time.time()}', 'w'); os.unlink(f.name); print(f.write('x'), f.flush())", "File too large"),
        ("resource.setrlimit(resource.RLIMIT_CPU, (999, 999))", "Error"),
        ("print(dict(os.environ))", "{"),
        ("print(os.getuid() == 0)", "False"),
    ],
)
def test_what_a_program_may_not_do(program: str, says: str) -> None:
    ran = run(program)
    assert says in ran.output
    assert "SECRET_KEY" not in ran.output and "DATABASE" not in ran.output


@isolated
def test_a_program_that_says_too_much_is_cut_and_ended() -> None:
    ran = sandbox.run("while True: print('x' * 1000)")
    assert (len(ran.output), ran.code) == (sandbox.OUTPUT, None)


def test_without_a_way_to_isolate_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    sandbox.unsafe.cache_clear()
    try:
        with pytest.raises(sandbox.NoSandbox, match="no `unshare` here"):
            sandbox.run("print(1)")
        assert "not applicable" in str(said(PythonSyntax(), step("```python\n1\n```")))
    finally:
        sandbox.unsafe.cache_clear()
