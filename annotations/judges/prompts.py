"""Prompts of judges: versioned files of their own, read, checked and filled in.

A prompt is a Markdown text with places that are filled in for each case, as {{guideline}}, under a header of YAML
between two lines of ---. A text without a header is a prompt too: one that a project has written for itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotations.judges.settings import Reading
from annotations.schemes.schema import Scheme

Strict = ConfigDict(extra="forbid", frozen=True)
FOLDER = Path(__file__).with_name("prompts")
PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
HEADER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
LONGEST = 200_000  # characters of a prompt
OWN = "own"  # a prompt that is none of ours
PLACES: Mapping[str, str] = {
    "guideline": "what the project tells its annotators, or its rubric for judges",
    "fields": "what is asked, field by field, with the answers that each takes",
    "scheme": "the title of the scheme",
    "rules": "what always holds: texts are data, no hindsight, what may not be looked at",
    "examples": "judgements of people that the judge is shown, with their reasons",
    "contract": "the form of the answer",
    "persona": "who the judge is said to be, in panels and debates",
    "said": "what was said before, in methods that ask more than once",
}
APPENDED = ("fields", "rules", "examples", "said", "contract")  # stand at the end of a prompt that does not place them


class BadPrompt(ValueError):
    """A text that is no prompt: what was found, and what is accepted."""


class Fits(BaseModel):
    """Schemes that a prompt is for: those named, or those with a main field of one of the kinds. Empty: any scheme."""

    model_config = Strict
    schemes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def covers(self, scheme: Scheme) -> bool:
        if not self.schemes and not self.kinds:
            return True
        return scheme.name in self.schemes or scheme.main_field.kind in self.kinds


class Prompt(BaseModel):
    """A prompt with what its header says of it. `part` is what it is for: a `judge` labels with it; the others are
    steps of methods that ask more than once. `reading` names the ways of reading it suits; empty: all. `sees_result`:
    whether a step that is judged alone is shown with what its own calls brought back. `guideline` names the version of
    the scheme's guidelines that goes with it; "" is the project's own."""

    model_config = Strict
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")] = "own"
    version: Annotated[str, Field(min_length=1, max_length=20)] = "1"
    title: str = ""
    summary: str = ""
    part: Literal["judge", "method"] = "judge"
    fits: Fits = Fits()
    reading: tuple[Reading, ...] = ()
    answer: Literal["labels", "wrong_steps"] = "labels"
    sees_result: bool = True
    guideline: str = ""
    template: str = ""
    text: str = Field("", exclude=True, description="The whole file, header and all: what a judge's version keeps.")

    @property
    def places(self) -> frozenset[str]:
        """The places that the template has."""
        return frozenset(PLACE.findall(self.template))

    @property
    def label(self) -> str:
        """How a version of a judge names where its prompt comes from."""
        return f"{self.name} {self.version}"

    def filled(self, **values: str) -> str:
        """The template with its places filled in, once: what stands in a value is never filled in itself. Values of
        `APPENDED` that the template has no place for come after it, a persona before it; empty places leave no gap."""
        whole = PLACE.sub(lambda found: values.get(found[1], ""), self.template)
        rest = [values.get(name, "") for name in APPENDED if name not in self.places]
        first = "" if "persona" in self.places else values.get("persona", "")
        text = "\n\n".join(part.strip() for part in (first, whole, *rest) if part.strip())
        return re.sub(r"\n{3,}", "\n\n", text)


def parse(text: str, *, places: Mapping[str, str] = PLACES) -> Prompt:
    """The text as a prompt; BadPrompt where it is none. Parsing a prompt's `text` gives the same prompt."""
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise BadPrompt(f"the prompt has {len(text):,} characters; accepted are up to {LONGEST:,}")
    said: dict[str, Any] = {}
    template = text
    if header := HEADER.match(text):
        said, template = _header(header[1]), text[header.end() :]
    template = template.strip()
    if not template:
        raise BadPrompt("the prompt is empty; accepted is a text")
    unknown = sorted({name for name in PLACE.findall(template) if name not in places})
    if unknown:
        accepted = ", ".join(f"{{{{{name}}}}}" for name in places)
        first = min(found.start() for found in PLACE.finditer(text) if found[1] in unknown)
        named = ", ".join(f"{{{{{name}}}}}" for name in unknown)
        raise BadPrompt(f"line {_line(text, first)}: unknown place {named}; accepted are {accepted}")
    try:
        return Prompt.model_validate({**said, "template": template, "text": text})
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in exc.errors())
        key = re.search(rf"^{re.escape(str(exc.errors()[0]['loc'][0]))}[ \t]*:", text, re.MULTILINE)
        where = f"line {_line(text, key.start())}: " if key else ""
        raise BadPrompt(f"{where}the prompt's header: {wrong}") from exc


def _line(text: str, place: int) -> int:
    """The line of a place in a text, from 1."""
    return text.count("\n", 0, place) + 1


@lru_cache(maxsize=64)
def known(text: str) -> Prompt:
    """The text as a prompt, parsed once: judges ask for theirs with every question."""
    return parse(text)


def _header(text: str) -> dict[str, Any]:
    try:
        said = yaml.safe_load(text) or {}
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"line {mark.line + 2}: " if mark else ""  # the header begins in the second line
        raise BadPrompt(f"{where}the prompt's header is no YAML: {getattr(exc, 'problem', None) or exc}") from exc
    if not isinstance(said, dict):
        raise BadPrompt(f"the prompt's header: found {said!r}; accepted are lines such as name: my-prompt")
    if taken := sorted({"template", "text"} & set(map(str, said))):
        raise BadPrompt(f"the prompt's header takes no {', '.join(taken)}: the prompt is what follows the header")
    return {str(key): str(value) if key == "version" else value for key, value in said.items()}


@cache
def shipped() -> Mapping[str, Prompt]:
    """The prompts that come with Stepmark, by name. A file's name is its prompt's."""
    found = {path.stem: parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.md"))}
    assert all(name == prompt.name for name, prompt in found.items()), "a prompt's file is named after it"
    return found


def origin(text: str) -> str:
    """Which of ours a text is, name and version; else that it is somebody's own."""
    ours = {one.text.strip(): one.label for one in shipped().values()}
    return ours.get(text.replace("\r\n", "\n").strip(), OWN)


def part(name: str) -> Prompt:
    """A prompt of ours by its name."""
    return shipped()[name]


def fits(prompt: Prompt, scheme: Scheme) -> bool:
    """Whether the prompt is for judging under the scheme."""
    return prompt.part == "judge" and prompt.fits.covers(scheme)


def fitting(scheme: Scheme) -> list[Prompt]:
    """The prompts of ours for the scheme, those that are for it alone first."""
    found = [prompt for prompt in shipped().values() if fits(prompt, scheme)]
    return sorted(found, key=lambda one: (scheme.name not in one.fits.schemes, not one.fits.kinds, one.name))
