"""What an export is asked for: the format with its options, whose word, and what stays out. Read with care."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from annotations import formats
from annotations.formats.writer import Option, Writer
from annotations.models import Annotation

RULES = {
    "one": "One rater's word",
    "majority": "What most say; a tie is no label",
    "unanimous": "What all say who said something",
    "any-wrong": "Wrong where anybody says so, else what most say",
}
STATES: dict[str, str] = {
    Annotation.State.SUBMITTED: "Submitted",
    Annotation.State.RETURNED: "Returned",
    Annotation.State.DRAFT: "Begun",
    Annotation.State.SKIPPED: "Skipped",
}
ERRORS = {"": "With or without", "with": "With a wrong step", "without": "Without a wrong step"}
PROPAGATED = {"kept": "As they were labelled", "removed": "Removed: nobody said them"}
LONGEST = 500  # characters of a value


class ExportRefused(ValueError):
    """What was asked cannot be exported; the message says what can. `field` is what was asked wrongly, `accepted` what
    it takes, where that is a list."""

    def __init__(self, reason: str, field: str = "", accepted: Iterable[Any] = ()) -> None:
        super().__init__(reason)
        self.field, self.accepted = field, list(accepted)


@dataclass(frozen=True)
class Asked:
    """One export, as it was asked for. Nobody in `raters`: as is usual for the format and the rule. Scores are
    P(not wrong) of the run `scores` (None: the newest that is done), and a trajectory's is that of its lowest step.
    `judge` is the one whose questions a format is made of, with its version."""

    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    raters: tuple[str, ...] = ()
    rule: str = "one"
    states: tuple[str, ...] = (Annotation.State.SUBMITTED.value,)
    as_scheme: str = ""
    propagated: str = "kept"
    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    view: str = ""
    first_error: str = ""
    least_raters: int = 1
    agreed: bool = False
    test_share: float = 0.0
    score_from: float | None = None
    score_to: float | None = None
    scores: int | None = None
    judge: str = ""

    @property
    def writer(self) -> Writer | None:
        """The format, where its rows are made of labelled trajectories."""
        one = formats.FORMATS[self.format]
        return one if isinstance(one, Writer) else None

    @property
    def looks_at_labels(self) -> bool:
        """Whether what was said, or scored, decides which trajectories go out."""
        scored = (self.score_from, self.score_to) != (None, None)
        return bool(self.first_error or self.agreed or scored or self.least_raters > 1)

    def filters(self) -> dict[str, Any]:
        """What narrows the export, as the manifest says it: nothing that is as usual."""
        beside = ("format", "options", "as_scheme", "test_share", "judge")
        return {name: value for name, value in self.config().items() if name not in beside}

    def config(self) -> dict[str, Any]:
        """As JSON, to be read again by `read`: nothing that is as usual."""
        found: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            usual = one.default if one.default is not MISSING else {}
            if one.name == "format" or value != usual:
                found[one.name] = list(value) if isinstance(value, tuple) else value
        return found

    def words(self) -> list[str]:
        """The options of the command that asks for the same."""
        found = ["--format", self.format]
        usual = {name: option.default for name, option in _declared(self.format).items()}
        for name, value in self.options.items():
            found += ["--option", f"{name}={value}"] if value != usual[name] else []
        for one in fields(self):
            value, flag = getattr(self, one.name), FLAGS.get(one.name, "")
            if not flag or value == one.default:
                continue
            if isinstance(value, tuple):
                found += [word for each in value for word in (flag, each)]
            else:
                found += [flag] if value is True else [flag, f"{value}"]
        return found


FLAGS = {
    "raters": "--rater",
    "rule": "--rule",
    "states": "--state",
    "as_scheme": "--as",
    "propagated": "--propagated",
    "sources": "--source",
    "models": "--model",
    "view": "--view",
    "first_error": "--first-error",
    "least_raters": "--least-raters",
    "agreed": "--agreed",
    "test_share": "--test-share",
    "score_from": "--score-from",
    "score_to": "--score-to",
    "scores": "--scores",
    "judge": "--judge",
}


def read(said: Mapping[str, Any]) -> Asked:
    """What a form, a command or a run's row asks for; what is empty or None is as usual. Raises ExportRefused, and
    UnknownFormat."""
    said = _as_now(said)
    name = str(said.get("format") or "")
    if name not in formats.writable():
        raise formats.UnknownFormat(f"no format {name!r} is written; accepted are {', '.join(formats.writable())}")
    if unknown := set(said) - {one.name for one in fields(Asked)}:
        known = ", ".join(one.name for one in fields(Asked))
        raise ExportRefused(f"found {', '.join(sorted(unknown))}; accepted are {known}", sorted(unknown)[0])
    return Asked(
        format=name,
        options=options(name, said.get("options") or {}),
        raters=_texts(said, "raters"),
        rule=_one_of(said, "rule", RULES) or "one",
        states=tuple(_each_of(said, "states", STATES)) or (Annotation.State.SUBMITTED.value,),
        as_scheme=str(said.get("as_scheme") or ""),
        propagated=_one_of(said, "propagated", PROPAGATED) or "kept",
        sources=_texts(said, "sources"),
        models=_texts(said, "models"),
        view=str(said.get("view") or ""),
        first_error=_one_of(said, "first_error", ERRORS),
        least_raters=_number(said, "least_raters", 0, 1_000, 1, whole=True) or 0,
        agreed=bool(said.get("agreed")),
        test_share=_share(said, name),
        score_from=_number(said, "score_from", 0, 1),
        score_to=_number(said, "score_to", 0, 1),
        scores=_number(said, "scores", 1, 2**63 - 1, whole=True),
        judge=str(said.get("judge") or ""),
    )


def splits(name: str) -> bool:
    """Whether the format's rows can be put into train and test."""
    one = formats.FORMATS[name]
    return isinstance(one, Writer) and not one.splits


