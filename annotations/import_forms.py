"""The form of an import: files or a dataset of the hub, what is in them, and how they are read."""

from __future__ import annotations

from typing import Any

from django import forms

from annotations import segmenting
from annotations.services import duplicates, hub

HUB = {
    "hub": ("Dataset", "owner/name", "The server fetches its data files, never its code."),
    "hub_revision": ("Revision", "main", "A branch, a tag or a commit."),
    "hub_only": ("Only", "train", "A file, a folder, a pattern such as data/*.jsonl, or a split."),
}


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or several files; cleans to a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(one, initial) for one in files]


class ImportForm(forms.Form):
    WHAT = (("trajectories", "Trajectories"), ("labels", "Labels of one rater"))
    RATER_KINDS = (("human", "Person"), ("judge", "Judge"), ("import", "Imported"))

    what = forms.ChoiceField(choices=WHAT, widget=forms.RadioSelect, initial="trajectories", label="What is in it")
    format = forms.ChoiceField(label="Format", required=False)
    rater = forms.CharField(
        required=False, max_length=150, label="Rater", help_text="Whose labels these are: a person, a model, a file."
    )
    rater_kind = forms.ChoiceField(choices=RATER_KINDS, required=False, initial="judge", label="Kind of rater")

    def __init__(self, *args: Any, formats: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"] = FilesField(
            label="Files",
            required=False,
            help_text="JSON, JSON Lines, Parquet, CSV, logs, text; packed or in archives too. Several are fine.",
        )
        for name, (label, place, told) in HUB.items():
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=300,
                help_text=told,
                widget=forms.TextInput(attrs={"placeholder": place, "autocapitalize": "off", "spellcheck": "false"}),
            )
        self.fields["segmentation"] = forms.ChoiceField(
            choices=list(segmenting.TITLES.items()),
            required=False,
            label="A step is a",
            help_text="Only the agent's messages are cut. Code, formulas and tables stay whole.",
        )
        self.fields["duplicates"] = forms.ChoiceField(
            choices=list(duplicates.TITLES.items()),
            required=False,
            label="Rollouts that are there already",
            help_text="Equal ones say the same word for word; equal actions are the same calls in the same order.",
        )
        choices = [("auto", "Find out"), *formats]
        self.fields["format"] = forms.ChoiceField(label="Format of trajectories", required=False, choices=choices)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("what") == "labels" and not (data.get("rater") or "").strip():
            self.add_error("rater", "Labels need the name of their rater.")
        self._clean_hub(data)
        data["format"] = data.get("format") or "auto"
        data["rater"] = (data.get("rater") or "").strip()
        return data

    def _clean_hub(self, data: dict[str, Any]) -> None:
        """`hub` becomes the dataset, None where none is named."""
        name, revision, only = (data.pop(key, "") or "" for key in HUB)
        data["hub"] = None
        try:
            data["hub"] = hub.read(name, revision, only) if name.strip() else None
        except hub.HubRefused as no:
            self.add_error("hub", f"{str(no)[:1].upper()}{str(no)[1:]}.")
        if not name.strip() and (revision.strip() or only.strip()):
            self.add_error("hub", "Of which dataset? Say its name.")
        elif not name.strip() and not data.get("files") and "files" not in self.errors:
            self.add_error("files", "Choose a file, or name a dataset of the Hugging Face hub.")

    @property
    def hub_asked(self) -> bool:
        """Whether somebody wrote into one of the hub's fields."""
        return any(self[name].value() for name in HUB)

    @property
    def of_hub(self) -> list[forms.BoundField]:
        return [self[name] for name in HUB]
