"""The form by which a judge is asked to write the lists of tasks."""

from __future__ import annotations

from typing import Any

from django import forms

from annotations.judges import prompts
from annotations.models import Judge, Project
from annotations.services import rubric_writing
from annotations.services.judges import JudgeRefused
from annotations.services.rubric_writing import ITEMS, MOST_ITEMS, MOST_ROLLOUTS, PROMPT

ATTEMPTS = {0: "None: the task alone", 1: "One", 2: "Two", 3: "Three"}


class WriteForm(forms.Form):
    """`config` is what the run is to do, once the form is valid."""

    judge = forms.ModelChoiceField(
        Judge.objects.none(),
        empty_label=None,
        help_text="Its model, server and settings. Best another model than the one that will answer the items.",
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        label="At most so many tasks",
        help_text="Left empty: all of them. Try a few first.",
    )
    most = forms.IntegerField(initial=ITEMS, min_value=1, max_value=MOST_ITEMS, label="Items of a list, at most")
    rollouts = forms.TypedChoiceField(
        choices=list(ATTEMPTS.items()),
        coerce=int,
        initial=0,
        label="Attempts that it is shown",
        help_text="Rollouts of the task, so that items tell good ones from bad ones.",
    )
    reference = forms.BooleanField(
        required=False,
        label="Show it the task’s reference, and how attempts ended",
        help_text="Its items may then give the answer away to people who label blind: look for that when you approve.",
    )
    prompt = forms.CharField(
        required=False,
        max_length=prompts.LONGEST,
        strip=False,
        initial=lambda: prompts.part(PROMPT).text,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "true"}),
        label="What it is told",
        help_text="That the task is data, and the form of the answer, are added to whatever stands here.",
    )
    tasks = forms.CharField(required=False, widget=forms.HiddenInput)

    config: dict[str, Any]

    def __init__(
        self, data: Any = None, *, project: Project, field: str, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.project, self.field = project, field
        judges: Any = self.fields["judge"]
        rows = Judge.objects.filter(project=project, retired_at=None, server__removed_at=None)
        judges.queryset = rows.select_related("server", "project__scheme").order_by("-pk")
        judges.label_from_instance = lambda one: f"{one}: {one.model} at {one.server.title}"

    def clean_tasks(self) -> list[int] | None:
        """Those that were chosen; None: all that have no list."""
        said: str = self.cleaned_data["tasks"]
        if not said.strip():
            return None
        numbers = [one.strip() for one in said.split(",")]
        if not all(one.isdecimal() and len(one) < 19 for one in numbers):
            raise forms.ValidationError("These are no tasks.")
        return [int(one) for one in numbers]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        if self.errors:
            return said
        told = {name: said[name] for name in ("tasks", "limit", "most", "rollouts", "reference", "prompt")}
        try:
            self.config = rubric_writing.configured(said["judge"], self.field, **told)
        except JudgeRefused as no:
            self.add_error("prompt" if "place" in str(no) or "header" in str(no) else None, str(no))
        return said


assert max(ATTEMPTS) == MOST_ROLLOUTS
