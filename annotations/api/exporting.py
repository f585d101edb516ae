"""What an export is asked for by the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from annotations import formats
from annotations.api.errors import Refused
from annotations.models import Project, Rater
from annotations.services import export_asked, exports
from annotations.services.export_asked import ERRORS, PROPAGATED, RULES, STATES, Asked, ExportRefused


def _texts(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=400), required=False, default=list, help_text=help_text
    )


def _one_of(choices: Mapping[str, str], usual: str, help_text: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=list(choices.items()), required=False, default=usual, allow_blank="" in choices, help_text=help_text
    )


def _score(help_text: str) -> serializers.FloatField:
    return serializers.FloatField(
        min_value=0, max_value=1, required=False, default=None, allow_null=True, help_text=help_text
    )


class ExportIn(serializers.Serializer):
    format = serializers.ChoiceField(choices=formats.writable())
    options = serializers.DictField(required=False, default=dict, help_text="The format's own options, by name.")
    rater = serializers.CharField(
        max_length=170, required=False, default="", allow_blank=True, help_text="Whose labels, by name or kind:name."
    )
    raters = _texts("The same, for several.")
    rule = _one_of(RULES, "one", "What holds where several raters are asked for.")
    states = serializers.ListField(
        child=serializers.ChoiceField(choices=list(STATES.items())),
        required=False,
        default=list,
        help_text="Which passes count. Empty: those submitted.",
    )
    as_scheme = serializers.CharField(
        max_length=60,
        required=False,
        default="",
        allow_blank=True,
        help_text="A scheme that comes with Stepmark, in whose words the labels go out. Empty: as they were given.",
    )
    propagated = _one_of(PROPAGATED, "kept", "Labels that a rule carried on.")
    sources = _texts("Only trajectories of these datasets.")
    models = _texts("Only trajectories of these policy models.")
    view = serializers.CharField(
        max_length=80, required=False, default="", allow_blank=True, help_text="Only trajectories that this view shows."
    )
    first_error = _one_of(ERRORS, "", "Only trajectories with a wrong step, or without one.")
    least_raters = serializers.IntegerField(
        min_value=0,
        max_value=1000,
        required=False,
        default=1,
        help_text="Only trajectories with so many passes of the raters; 0: also those that nobody labelled.",
    )
    agreed = serializers.BooleanField(required=False, default=False, help_text="Only where the raters differ nowhere.")
    test_share = serializers.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        default=0,
        help_text="The share of tasks in a test split, drawn by the hash of what they ask. 0: no split.",
    )
    score_from = _score("P(not wrong) of the lowest step is at least this.")
    score_to = _score("And at most this.")
    scores = serializers.IntegerField(
        min_value=1, required=False, default=None, allow_null=True, help_text="A scoring run. Null: the newest done."
    )
    judge = serializers.CharField(
        max_length=80,
        required=False,
        default="",
        allow_blank=True,
        help_text="Whose questions the rows are made of, with its version: only for judge-sft.",
    )


def asked_for(project: Project, data: Mapping[str, Any]) -> Asked:
    """The export as it can be done. Raises Refused with what is accepted."""
    try:
        asked = export_asked.read(data)
        _known(project, asked)
        exports.check(project, asked)
    except ExportRefused as no:
        raise Refused(str(no), no.field or "format", no.accepted or None) from no
    return asked


def _known(project: Project, asked: Asked) -> None:
    """Names that nobody has are refused with those there are."""
    there = list(Rater.objects.filter(project=project).order_by("name").values_list("name", flat=True)[:100])
    for name in asked.raters:
        if not Rater.objects.filter(project=project, name__in=[name, name.partition(":")[2]]).exists():
            raise ExportRefused(f"The project has no rater {name!r}.", "rater", there)
