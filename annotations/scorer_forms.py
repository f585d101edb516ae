"""The form that adds a scorer to the deployment."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from annotations.services import scorer_rules
from annotations.services.scorer_entries import Entry


class ScorerForm(forms.Form):
    name = forms.SlugField(max_length=60, help_text="Small letters, digits and hyphens. Runs name it so.")
    title = forms.CharField(max_length=200, help_text="What people read.")
    kind = forms.ChoiceField(label="Class", choices=[(name, name) for name in sorted(scorer_rules.BY_NAME)])
    options = forms.CharField(
        initial="{}",
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
        help_text="A JSON object, as the documentation has it. No keys or passwords: key_env names the variable of the "
        "workers' environment that holds one.",
    )
    price = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono", "spellcheck": "false"}),
        help_text='Where asking costs something: {"prompt": 3000000, "completion": 15000000, "currency": "USD"}, '
        "millionths of the currency for a million tokens.",
    )

    def clean_options(self) -> Any:
        return _json(self.cleaned_data["options"])

    def clean_price(self) -> Any:
        text = self.cleaned_data["price"]
        return _json(text) if text else None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        if {"kind", "options", "price"} <= data.keys():
            try:
                scorer_rules.check(self.entry())
            except scorer_rules.EntryRefused as no:
                self.add_error("price" if str(no).startswith("price") else "options", str(no))
        return data

    def entry(self) -> Entry:
        """What was filled in, as an entry of the settings would have it."""
        data = self.cleaned_data
        entry = {
            "title": data.get("title", ""),
            "class": scorer_rules.BY_NAME[data["kind"]],
            "options": data["options"],
        }
        return entry | ({} if data["price"] is None else {"price": data["price"]})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise forms.ValidationError(f"This is not JSON: {exc}.") from exc
