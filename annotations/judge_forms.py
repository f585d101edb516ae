"""The forms of judges: a version of one, a server, a budget, beginning to ask."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django import forms
from pydantic import ValidationError

from annotations.judges import prompts, servers, ways
from annotations.judges.prompts import BadPrompt
from annotations.judges.settings import Settings, problems
from annotations.models import Guideline, Judge, JudgeServer, Project
from annotations.services import judge_servers, judge_starts, projects

METHODS = {
    "single": "One answer",
    "majority": "Several answers, the majority holds",
    "intersection": "Several answers, wrong is what all find wrong",
    "average": "Several answers, their mean",
    "critique": "An answer, a critique of it, a verdict",
    "branch": "The open points are thought about again",
    "debate": "Several roles argue, then a verdict",
    "panel": "Several roles vote",
    "adaptive": "As many answers as it takes to be sure",
    "log_probs": "One letter, read from its probabilities",
}
READINGS = {"whole": "The whole trajectory in one question", "prefix": "Step by step, with no hindsight"}
SIGHTS = {"blind": "Blind: no reference, no outcome", "reference": "With the task’s reference and outcome"}
ANSWERS = {"labels": "A label for each step", "wrong_steps": "Only the numbers of the wrong steps"}
MITIGATIONS = {
    "system": "warned of biases",
    "examples": "shown examples of biases",
    "reflection": "asked to look again",
}


class JudgeForm(forms.Form):
    """A version of a judge. `settings` is there once it is valid."""

    name = forms.SlugField(
        max_length=60, help_text="Small letters, digits and hyphens. The same name again makes its next version."
    )
    server = forms.ModelChoiceField(JudgeServer.objects.none(), empty_label=None)
    model = forms.CharField(max_length=200, help_text="As the server calls it.")
    prompt = forms.CharField(
        max_length=prompts.LONGEST,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "true"}),
        help_text="What the judge is told. Places in double braces, as {{fields}}, are filled in for each trajectory.",
    )
    guideline = forms.ModelChoiceField(
        Guideline.objects.none(), required=False, empty_label="none", help_text="Fills {{guideline}}."
    )
    reading = forms.ChoiceField(choices=list(READINGS.items()))
    sight = forms.ChoiceField(label="Sees", choices=list(SIGHTS.items()))
    method = forms.ChoiceField(label="Verdict", choices=list(METHODS.items()))
    answer = forms.ChoiceField(label="Answers", choices=list(ANSWERS.items()))
    samples = forms.IntegerField(required=False, min_value=1, help_text="Of majority, intersection, average, adaptive.")
    personas = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Of panel and debate: a line for each role, who it is said to be.",
    )
    rounds = forms.IntegerField(required=False, min_value=1, max_value=5, help_text="Of debate.")
    thinks_first = forms.BooleanField(required=False, label="Thinks first, in a question of its own")
    mitigations = forms.MultipleChoiceField(
        required=False, choices=list(MITIGATIONS.items()), widget=forms.CheckboxSelectMultiple, label="Against biases"
    )
    temperature = forms.FloatField(required=False, min_value=0, max_value=2, help_text="0 where nothing is said.")
    max_tokens = forms.IntegerField(required=False, min_value=16, max_value=200_000, label="Longest answer, in tokens")
    observation_limit = forms.IntegerField(
        required=False, min_value=200, label="Longest text, in characters", help_text="Longer ones lose their middle."
    )
    extra = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
        help_text='A JSON object that goes with every question, as {"reasoning_effort": "low"}; null leaves one out.',
    )
    examples = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, project: Project, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.project, self.settings, self.prompt_name = project, None, prompts.OWN
        self.scheme = projects.scheme_of(project.scheme)
        servers: Any = self.fields["server"]
        servers.queryset = JudgeServer.objects.filter(removed_at=None).order_by("pk")
        servers.label_from_instance = lambda one: f"{one.title} ({one.url})"
        guidelines: Any = self.fields["guideline"]
        guidelines.queryset = project.guidelines.all()
        guidelines.label_from_instance = lambda one: f"version {one.version}"

    settings: Settings | None

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        if self.errors:
            return said
        try:
            prompt = prompts.parse(said["prompt"])
        except BadPrompt as no:
            self.add_error("prompt", str(no))
            return said
        self.prompt_name = prompts.origin(said["prompt"])
        if settings := self._settings(said):
            if reason := ways.refusal(settings, self.scheme, prompt):
                name, _, why = reason.partition(": ")
                self.add_error(name if name in self.fields else None, why or reason)
            self.settings = settings
        return said

    def _settings(self, said: dict[str, Any]) -> Settings | None:
        names = (
            "reading",
            "sight",
            "method",
            "answer",
            "samples",
            "rounds",
            "temperature",
            "max_tokens",
            "observation_limit",
        )
        found: dict[str, Any] = {name: said[name] for name in names if said[name] not in (None, "")}
        found["thinks_first"], found["mitigations"] = said["thinks_first"], said["mitigations"]
        found["personas"] = [line.strip() for line in said["personas"].splitlines() if line.strip()]
        for name, empty in (("extra", {}), ("examples", [])):
            try:
                found[name] = json.loads(said[name]) if said[name].strip() else empty
            except ValueError as exc:
                self.add_error(name if name == "extra" else None, f"{name} is no JSON: {exc}")
                return None
        try:
            return Settings.model_validate(found)
        except ValidationError as exc:
            for place, words in problems(exc):
                name = place.partition(".")[0]
                self.add_error(name if name in self.fields else None, words)
            return None


class PreviewForm(JudgeForm):
    """A judge that is being written, to be looked at: whom it asks and what it is called may still be missing."""

    trajectory = forms.CharField(required=False, max_length=500)

    def __init__(self, data: Any, *, project: Project) -> None:
        super().__init__(data, project=project)
        del self.fields["name"]
        self.fields["server"].required = self.fields["model"].required = False

    def judge(self) -> Judge:
        """The judge as it would be; not stored. The form is valid."""
        assert self.settings
        told = {name: self.cleaned_data[name] for name in ("server", "model", "prompt", "guideline")}
        return Judge(project=self.project, settings=self.settings.model_dump(mode="json"), **told)


def initial(project: Project, judge: Judge | None = None) -> dict[str, Any]:
    """What the form shows at first: another version of that judge, or the prompt that fits the scheme best."""
    if judge is None:
        fitting = prompts.fitting(projects.scheme_of(project.scheme))
        return {
            "prompt": fitting[0].text if fitting else "",
            "guideline": project.guidelines.first(),
            "reading": "whole",
        }
    settings = Settings.model_validate(judge.settings)
    told = settings.model_dump(mode="json")
    return told | {
        "name": judge.name,
        "server": judge.server if judge.server.removed_at is None else None,
        "model": judge.model,
        "prompt": judge.prompt,
        "guideline": judge.guideline,
        "personas": "\n".join(settings.personas),
        "extra": json.dumps(settings.extra) if settings.extra else "",
        "examples": json.dumps(told["examples"]) if settings.examples else "",
    }


def _price_lists() -> list[tuple[str, str]]:
    return [("", "As written below"), *((name, one.version) for name, one in servers.listed().items() if one.models)]


class ServerForm(forms.Form):
    name = forms.SlugField(max_length=60, help_text="Small letters, digits and hyphens.")
    title = forms.CharField(max_length=200, help_text="What people read.")
    url = forms.CharField(label="Address", max_length=400, help_text="As API clients are given it, ending in /v1.")
    key_env = forms.CharField(
        required=False,
        max_length=100,
        label="Variable of the key",
        help_text="Its name in the workers’ environment, ending in _KEY or _TOKEN. No key is kept here.",
    )
    options = forms.CharField(
        required=False,
        initial='{"at_once": 8}',
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text="at_once, requests_per_minute, tokens_per_minute, timeout, longest, retries, form, strict.",
    )
    listed = forms.ChoiceField(
        required=False,
        label="Prices",
        choices=_price_lists,
        help_text="A list that comes with Stepmark, of the day it names. It may be out of date: compare it with the "
        "provider’s page.",
    )
    prices = forms.CharField(
        required=False,
        label="Own price list",
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}),
        help_text='{"version": "2026-11", "currency": "USD", "models": {"name": {"prompt": 3000000, '
        '"completion": 15000000, "cached": 300000}}}: millionths of the currency for a million tokens. Of a model that '
        "is not listed the cost "
        "is not known.",
    )

    def clean_options(self) -> Any:
        return _json(self.cleaned_data["options"] or "{}")

    def clean_prices(self) -> Any:
        """What is written counts before what is chosen."""
        text = self.cleaned_data["prices"].strip()
        chosen = self.cleaned_data.get("listed")
        return _json(text) if text else servers.listed()[chosen].model_dump(mode="json") if chosen else None


class PricesForm(forms.Form):
    """What is chosen counts before what is written: the list of now stands there already."""

    listed = ServerForm.base_fields["listed"]
    prices = ServerForm.base_fields["prices"]

    def clean_prices(self) -> Any:
        text, chosen = self.cleaned_data["prices"].strip(), self.cleaned_data.get("listed")
        return servers.listed()[chosen].model_dump(mode="json") if chosen else _json(text) if text else None


class BudgetForm(forms.Form):
    limit = forms.DecimalField(
        min_value=Decimal(0), max_digits=12, decimal_places=2, help_text="In all, what is spent already included."
    )
    currency = forms.RegexField(r"^[A-Z]{3}$", initial="USD", help_text="As the servers’ price lists have it.")

    @property
    def micro(self) -> int:
        return int(self.cleaned_data["limit"] * 1_000_000)


class RunForm(forms.Form):
    what = forms.ChoiceField(choices=list(judge_starts.WHAT.items()))
    again = forms.BooleanField(required=False)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise forms.ValidationError(f"This is not JSON: {exc}.") from exc


def refuse(form: forms.Form, no: judge_servers.ServerRefused) -> None:
    form.add_error(no.field if no.field in form.fields else None, str(no))
