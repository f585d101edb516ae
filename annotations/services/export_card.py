"""The data card beside an export: what it is, who said it and under which rules. Its head is what the Hugging Face hub
reads, so that `load_dataset` finds the files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from annotations import formats
from annotations.judges.probe_limits import in_words
from annotations.models import Project
from annotations.services import projects
from annotations.services.export_asked import PROPAGATED, RULES, Asked

DATA = (".jsonl", ".parquet", ".csv")
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
UNKNOWN = "Not known to Stepmark. Say it here before you publish."


def text(project: Project, asked: Asked, manifest: Mapping[str, Any]) -> str:
    """The card, from what the manifest says. The same from the same labels: it names no time."""
    parts = [
        f"---\n{yaml.safe_dump(head(project, asked, manifest), sort_keys=False, allow_unicode=True, width=10**6)}---\n",
        f"# {project.title}\n",
        *(f"## {title}\n\n{said}\n" for title, said in _sections(project, asked, manifest)),
    ]
    return "\n".join(parts)


def head(project: Project, asked: Asked, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The YAML at the head: the files as configurations with their splits."""
    rows = manifest["counts"]["rows"]
    size = next((name for most, name in SIZES if rows < most), "n>1M")
    names = [name for name in manifest["sha256"] if name.endswith(DATA)]
    return {
        "pretty_name": project.title,
        "license": "unknown",
        "size_categories": [size],
        "tags": ["stepmark", "process-supervision", asked.format],
        **({"configs": list(_configurations(names))} if names else {}),
    }


