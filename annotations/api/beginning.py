"""What is sent to begin a run, and what a run would take."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotations import formats, segmenting
from annotations.api.errors import Refused
from annotations.models import Rater
from annotations.services import calibration, duplicates, hub, scorer_entries

RATER_KINDS = [Rater.Kind.HUMAN, Rater.Kind.JUDGE, Rater.Kind.IMPORT]


class ImportIn(serializers.Serializer):
    file = serializers.FileField(required=False, help_text="What a framework wrote; packed or an archive too.")
    hub = serializers.CharField(
        max_length=300,
        required=False,
        default="",
        allow_blank=True,
        help_text="In place of a file: a dataset of the Hugging Face hub, as NAME or NAME@REVISION.",
    )
    hub_only = serializers.CharField(
        max_length=300,
        required=False,
        default="",
        allow_blank=True,
        help_text="Of the dataset: a file, a folder, a pattern or a split. Empty: all its data files.",
    )
    what = serializers.ChoiceField(choices=["trajectories", "labels"], required=False, default="trajectories")
    format = serializers.CharField(max_length=40, required=False, default="auto")
    segmentation = serializers.ChoiceField(
        choices=list(segmenting.TITLES.items()),
        required=False,
        default=segmenting.MESSAGE,
        help_text="What is a step of the agent's.",
    )
    duplicates = serializers.ChoiceField(
        choices=list(duplicates.TITLES.items()),
        required=False,
        default=duplicates.KEEP,
        help_text="What becomes of rollouts that equal others. The result lists them, unless they are kept.",
    )
    rater = serializers.CharField(
        max_length=150, required=False, default="", allow_blank=True, help_text="Whose labels these are."
    )
    rater_kind = serializers.ChoiceField(choices=RATER_KINDS, required=False, default=Rater.Kind.JUDGE)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["what"] == "labels" and not data["rater"]:
            raise serializers.ValidationError({"rater": "Labels need the name of their rater."})
        if bool(data.get("file")) == bool(data["hub"]):
            raise serializers.ValidationError({"file": "Send a file, or name a dataset in `hub`: one of them."})
        if data["hub"]:
            try:
                data["file"] = hub.read(data["hub"], only=data["hub_only"])
            except hub.HubRefused as no:
                raise Refused(str(no), "hub") from no
        del data["hub"], data["hub_only"]
        accepted = ["auto", *formats.readable(data["what"])]
        if data["format"] not in accepted:
            raise Refused(f"No format {data['format']!r} reads {data['what']}.", "format", accepted)
        return data


class ScoreIn(serializers.Serializer):
    scorer = serializers.CharField(max_length=200, help_text="A scorer of this deployment, by name.")
    limit = serializers.IntegerField(
        required=False, min_value=1, help_text="Only a try, on so many trajectories; its scores are shown nowhere."
    )

    def validate_scorer(self, name: str) -> str:
        known = sorted(scorer_entries.all_of_them())
        if name not in known:
            raise Refused(f"No scorer here is called {name}.", "scorer", known)
        return name


class CostOut(serializers.Serializer):
    micro = serializers.IntegerField(help_text="In millionths of the currency.")
    currency = serializers.CharField()
    version = serializers.CharField(help_text="Of the price list.")


class EstimateOut(serializers.Serializer):
    scorer = serializers.CharField(default="")
    trajectories = serializers.IntegerField(source="size.trajectories")
    steps = serializers.IntegerField(source="size.steps", help_text="Steps of the agent's. Of large projects: about.")
    octets = serializers.IntegerField(source="size.octets", help_text="Length of all texts in UTF-8.")
    runs = serializers.IntegerField(help_text="From how many earlier runs the rest is told; 0: it is not known.")
    seconds = serializers.FloatField(allow_null=True)
    usage = serializers.DictField(help_text="Calls, prompt_tokens, completion_tokens; empty where no model is asked.")
    cost = CostOut(allow_null=True, help_text="Null where there is nothing to pay, or no price is known.")


class CalibrateIn(serializers.Serializer):
    scorer = serializers.CharField(max_length=200, help_text="One with a scoring run that is done.")
    method = serializers.ChoiceField(
        choices=list(calibration.METHODS.items()), required=False, default="", help_text="Empty: the best by log-loss."
    )


class LeaderboardIn(serializers.Serializer):
    reference = serializers.CharField(max_length=170, help_text="The rater that is held to be right, as kind:name.")
    official = serializers.BooleanField(
        required=False, default=False, help_text="By the released arithmetic of AgentProcessBench."
    )


class AgreementIn(serializers.Serializer):
    reference = serializers.CharField(
        max_length=170,
        required=False,
        default=None,
        allow_null=True,
        allow_blank=True,
        help_text="The rater to hold others against, by name or kind:name. Null: the project's; empty: none.",
    )
    official = serializers.BooleanField(required=False, default=False, help_text="AgentProcessBench's released way.")
