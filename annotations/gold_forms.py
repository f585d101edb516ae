"""Forms about items whose answer is known, and about those that are given again."""

from __future__ import annotations

from typing import Any

from django import forms

from annotations.models import Annotation, Gold, GoldPlan, Project, SavedView
from annotations.services import gold

LONGEST = 4000


class PlanForm(forms.Form):
    """What the project does with gold items, and what it gives again."""

    every = forms.IntegerField(
        label="One gold item in",
        min_value=0,
        max_value=gold.MOST_EVERY,
        help_text="Of so many that an annotator is given one is gold; 0: none is. They look like all others, take no "
        "seat from anybody, and who sees others’ labels gets none.",
    )
    again = forms.IntegerField(
        label="One item given again in",
        min_value=0,
        max_value=gold.MOST_EVERY,
        help_text="Of so many that an annotator is given one is an item that they handed in before, with nothing of "
        "what they said; 0: none is. It takes no seat from anybody, and no item comes a third time.",
    )
    again_after = forms.IntegerField(
        label="Not before so many days",
        min_value=0,
        max_value=gold.LONGEST,
        help_text="Between the two passes over one item: long enough to forget the first.",
    )
    shown = forms.ChoiceField(label="What annotators see of how they do on gold items", choices=GoldPlan.Shown.choices)
    training = forms.IntegerField(
        label="Training items for newcomers",
        min_value=0,
        max_value=gold.MOST_TRAINING,
        help_text="So many does a newcomer label, and sees what is right, before the queue gives them anything; 0: no "
        "training. Who is a member already is not sent back.",
    )
    mark = forms.IntegerField(
        label="Passing mark, %",
        min_value=0,
        max_value=100,
        help_text="So much of what the references say a newcomer has to say too, over all of the round. Who is below "
        "may try again with other items.",
    )

    def clean_again(self) -> int:
        again: int = self.cleaned_data["again"]
        if again == 1:
            raise forms.ValidationError("One in one would be nothing new. 0 is off; 2 is the most.")
        return again

    def clean_every(self) -> int:
        every: int = self.cleaned_data["every"]
        if every == 1:
            raise forms.ValidationError("One in one would be nothing but gold. 0 is off; 2 is the most.")
        return every


class MarkForm(forms.Form):
    """Which pass over a trajectory is right, and what the trajectory is for."""

    reference = forms.TypedChoiceField(label="Whose labels are right", coerce=int)
    use = forms.ChoiceField(label="Use it", choices=Gold.Use.choices, initial=Gold.Use.QUEUE)
    explanation = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="What newcomers are told",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="In training, beside the reasons that the reference gives step by step.",
    )

    def __init__(self, *args: Any, passes: list[Annotation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.pk, f"{one.rater.name} ({one.rater.get_kind_display().lower()})") for one in passes]
        self.fields["reference"].choices = choices  # type: ignore[attr-defined]


class ManyForm(forms.Form):
    """Whose passes are right, how many of them, and what they are for."""

    rater = forms.TypedChoiceField(label="Whose labels are right", coerce=int)
    use = forms.ChoiceField(label="Use them", choices=Gold.Use.choices, initial=Gold.Use.QUEUE)
    view = forms.ChoiceField(required=False, label="Of the kept view")
    most = forms.IntegerField(
        required=False, min_value=1, max_value=100_000, label="At most", help_text="Drawn by chance. Empty: all."
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        raters = [(one.pk, f"{one.name} ({many} not marked)") for one, many in gold.sources(project)]
        self.fields["rater"].choices = raters  # type: ignore[attr-defined]
        kept = SavedView.objects.filter(project=project).order_by("name").values_list("name", flat=True)
        self.fields["view"].choices = [("", "all trajectories"), *((name, name) for name in kept)]  # type: ignore[attr-defined]