def splits(names: list[str]) -> dict[str, dict[str, str]]:
    """Configuration → split → file. A file that is one alone is the default; what stands after a dot is the split."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        stem = name.rpartition(".")[0]
        config, dot, split = stem.rpartition(".")
        known = bool(dot) and split in ("train", "validation", "test")
        found[config if known else stem][split if known else "train"] = name
    return {"default": next(iter(found.values()))} if len(found) == 1 else dict(found)


def _configurations(names: list[str]) -> Iterator[dict[str, Any]]:
    for config, files in splits(names).items():
        yield {
            "config_name": config,
            "data_files": [{"split": split, "path": name} for split, name in files.items()],
        }


def _sections(project: Project, asked: Asked, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    form = formats.FORMATS[asked.format]
    yield (
        "What this is",
        f"{form.title}: {_number(manifest['counts']['rows'], 'row')}, written by Stepmark.\n\n{_kept(form)}",
    )
    yield "Files", _files(manifest)
    yield "Who labelled", _who(asked, manifest)
    yield "Under which rules", _rules(project, manifest)
    if judge := manifest.get("judge"):
        yield "The judge", _judge(judge)
    yield "Agreement", _agreement(manifest)
    yield "Sources and licences", _sources(manifest)
    yield "What was left out", _left_out(asked, manifest)
    yield "Limits", _limits(asked, manifest)
    yield (
        "Not known",
        "\n".join(
            f"- {one}: {UNKNOWN}"
            for one in ("Licence of the labels", "Consent and pay of annotators", "Personal data in the texts")
        ),
    )


def _kept(form: Any) -> str:
    return f"Kept: {form.keeps}\n\nLost: {form.loses}"


def _files(manifest: Mapping[str, Any]) -> str:
    rows = ["| File | Configuration | Split | SHA-256 |", "|---|---|---|---|"]
    names = [name for name in manifest["sha256"] if name.endswith(DATA)]
    at = {name: (config, split) for config, files in splits(names).items() for split, name in files.items()}
    for name, sha256 in manifest["sha256"].items():
        config, split = at.get(name, ("", ""))
        rows.append(f"| `{name}` | {config} | {split} | `{sha256}` |")
    columns = manifest["columns"]
    shapes = [f"`{name}` has {_columns(one)}." for name, one in columns.items() if one]
    return "\n".join(rows) + "".join(f"\n\n{one}" for one in shapes)


def _columns(told: Mapping[str, Any]) -> str:
    return "the columns " + ", ".join(f"`{name}` ({_short(one)})" for name, one in told.items())


def _short(told: Any) -> str:
    if isinstance(told, list):
        return f"list of {_short(told[0])}"
    return "object" if isinstance(told, dict) else str(told)


def _who(asked: Asked, manifest: Mapping[str, Any]) -> str:
    rows = ["| Rater | Kind | Passes by state |", "|---|---|---|"]
    for one in manifest["raters"]:
        states = ", ".join(f"{state} {number}" for state, number in sorted(one["annotations"].items())) or "none"
        rows.append(f"| {_cell(one['name'])} | {one['kind']} | {states} |")
    origins = ", ".join(f"{origin} {number}" for origin, number in sorted(manifest["label_origins"].items())) or "none"
    everyone = formats.FORMATS[asked.format].everyone
    rule = "" if everyone else f"\n\nWhose word holds: {_lower(RULES[asked.rule])}."
    return "\n".join(rows) + f"\n\nWhere labels come from: {origins}.{rule}{_judges(manifest)}"


def _judges(manifest: Mapping[str, Any]) -> str:
    """How each judge stands by its probes, who signed for it, and which were left out."""
    lines = []
    for one in manifest.get("judges", ()):
        above = ", ".join(map(in_words, one["above"]))
        if one["left_out"]:
            said = f"left out: {one['left_out']}"
        elif signed := one["signed"]:
            why = f"its probes are beyond the limits: {above}" if above else "it was never probed"
            said = f"{why}; {_cell(signed['by'])} signed for it: {_cell(signed['reason'])}"
        elif one["report"]:
            said = f"no probe convicts it (report {one['report']})"
        else:
            said = "never probed for what it falls for"
        lines.append(f"\n- {_cell(one['name'])}: {said}")
    return "\n\nJudges:\n" + "".join(lines) if lines else ""


def _rules(project: Project, manifest: Mapping[str, Any]) -> str:
    scheme, frozen = manifest["scheme"], projects.scheme_of(project.scheme)
    lines = [f"- Scheme: {scheme['name']} {scheme['version']} ({frozen.title}), SHA-256 `{scheme['sha256']}`"]
    main = frozen.main_field
    if main.options:
        answers = "; ".join(f"`{json.dumps(one.value, ensure_ascii=False)}` {one.title}" for one in main.options)
        lines.append(f"- Its main field, {main.title}: {answers}")
    if "as" in manifest:
        lines.append(f"- In the words of {' → '.join(manifest['as']['route'])}. {' '.join(manifest['as']['loses'])}")
    for title, name in (
        ("Guideline versions", "guideline_versions"),
        ("What annotators were shown", "visibility_modes"),
        ("Whether a rule filled labels in", "propagation_policies"),
    ):
        counted = ", ".join(f"{key} ({number} passes)" for key, number in manifest[name].items()) or "nothing"
        lines.append(f"- {title}: {counted}")
    if manifest["options"]:
        lines.append("- Options: " + ", ".join(f"{name} = {value}" for name, value in manifest["options"].items()))
    if split := manifest.get("split"):
        tasks = (
            ", ".join(f"{_number(number, 'task')} in {name}" for name, number in split["tasks"].items()) or "no tasks"
        )
        lines.append(
            f"- Split by {split['by']}, {split['test_share']:g} for the test: {tasks}. No task is on both sides"
        )
    if run := manifest["scores"]:
        by = f", by calibration {run['calibration']}" if run.get("calibration") else ""
        lines.append(f"- Scores: run {run['run']} of {run['scorer'] or 'a scorer'}{by}")
    return "\n".join(lines)


def _judge(judge: Mapping[str, Any]) -> str:
    """Whose questions the rows are, and what they hold."""
    said, prompt = judge["settings"], judge["prompt"]
    guided = f"guidelines {judge['guideline']}" if judge["guideline"] else "no guidelines"
    lines = [
        f"- {_cell(judge['name'])}, made for the model {_cell(judge['model'])}",
        f"- Prompt: {_cell(prompt['name'])}, SHA-256 `{prompt['sha256']}`, whole in manifest.json; {guided}",
        f"- Asked: reading {said['reading']}, {said['sight']}, method {said['method']}, answers {said['answer']}; "
        f"{_number(said['examples'], 'example')} in the prompt; texts up to {said['observation_limit']:,} characters",
        *(f"- {one}" for one in judge["otherwise"]),
        *(f"- {name[:1].upper()}{name[1:]}: {number:,}" for name, number in judge["rows"].items()),
    ]
    return "\n".join(lines)


def _agreement(manifest: Mapping[str, Any]) -> str:
    found = manifest["agreement"]
    if not found:
        return "No agreement was computed in the project."
    rows = ["| Among | Measure | Value | 95 % interval | n |", "|---|---|---|---|---|"]
    for among, figures in found["figures"].items():
        for name, one in figures.items():
            value = "undefined" if one["value"] is None else f"{one['value']:.3f}"
            interval = "" if one["low"] is None else f"{one['low']:.3f} to {one['high']:.3f}"
            rows.append(f"| {among} | {name.replace('_', ' ')} | {value} | {interval} | {one['n'] or ''} |")
    return (
        f"Report {found['report']} of the project, over all its labels and not only those that are here.\n\n"
        + "\n".join(rows)
    )


def _sources(manifest: Mapping[str, Any]) -> str:
    rows = [f"- {_cell(name)}: {_number(number, 'trajectory')}" for name, number in manifest["sources"].items()]
    return "\n".join([*rows, "", f"Their licences: {UNKNOWN}"])


def _left_out(asked: Asked, manifest: Mapping[str, Any]) -> str:
    filters = [f"- {name.replace('_', ' ')}: {_value(value)}" for name, value in manifest["filters"].items()]
    left = [f"- {why}: {_number(number, 'trajectory')}" for why, number in manifest["left_out"].items()]
    narrowed = "Asked for:\n\n" + "\n".join(filters) if filters else "Nothing was asked to stay out."
    if empty := manifest["counts"].get("without_a_row"):
        left.append(f"- no row came of it: {empty} times")
    return narrowed + ("\n\nLeft out:\n\n" + "\n".join(left) if left else "")


def _limits(asked: Asked, manifest: Mapping[str, Any]) -> str:
    carried = manifest["label_origins"].get("propagated", 0)
    lines = [f"- Labels that a rule carried on: {_lower(PROPAGATED[asked.propagated])} ({carried} in these passes)."]
    if accepted := manifest["label_origins"].get("accepted", 0):
        lines.append(f"- {_number(accepted, 'label')} took up a suggestion of a scorer or a judge.")
    lines.append("- A step without a label says nothing; it is not a neutral one.")
    if not any(name.rpartition(".")[0].endswith((".train", ".test", ".validation")) for name in manifest["sha256"]):
        lines.append("- There is no split: rollouts of one task are together, and belong on one side of yours.")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _number(number: int, what: str) -> str:
    plural = what[:-1] + "ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _value(value: Any) -> str:
    return ", ".join(map(_cell, value)) if isinstance(value, list) else _cell(str(value))
