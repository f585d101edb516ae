"""Whether Python that an agent writes can be parsed. It is parsed in the sandbox and never run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from annotations.records import Json, StepRecord, TrajectoryRecord
from models_service.scorers.checks import sandbox
from models_service.scorers.checks.share import UNCHECKED, held
from models_service.scorers.ruled import Found, RuledScorer

FENCED = re.compile(r"```(?:python|py)\s*\n(.*?)(?:\n```|\Z)", re.S | re.I)
ARGUMENTS = ("code", "python", "source")
PYTHON = re.compile(r"python|ipython|jupyter", re.I)
PARSE = """
def says(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as exc:
        return getattr(exc, "msg", None) or str(exc)
    return ""
import ast, json, sys
print(json.dumps([says(one) for one in json.load(sys.stdin)]))
"""


class PythonSyntax(RuledScorer):
    """The share of a step's pieces of Python that parse: fenced as such, or given as code to a tool named for it."""

    title = "Python syntax"
    needs = "Python in fences or as the code of a tool named for it; a machine that can isolate a process"

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        pieces = [_pieces(step) for step in steps]
        every = [one for own in pieces for one in own]
        if not every:
            raise self.lacks("there is no Python in it")
        said = iter(self._parsed(every))
        return [held([("Python", next(said)) for _ in own], UNCHECKED) for own in pieces]

    def _parsed(self, every: Sequence[str]) -> list[str]:
        try:
            ran = sandbox.run(PARSE, json.dumps(every))
        except sandbox.NoSandbox as no:
            raise self.lacks(str(no)) from no
        try:
            found = json.loads(ran.output)
        except ValueError:
            found = None
        if ran.code != 0 or not isinstance(found, list) or len(found) != len(every):
            raise self.lacks("the parser did not come to an end with what stands there")
        return found


def _pieces(step: StepRecord) -> list[str]:
    return [*FENCED.findall(step.message), *(code for one in step.tool_calls if (code := _code(one)) is not None)]


def _code(call: Json) -> str | None:
    call = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(call, dict) or not PYTHON.search(str(call.get("name"))):
        return None
    given = call.get("arguments")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return None
    named = [given.get(name) for name in ARGUMENTS] if isinstance(given, dict) else []
    return next((one for one in named if isinstance(one, str)), None)
