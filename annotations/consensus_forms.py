"""The forms of a project's consensus: whose labels, in which field, held against whom; and what to adopt."""

from __future__ import annotations

from typing import Any

from django import forms

from annotations.forms import key_of, raters_of
from annotations.models import Project, Rater
from annotations.services import consensus

PICKED = "picked"


class ConsensusForm(forms.Form):
    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        adopted = {key_of(one) for one in project.raters.all() if consensus.is_adopted(one)}
        made = f"{Rater.Kind.CONSENSUS}:"
        raters = [(key, title) for key, title in raters_of(project) if not key.startswith(made)]
        against = [(key, title) for key, title in raters_of(project) if key not in adopted]
        reference = key_of(project.reference) if project.reference else ""
        self.fields |= {
            "field": forms.ChoiceField(
                label="Field", choices=[(one.name, one.title) for one in consensus.fields(project)]
            ),
            "raters": forms.ChoiceField(
                label="Whose labels", choices=[*consensus.RATERS.items(), (PICKED, "Those ticked below")]
            ),
            "reference": forms.ChoiceField(
                label="Held against",
                choices=[("", "Nobody: only what they say together"), *against],
                initial="" if reference in adopted else reference,
                required=False,
            ),
            "picked": forms.MultipleChoiceField(
                label="Raters", choices=raters, required=False, widget=forms.CheckboxSelectMultiple
            ),
            "by_hand": forms.BooleanField(label="Without labels that were filled in", required=False),
        }

    def config(self) -> dict[str, Any]:
        """As services.consensus.start takes it."""
        asked = self.cleaned_data
        raters = asked["picked"] if asked["raters"] == PICKED else asked["raters"]
        return {
            "field": asked["field"],
            "raters": raters,
            "reference": asked["reference"],
            "by_hand": asked["by_hand"],
        }


class AdoptForm(forms.Form):
    """A method and a threshold of the report."""

    method = forms.SlugField()
    at = forms.FloatField()
