"""Which formats can hold what a scheme asks for. Those that hold everything fit every scheme."""

from __future__ import annotations

from collections.abc import Iterable

from annotations import formats
from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.writer import Writer
from annotations.schemes.schema import Scheme
from annotations.services.export_grades import Grading

NUMBERS_OF_STEPS = {AgentProcessBench.name, AgentProcessBenchLabels.name}


def why_not(scheme: Scheme, format: str) -> str:
    """Why the format cannot hold the scheme's labels, and which can; empty where it can."""
    if not (reason := _unfit(scheme, format)):
        return ""
    return (
        f"{format} holds {_holds(format)}, but the main field of {scheme.name} {scheme.version}, {scheme.main}, "
        f"{reason}; what fits this scheme is {', '.join(fitting(scheme))}"
    )


def fitting(scheme: Scheme) -> list[str]:
    """The formats that can hold its labels."""
    return [name for name in formats.writable() if not _unfit(scheme, name)]


def offered(scheme: Scheme, others: Iterable[Scheme] = ()) -> list[str]:
    """Those that fit the scheme, or one of the others that its labels can go out in."""
    kept = set(fitting(scheme)).union(*map(fitting, others))
    return [name for name in formats.writable() if name in kept]


def _unfit(scheme: Scheme, format: str) -> str:
    if format in NUMBERS_OF_STEPS:
        return _numbers(scheme)
    one = formats.FORMATS[format]
    if isinstance(one, Writer) and one.graded and not Grading(scheme).known:
        main = scheme.main_field
        return f"is of kind {main.kind}" if main.of_step else f"is asked of the {main.target}"
    return ""


def _holds(format: str) -> str:
    return "one number a step" if format in NUMBERS_OF_STEPS else "right and wrong steps"


def _numbers(scheme: Scheme) -> str:
    """What the main field asks for instead of a choice of numbers at each step; empty where it asks for that."""
    main = scheme.main_field
    if main.target != "step":
        return f"is asked of {'tool calls' if main.target == 'tool_call' else f'the {main.target}'}"
    if main.kind != "choice":
        return f"is of kind {main.kind}"
    if odd := [value for value in main.values if isinstance(value, str)]:
        return f"takes {odd[0]!r}"
    return ""
