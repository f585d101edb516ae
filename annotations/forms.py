"""One form per POST. A form checks shape; rules live in services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator

from annotations.models import ApiToken, Project, Rater, Role, User
from annotations.services import scorer_entries, setup, suggestions, views
from annotations.services.projects import scheme_of


def overlap_field(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label="People per trajectory", min_value=1, max_value=50, help_text="Agreement needs at least 2.", **kwargs
    )


class SettingsForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = list(setup.SETTINGS)
        labels = {
            "mode": "What labellers see",
            "prefill": "Pre-fill from",
            "prefill_confidence": "Pre-fill where this sure",
            "blind_share": "Left blind, %",
            "reference": "Reference rater",
            "queue_policy": "What comes next",
            "queue_scorer": "By the scores of",
            "queue_view": "The kept view",
            "queue_random": "Drawn by chance, %",
        }
        help_texts = {
            "mode": "Blind: the trajectory alone. Reference: also the task's reference and the outcome. Assisted: also "
            "scores, judges and suggestions. Progressive: each step in its turn, then everything. Passes already begun "
            "keep the mode they began with.",
            "prefill": "In assisted mode: whose labels are suggested. A judge is as sure of an answer as the reference "
            "has proved it right; without a reference it suggests nothing.",
            "prefill_confidence": "From 0 to 1. Suggestions below it are not shown.",
            "blind_share": "In assisted mode: how many passes are begun blind, drawn by chance, so that quality can "
            "still be measured.",
            "propagation": "What an error does to the steps after it: nothing; a suggestion to take; or it is stored "
            "at once, marked as propagated.",
            "reference": "Others are held against it, and exports carry it unless they name another.",
            "queue_policy": "In which order trajectories are given out. Active learning: the first 40 by chance, then "
            "half by what is most likely wrong, a quarter where judges and scorer differ, a quarter by chance.",
            "queue_scorer": "Scores that read the reference order the queue in the reference mode only.",
            "queue_view": "For “What a kept view shows”: its trajectories in its order, then the rest. Lists are kept "
            "on the page of trajectories, under Views.",
            "queue_random": "Whatever their scores: what people say of these holds for all trajectories. 10 at least.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["overlap"] = overlap_field()
        self.fields["lease_minutes"] = forms.IntegerField(
            label="Lease, minutes",
            min_value=1,
            max_value=24 * 60,
            help_text="How long a trajectory stays with someone who stopped working on it.",
        )
        self.scheme = scheme_of(self.instance.scheme)
        choices = suggestions.sources(self.instance)
        self.fields["prefill"] = forms.ChoiceField(choices=choices, required=False)
        self.fields["prefill_confidence"] = forms.FloatField(min_value=0, max_value=1, step_size=0.01)
        self.fields["blind_share"] = forms.IntegerField(min_value=0, max_value=100)
        self.fields["queue_scorer"] = forms.ChoiceField(choices=scorers_for(self.instance), required=False)
        self.fields["queue_view"] = forms.ChoiceField(choices=views_for(self.instance), required=False)
        self.fields["queue_random"] = forms.IntegerField(min_value=Project.LEAST_AT_RANDOM, max_value=100)
        for name in ("prefill", "prefill_confidence", "blind_share", "queue_scorer", "queue_view", "queue_random"):
            self.fields[name].label, self.fields[name].help_text = self.Meta.labels[name], self.Meta.help_texts[name]
        raters = Rater.objects.filter(project=self.instance).order_by("kind", "name")
        self.fields["reference"] = RaterField(raters, label="Reference rater", empty_label="None")
        self.fields["reference"].help_text = self.Meta.help_texts["reference"]

    def clean_mode(self) -> str:
        mode: str = self.cleaned_data["mode"]
        if reason := setup.mode_refusal(self.scheme, mode):
            raise forms.ValidationError(reason)
        return mode

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if reason := setup.view_refusal(self.instance, found.get("queue_policy", ""), found.get("queue_view", "")):
            self.add_error("queue_view", reason)
        return found


def scorers_for(project: Project) -> list[tuple[str, str]]:
    """Whose scores can order its queue: any, those of a scorer of the deployment, and what it names now though that is
    gone."""
    known = {name: str(one["title"]) for name, one in scorer_entries.all_of_them().items()}
    gone = {project.queue_scorer: f"{project.queue_scorer} (not there any more)"} if project.queue_scorer else {}
    return list(({"": "Whatever scored last"} | gone | known).items())


def views_for(project: Project) -> list[tuple[str, str]]:
    """The kept views its queue can follow, and the one it names now though that is gone."""
    gone = {project.queue_view: f"{project.queue_view} (not there any more)"} if project.queue_view else {}
    return list(({"": "None"} | gone | {one.name: one.name for one in views.of(project)}).items())


def key_of(rater: Rater) -> str:
    """How services are told which of several raters of one name is meant."""
    return f"{rater.kind}:{rater.name}"


def raters_of(project: Project) -> list[tuple[str, str]]:
    raters = Rater.objects.filter(project=project).order_by("kind", "name")
    return [(key_of(one), f"{one.name} ({one.get_kind_display().lower()})") for one in raters]


class RaterField(forms.ModelChoiceField):
    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        super().__init__(queryset, required=False, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.get_kind_display().lower()})"


class GuidelineForm(forms.Form):
    text = forms.CharField(
        label="Guidelines, in Markdown",
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 24, "class": "code", "spellcheck": "true"}),
    )


class MemberForm(forms.Form):
    """Someone who has an account."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR)

    def clean_username(self) -> User:
        name = self.cleaned_data["username"].strip()
        found = User.objects.filter(username__iexact=name, is_active=True).first()
        if found is None:
            raise forms.ValidationError(f"Nobody here is called {name}. Make an account for them below.")
        return found


