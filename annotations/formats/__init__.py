"""The formats, found by name or by what a file holds. To add one: a file here, a line below, a sample in the tests."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import cast

from annotations.formats.base import FolderFormat, Format, Reader, TextFormat
from annotations.formats.opening import values
from annotations.formats.opening.sources import Folder, Source
from annotations.formats.opening.values import Look
from annotations.records import Json

# In the order in which they are asked whether a file is theirs: the particular before the general.
LISTED = (
    "annotations.formats.stepmark.Stepmark",
    "annotations.formats.agentprocessbench.AgentProcessBench",
    "annotations.formats.agentprocessbench_labels.AgentProcessBenchLabels",
    "annotations.formats.langfuse.Langfuse",
    "annotations.formats.langsmith.LangSmith",
    "annotations.formats.otlp.OTLP",
    "annotations.formats.tau_bench.TauBench",
    "annotations.formats.tau2_bench.Tau2Bench",
    "annotations.formats.tau2_bench.Tau2Folder",
    "annotations.formats.inspect_log.InspectLog",
    "annotations.formats.inspect_log.InspectEval",
    "annotations.formats.bfcl.BFCL",
    "annotations.formats.intercode.InterCode",
    "annotations.formats.screenagent.ScreenAgent",
    "annotations.formats.webvoyager.WebVoyager",
    "annotations.formats.toolbench_tree.ToolBenchTree",
    "annotations.formats.search_tree.SearchTree",
    "annotations.formats.tau_dialogues.TauDialogues",
    "annotations.formats.claude_code.ClaudeCode",
    "annotations.formats.atif.ATIF",
    "annotations.formats.mini_swe_agent.MiniSWEAgent",
    "annotations.formats.swe_agent.SWEAgent",
    "annotations.formats.openhands_sdk.OpenHandsSDK",
    "annotations.formats.openhands_sdk.OpenHandsSDKLog",
    "annotations.formats.openhands_sdk.OpenHandsSDKFolder",
    "annotations.formats.openhands.OpenHands",
    "annotations.formats.terminal.Terminal",
    "annotations.formats.lean.Lean",
    "annotations.formats.multi_agent.MultiAgent",
    "annotations.formats.step_dpo.StepDPO",
    "annotations.formats.preference_pairs.PreferencePairs",
    "annotations.formats.sharegpt.ShareGPT",
    "annotations.formats.openai_responses.OpenAIResponses",
    "annotations.formats.anthropic.Anthropic",
    "annotations.formats.react_text.ReactText",
    "annotations.formats.openai_chat.OpenAIChat",
    "annotations.formats.processbench.ProcessBench",
    "annotations.formats.prm800k.PRM800K",
    "annotations.formats.math_shepherd.MathShepherd",
    "annotations.formats.prmbench.PRMBench",
    "annotations.formats.bigbench_mistake.BigBenchMistake",
    "annotations.formats.deltabench.DeltaBench",
    "annotations.formats.mr_ben.MRBen",
    "annotations.formats.who_and_when.WhoAndWhen",
    "annotations.formats.trl_stepwise.TRLStepwise",
    "annotations.formats.prm_rows.PRMRows",
    "annotations.formats.step_preferences.StepPreferences",
    "annotations.formats.trl_step_preferences.TRLStepPreferences",
    "annotations.formats.dpo.DPO",
    "annotations.formats.kto.KTO",
    "annotations.formats.sft.SFT",
    "annotations.formats.critiques.Critiques",
    "annotations.formats.turn_rewards.TurnRewards",
    "annotations.formats.verl.Verl",
    "annotations.formats.openrlhf.OpenRLHF",
    "annotations.formats.long_context_qa.LongContextQA",
    "annotations.formats.judge_rows.JudgeRows",
    "annotations.formats.judge_sft.JudgeSFT",
    "annotations.formats.label_studio.LabelStudio",
    "annotations.formats.openinference_annotations.OpenInferenceAnnotations",
    "annotations.formats.benchmark_release.BenchmarkRelease",
    "annotations.formats.parquet.LongParquet",
    "annotations.formats.long_csv.LongCSV",
)


def _made(path: str) -> Format:
    module, name = path.rsplit(".", 1)
    return cast(Format, getattr(import_module(module), name)())


FORMATS: dict[str, Format] = {one.name: one for one in map(_made, LISTED)}


class UnknownFormat(ValueError):
    """No such format, or none that recognises the file. The message names those there are."""


def readable(holds: str = "trajectories") -> list[str]:
    return [one.name for one in FORMATS.values() if one.reads and one.holds == holds]


def writable() -> list[str]:
    """Those that an export can be asked for."""
    return [one.name for one in FORMATS.values() if one.writes]


def reader(name: str, holds: str = "trajectories") -> Reader | FolderFormat:
    """The format of that name that reads such files."""
    one = FORMATS.get(name)
    if not isinstance(one, Reader | FolderFormat) or one.holds != holds:
        raise UnknownFormat(f"no format {name!r} reads {holds}; accepted are auto, {', '.join(readable(holds))}")
    return one


def detect(source: Source, holds: str = "trajectories", more: Iterable[Reader] = ()) -> tuple[Reader, Look]:
    """The format of the file, from its first values, and what these are. `more` are formats that are asked too, before
    ours. Raises UnknownFormat naming what was found."""
    look = values.look(source)
    every = [*more, *(one for one in FORMATS.values() if isinstance(one, Reader))]
    one = _of_text(source, every) if look.shape == "text" else _of_values(look, every)
    if one is None:
        raise UnknownFormat(f"{_said(look)}; accepted are {', '.join(readable(holds))}")
    if one.holds != holds:
        other = "import_labels" if one.holds == "labels" else "import_trajectories"
        raise UnknownFormat(f"this is {one.title}, which holds {one.holds}, not {holds}; use {other} for it")
    return one, look


def detect_folder(folder: Folder) -> FolderFormat | None:
    """The format whose files belong together as these do."""
    every = (one for one in FORMATS.values() if isinstance(one, FolderFormat))
    return next((one for one in every if one.recognises_folder(folder)), None)


def _of_text(source: Source, every: Iterable[Reader]) -> Reader | None:
    head = source.read(values.HEAD).decode(errors="replace")
    return next((one for one in every if isinstance(one, TextFormat) and one.recognises_text(head)), None)


def _of_values(look: Look, every: list[Reader]) -> Reader | None:
    asked: list[Json] = [list(look.values)] if look.shape == "list" and look.values else []
    for value in (*asked, *look.values):
        if one := next((one for one in every if one.recognises(value)), None):
            return one
    return None


def _said(look: Look) -> str:
    if look.shape == "nothing":
        return "the file is empty"
    if look.shape == "text":
        return "found text in no form that is known"
    return _kind(look.values[0]) if look.values and not look.reason else look.reason or "the file is empty"


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "found an object with the keys " + (", ".join(sorted(value)[:8]) or "(none)")
    return f"found a JSON {type(value).__name__}, not an object"
