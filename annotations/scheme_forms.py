"""Forms of a project's scheme: choosing it with a new project, and the lists of tasks."""

from __future__ import annotations

from typing import Any

from django import forms

from annotations import schemes
from annotations.forms import overlap_field
from annotations.models import Project
from annotations.records import Json
from annotations.services import rubric_lists
from annotations.services.outcomes import NotAccepted


class ProjectForm(forms.ModelForm):
    """A new project, with a scheme that comes with Stepmark or one of its maker's own. `mistakes` are those of the own
    one, `written` is its text whether it could be read or not."""

    OWN = "own"
    scheme_name = forms.ChoiceField(label="Label scheme")
    text = forms.CharField(required=False, strip=False, label="Your scheme, in YAML")
    file = forms.FileField(required=False, label="Or its file")

    class Meta:
        model = Project
        fields = ["title", "slug", "overlap"]
        labels = {"slug": "Short name"}
        help_texts = {"slug": "Part of every address: letters, digits and hyphens. It stays."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mistakes: list[schemes.Mistake] = []
        self.written = self.data.get("text", "") if self.is_bound else ""
        choices = [(name, scheme.title) for name, scheme in schemes.shipped().items()]
        choices.append((self.OWN, "Your own"))
        self.fields["scheme_name"] = forms.ChoiceField(label="Label scheme", choices=choices)
        self.fields["overlap"] = overlap_field(initial=2)

    @property
    def plain(self) -> list[forms.BoundField]:
        """The fields that are asked as any other."""
        return [self[name] for name in self.Meta.fields]

    @property
    def guideline(self) -> str:
        """The guidelines that were chosen with the scheme."""
        return self.data.get(f"guideline-{self.data.get('scheme_name')}", "") if self.is_bound else ""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("scheme_name") != self.OWN:
            return data | {"text": ""}
        file = data.get("file")
        text = file.read().decode("utf-8-sig", "replace") if file else data.get("text") or ""
        data["text"] = self.written = text.replace("\r\n", "\n")
        try:
            schemes.read(data["text"])
        except schemes.SchemeRefused as no:
            self.mistakes = no.mistakes
            self.add_error("text", "This is no scheme yet; what is wrong is listed with its line.")
        return data


class RubricForm(forms.Form):
    """The items of a task's list, as YAML. `items` is what they are once the form is valid."""

    text = forms.CharField(label="Items, in YAML", max_length=200_000, strip=False)
    items: Json = None

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            self.items = rubric_lists.read(text)
        except NotAccepted as no:
            raise forms.ValidationError(str(no)) from no
        return text


class RubricFileForm(forms.Form):
    file = forms.FileField(label="A file of lists", help_text='JSON Lines: {"task": …, "field": …, "items": […]}.')