class AccountForm(forms.Form):
    """Someone who has none yet."""

    username = forms.CharField(
        label="New user name",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR)

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(f"{name} has an account already. Add them above.")
        return name


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class ReturnForm(forms.Form):
    reason = forms.CharField(max_length=2000)


class GiveForm(forms.Form):
    """Who a trajectory is given to, and whose place they take."""

    to = forms.CharField(max_length=150)
    instead_of = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    reason = forms.CharField(required=False, max_length=2000)

    def clean_to(self) -> User:
        name = self.cleaned_data["to"]
        found = User.objects.filter(username=name, is_active=True).first()
        if found is None:
            raise forms.ValidationError(f"Nobody here is called {name}.")
        return found


class TokenForm(forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ["name", "scope", "project"]
        help_texts = {"name": "What it is for, so that you know which one to revoke."}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Project.objects.visible_to(user).order_by("title")
        self.fields["project"] = forms.ModelChoiceField(mine, required=False, empty_label="All my projects")
        self.fields["project"].help_text = "A token for one project sees nothing else."


class ScoreForm(forms.Form):
    scorer = forms.ChoiceField()
    limit = forms.IntegerField(required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, one["title"]) for name, one in scorer_entries.all_of_them().items()]
        self.fields["scorer"] = forms.ChoiceField(choices=choices)


class AgreementForm(forms.Form):
    OFFICIAL = (("", "Ours: a missing prediction is wrong"), ("1", "AgentProcessBench as released"))

    reference = forms.ChoiceField(required=False, label="Reference")
    official = forms.ChoiceField(choices=OFFICIAL, required=False, label="Arithmetic")

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "None: only agreement among raters"), *raters_of(project)]
        initial = key_of(project.reference) if project.reference else ""
        self.fields["reference"] = forms.ChoiceField(
            choices=choices, required=False, label="Reference", initial=initial
        )


class LeaderboardForm(forms.Form):
    """Whom judges are held against: a reference there must be."""

    official = forms.ChoiceField(choices=AgreementForm.OFFICIAL, required=False, label="Arithmetic")

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        raters = Rater.objects.filter(project=project).order_by("kind", "name")
        likely = project.reference or raters.exclude(kind__in=[Rater.Kind.JUDGE, Rater.Kind.SCORER]).first()
        reference = forms.ChoiceField(
            choices=raters_of(project),
            label="Reference",
            initial=key_of(likely) if likely else "",
            help_text="Whose labels are held to be right: a person, an adjudication, the benchmark’s own.",
        )
        self.fields = {"reference": reference} | self.fields


class PaceForm(forms.Form):
    """What the numbers of the pace page are to be about."""

    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    person = forms.ChoiceField(required=False)
    under = forms.FloatField(
        required=False, min_value=0, max_value=3600, label="Hardly looked at: under, s", widget=forms.NumberInput
    )
    t = forms.FloatField(
        required=False, min_value=0, max_value=3600, label="Hasty acceptance: under, s", widget=forms.NumberInput
    )

    def __init__(self, *args: Any, people: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Everybody"), *((name, name) for name in people)]
        self.fields["person"] = forms.ChoiceField(choices=choices, required=False)