def _share(said: Mapping[str, Any], name: str) -> float:
    share = float(_number(said, "test_share", 0, 1, 0.0))
    if share and not splits(name):
        known = [one for one in formats.writable() if splits(one)]
        raise ExportRefused(f"{name} has no split to ask for; accepted are {', '.join(known)}", "test_share")
    return share


def _as_now(said: Mapping[str, Any]) -> dict[str, Any]:
    """What runs of before asked for, by the names of now."""
    found = {name: value for name, value in said.items() if name not in ("rater", "zero")}
    if (rater := said.get("rater")) and not found.get("raters"):
        found["raters"] = [rater]
    if (zero := said.get("zero")) and "zero" in _declared(str(said.get("format"))):
        found["options"] = {"zero": zero} | dict(found.get("options") or {})
    return found


def _declared(name: str) -> dict[str, Option]:
    one = formats.FORMATS.get(name)
    return {option.name: option for option in one.options} if isinstance(one, Writer) else {}


def options(name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """A value for every option of the format. Raises ExportRefused where one is unknown or takes no such value."""
    declared = _declared(name)
    if not isinstance(said, Mapping):
        raise ExportRefused(f"options are {said!r:.60}; accepted are names with their values", "options")
    for key in said:
        if key not in declared:
            known = ", ".join(declared) or "none"
            raise ExportRefused(f"{name} has no option {key!r}; accepted are {known}", f"options.{key}", declared)
    return {key: _option(option, said.get(key)) for key, option in declared.items()}


def _option(option: Option, value: Any) -> Any:
    if value is None or value == "":
        return option.default
    if option.choices:
        return _one_of({option.name: value}, option.name, dict(option.choices), f"options.{option.name}")
    return _number({option.name: value}, option.name, option.least, option.most, where=f"options.{option.name}")


def _one_of(said: Mapping[str, Any], name: str, accepted: Mapping[str, str], where: str = "") -> str:
    value = str(said.get(name) or "")
    if value and value not in accepted:
        kept = [one for one in accepted if one]
        raise ExportRefused(f"{name} is {value[:40]!r}; accepted are {', '.join(kept)}", where or name, kept)
    return value


def _each_of(said: Mapping[str, Any], name: str, accepted: Mapping[str, str]) -> list[str]:
    return [_one_of({name: one}, name, accepted) for one in _texts(said, name)]


def _texts(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = said.get(name) or ()
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) and len(one) <= LONGEST for one in found):
        raise ExportRefused(f"{name} takes texts, not {value!r:.60}", name)
    return tuple(dict.fromkeys(one for one in found if one))


def _number(
    said: Mapping[str, Any],
    name: str,
    least: float | None,
    most: float | None,
    usual: Any = None,
    *,
    whole: bool = False,
    where: str = "",
) -> Any:
    value = said.get(name)
    if value is None or value == "":
        return usual
    try:
        number = (int if whole else float)(str(value))
    except ValueError:
        number = math.nan
    fits = math.isfinite(number) and (least is None or number >= least) and (most is None or number <= most)
    if isinstance(value, bool) or not fits:
        low = "" if least is None else f" from {least:g}"
        high = "" if most is None or most > 10**9 else f" to {most:g}"
        raise ExportRefused(
            f"{name} is {str(value)[:40]!r}; accepted is a {'whole ' * whole}number{low}{high}", where or name
        )
    return number
