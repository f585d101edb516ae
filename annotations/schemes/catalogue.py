"""The table of presets in docs/schemes.md, made from the presets themselves: `make docs` writes it, a test holds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from annotations.doc_pages import put
from annotations.schemes import shipped
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme, Source

PAGE = Path(__file__).parents[2] / "docs" / "schemes.md"
BEGIN, END = "<!-- presets: made by make docs -->", "<!-- end of presets -->"
TARGETS = {"step": "", "tool_call": "tool call", "sentence": "sentence", "trajectory": "trajectory", "task": "task"}


def table() -> str:
    """One row a preset, in the order of their names."""
    head = ["| Preset | Source | Fields | Rules | Agreement | The check, and the test that works it out |"]
    return "\n".join([*head, "|---|---|---|---|---|---|", *(_row(scheme) for scheme in shipped().values())])


def _row(scheme: Scheme) -> str:
    sources = "; ".join(map(_source, scheme.sources))
    fields = ", ".join(_field(scheme, spec) for spec in scheme.fields)
    rules = ", ".join(f"`{rule.rule}`" for rule in scheme.rules) or "–"
    cells = [f"**{scheme.name}** {scheme.title}", sources, fields, rules, scheme.main_field.level, _check(scheme)]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _source(source: Source) -> str:
    title = f"[{source.title}]({source.url})" if source.url else source.title
    return f"{title} ({source.note.rstrip('.')})" if source.note else title


def _field(scheme: Scheme, spec: FieldSpec) -> str:
    about = ", ".join(_about(spec))
    name = f"**`{spec.name}`**" if spec.name == scheme.main else f"`{spec.name}`"
    return f"{name} {about}"


def _about(spec: FieldSpec) -> Iterator[str]:
    yield spec.kind
    if target := TARGETS[spec.target]:
        yield f"of each {target}" if spec.of_step else f"of the {target}"
    if spec.when:
        yield "where asked"


def _check(scheme: Scheme) -> str:
    if scheme.check is None:
        return "–"
    path, _, name = scheme.check.test.partition("::")
    return f"{scheme.check.shows} `{name or path}`"


if __name__ == "__main__":
    put(PAGE, BEGIN, END, table())
