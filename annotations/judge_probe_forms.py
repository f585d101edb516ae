"""Forms of the probes' pages."""

from __future__ import annotations

from typing import Any

from django import forms

from annotations.judges.probe_limits import LIMITS, LISTED, NUMBERS, TASKS


class ProbeForm(forms.Form):
    probes = forms.MultipleChoiceField(
        choices=[(one.name, one.title) for one in LISTED],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Probes",
        help_text="None: all of them.",
    )
    tasks = forms.IntegerField(
        min_value=1,
        max_value=500,
        initial=TASKS,
        label="Tasks for each change",
        help_text="More give narrower intervals and cost more. With fewer than ten nothing is found within a limit.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=10**6, initial=0, label="Seed", help_text="The same draws the same."
    )


class LeaveForm(forms.Form):
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2_000,
        label="Why its labels may be used all the same",
        help_text="Goes into the manifest of every export that holds its labels, with your name.",
    )


class LimitsForm(forms.Form):
    """A share for each limit, empty for none; and whether judges must be probed at all."""

    unprobed = forms.BooleanField(
        required=False,
        label="Judges must be probed",
        help_text="Labels of judges that were never probed stay out of exports. Imported judges cannot be probed here: "
        "a manager signs for them.",
    )

    def __init__(self, *args: Any, bounds: dict[str, Any], unprobed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = {one.name: one.title for one in LISTED}
        self.fields["unprobed"].initial = unprobed
        for limit in LIMITS:
            side = "at least" if limit.at_least else "at most"
            self.fields[limit.name] = forms.FloatField(
                required=False,
                min_value=0,
                max_value=1,
                initial=bounds.get(limit.name, limit.bound),
                label=f"{titles[limit.probe]}: {NUMBERS[limit.number]}, {side}",
                widget=forms.NumberInput(attrs={"step": "0.01"}),
            )

        self.order_fields([*(one.name for one in LIMITS), "unprobed"])

    def own(self) -> dict[str, Any]:
        """The bounds that are not the default; None for a limit that is taken away."""
        said = {one.name: self.cleaned_data.get(one.name) for one in LIMITS}
        return {one.name: said[one.name] for one in LIMITS if said[one.name] != one.bound}
