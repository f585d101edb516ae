"""The form of an export: the format with its own options, whose word, and what stays out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from annotations import formats
from annotations.formats.writer import Option, Writer
from annotations.forms import raters_of
from annotations.models import Project
from annotations.services import export_as, export_asked, export_judge, exports, views
from annotations.services.export_asked import ERRORS, PROPAGATED, RULES, STATES, Asked, ExportRefused
from annotations.services.export_labelled import scoring_runs

OPTION = "option-"
MOST = 500  # sources and models that are offered
SPLIT, JUDGE = "test_share", "judge"
ONE_OF_SEVERAL = {"sources": "source", "models": "model"}  # the form asks for one, other doors for several


class ExportForm(forms.Form):
    """`asked` is what was asked for, once it is valid and possible. Options of a format that was just left for another
    are not read."""

    def __init__(self, data: QueryDict | Mapping[str, Any], *, project: Project, offered: list[str]) -> None:
        self.project, self.asked = project, None
        self.format = str(data.get("format") or offered[0])
        writer = formats.FORMATS.get(self.format)
        self.options = writer.options if isinstance(writer, Writer) and self.format in offered else ()
        self.splits = self.format in offered and export_asked.splits(self.format)
        super().__init__(_filled(data, self.options, left=data.get("shown", self.format) != self.format))
        self.fields["format"] = forms.ChoiceField(choices=[(name, name) for name in offered])
        if self.format in offered and export_judge.is_judged(self.format):
            self.fields[JUDGE] = _choice("The judge", [("", "Choose one"), *_judges(project)], JUDGE_HELP)
        for option in self.options:
            self.fields[OPTION + option.name] = _field(option)
        if self.splits:
            self.fields[SPLIT] = _share()
        for name, field in _whose(project):
            self.fields[name] = field
        for name, field in _only(project):
            self.fields[name] = field

    asked: Asked | None

    @property
    def own(self) -> list[forms.BoundField]:
        """The options of the format, with its judge where it has one, and its split where it has none of its own."""
        options = [OPTION + option.name for option in self.options]
        return [self[name] for name in (JUDGE, *options, SPLIT) if name in self.fields]

    @property
    def whose(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name in WHOSE]

    @property
    def only(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name in ONLY]

    @property
    def narrows(self) -> bool:
        """Whether a filter is on, so that they are shown open."""
        return self.asked is not None and bool(set(self.asked.filters()) & {*ONLY, "sources", "models"})

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if self.errors:
            return said
        rater = str(self.data.get("rater") or "")
        known = {name: said[name] for name in (*WHOSE, *ONLY, SPLIT, JUDGE) if name in said}
        known |= {name: [value] for name, one in ONE_OF_SEVERAL.items() if (value := known.pop(one, ""))}
        options = {option.name: said.get(OPTION + option.name) for option in self.options}
        try:
            asked = export_asked.read({"format": said["format"], "options": options, **known, "rater": rater})
            exports.check(self.project, asked)
            self.asked = asked
        except ExportRefused as no:
            name = no.field.replace("options.", OPTION)
            self.add_error(name if name in self.fields else None, f"{str(no)[:1].upper()}{str(no)[1:]}.")
        return said

    def query(self) -> str:
        """The address that asks for the same."""
        if self.asked is None:
            return ""
        found: dict[str, Any] = {}
        for name, value in self.asked.config().items():
            if name == "options":
                usual = {one.name: one.default for one in self.options}
                found |= {OPTION + key: one for key, one in value.items() if one != usual[key]}
            elif value is True:
                found[name] = "on"
            else:
                found[ONE_OF_SEVERAL.get(name, name)] = value
        return f"?{urlencode(found, doseq=True)}"


WHOSE = ("raters", "rule", "states", "as_scheme", "propagated")
ONLY = ("view", "first_error", "source", "model", "least_raters", "agreed", "score_from", "score_to", "scores")


JUDGE_HELP = "Its questions are the rows’, word for word."


def _judges(project: Project) -> list[tuple[str, str]]:
    return [(str(one), f"{one} ({one.model})") for one in export_judge.offered(project)]


def _share() -> forms.FloatField:
    return forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        label="Share of tasks in a test split",
        help_text="Drawn by what a task asks, so that no task is on both sides. Empty: no split.",
        widget=forms.NumberInput(attrs={"step": "any", "min": 0, "max": 1, "placeholder": "0"}),
    )


def _field(option: Option) -> forms.Field:
    if option.choices:
        return forms.ChoiceField(
            choices=option.choices,
            required=False,
            label=option.title,
            help_text=option.help,
            initial=option.default,
        )
    return forms.FloatField(
        required=False,
        label=option.title,
        help_text=option.help,
        min_value=option.least,
        max_value=option.most,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": f"{option.default}"}),
    )


def _whose(project: Project) -> Iterator[tuple[str, forms.Field]]:
    raters = raters_of(project)
    yield (
        "raters",
        forms.MultipleChoiceField(
            choices=raters,
            required=False,
            label="Raters",
            widget=forms.CheckboxSelectMultiple if len(raters) <= 12 else forms.SelectMultiple,
            help_text="None: the reference; all people, for a rule of several; everybody, where a format holds all.",
        ),
    )
    yield "rule", _choice("Whose word holds", RULES.items())
    yield (
        "states",
        forms.MultipleChoiceField(
            choices=list(STATES.items()),
            required=False,
            label="Passes that are",
            widget=forms.CheckboxSelectMultiple,
            help_text="None chosen: submitted.",
        ),
    )
    ways = [("", "As they were given"), *export_as.ways(project)]
    yield (
        "as_scheme",
        _choice("In the scheme", ways, "What does not go over has no label there; the manifest counts it."),
    )
    yield "propagated", _choice("Labels that a rule carried on", PROPAGATED.items())


def _only(project: Project) -> Iterator[tuple[str, forms.Field]]:
    if kept := views.of(project):
        yield "view", _choice("Of the view", [("", "Any"), *((one.name, one.name) for one in kept)])
    yield "first_error", _choice("Trajectories", ERRORS.items())
    sources = project.tasks.exclude(source="").order_by("source").values_list("source", flat=True).distinct()[:MOST]
    yield "source", _choice("Source", _any(sources))
    live = project.trajectories.live().exclude(policy_model="").order_by("policy_model")
    yield "model", _choice("Policy model", _any(live.values_list("policy_model", flat=True).distinct()[:MOST]))
    yield (
        "least_raters",
        forms.IntegerField(
            required=False,
            min_value=0,
            max_value=1000,
            label="Raters, at least",
            widget=forms.NumberInput(attrs={"placeholder": "1"}),
            help_text="0 takes trajectories too that nobody labelled.",
        ),
    )
    yield "agreed", forms.BooleanField(required=False, label="Only where the raters differ nowhere")
    runs = [(str(run.pk), f"{run.pk}: {run.config.get('scorer', '')}") for run in scoring_runs(project)[:50]]
    if runs:
        for name, label in (("score_from", "Lowest score, from"), ("score_to", "Lowest score, to")):
            number = forms.NumberInput(attrs={"step": "any", "min": 0, "max": 1})
            yield name, forms.FloatField(required=False, min_value=0, max_value=1, label=label, widget=number)
        yield "scores", _choice("Scores of run", [("", "The newest that is done"), *runs])


def _choice(label: str, choices: Any, help_text: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(choices=list(choices), required=False, label=label, help_text=help_text)


def _any(names: Any) -> list[tuple[str, str]]:
    return [("", "Any"), *((name, name) for name in names)]


def _filled(data: Any, options: tuple[Option, ...], *, left: bool) -> Any:
    """The data with a value for each choice, as a page shows it; what it says of another format's options is `left`."""
    kept = data.copy()
    for name in [name for name in kept if left and name.startswith(OPTION)]:
        del kept[name]
    for option in options:
        if option.choices and not kept.get(OPTION + option.name):
            kept[OPTION + option.name] = option.default
    return kept
