"""Labels: listing what you may see, and storing your own, one at a time or in bulk."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.errors import Refused, problem
from annotations.api.filters import BIGGEST_KEY, BIGGEST_NUMBER, LabelFilter
from annotations.models import Label, Rater
from annotations.services import labels, visibility
from annotations.services.outcomes import Outcome, Refusal

MOST_CHANGES = 1000
MOST_ITEMS = 10_000


class LabelOut(serializers.ModelSerializer):
    annotation = serializers.IntegerField(source="annotation_id")
    trajectory = serializers.IntegerField(source="annotation.trajectory_id")
    rater = serializers.CharField(source="annotation.rater.name")
    kind = serializers.ChoiceField(source="annotation.rater.kind", choices=Rater.Kind.choices)
    step = serializers.IntegerField(
        source="step.index", allow_null=True, help_text="Place of the step; null: the whole trajectory."
    )
    cause = serializers.IntegerField(
        source="cause.step.index", allow_null=True, help_text="Place of the step that implied it."
    )
    value = serializers.JSONField()
    guideline = serializers.IntegerField(
        source="guideline.version", allow_null=True, help_text="The version that was shown with it."
    )

    class Meta:
        model = Label
        fields = [
            "id",
            "annotation",
            "trajectory",
            "rater",
            "kind",
            "step",
            "field",
            "value",
            "origin",
            "cause",
            "explanation",
            "guideline",
            "suggestion",
            "time_ms",
            "revision",
            "created_at",
        ]
        read_only_fields = fields


class Value(serializers.JSONField):
    """An answer as the scheme spells it: a number, a text, true, a list or an object; null takes it back."""


class ItemIn(serializers.Serializer):
    step = serializers.IntegerField(
        min_value=0, max_value=BIGGEST_NUMBER, allow_null=True, help_text="Its place; null: the whole trajectory."
    )
    field = serializers.CharField(max_length=80)
    value = Value(allow_null=True)
    explanation = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000, help_text="Why; without it the one that is there stays."
    )


class BasisIn(serializers.Serializer):
    change = serializers.UUIDField(
        required=False, help_text="Yours, new for each change: sent again, it is made only once."
    )
    revision = serializers.IntegerField(
        min_value=0,
        max_value=BIGGEST_NUMBER,
        required=False,
        help_text="The revision you saw: a place changed since is a conflict. Without it, nothing is.",
    )


class StoreIn(BasisIn):
    annotation = serializers.IntegerField(min_value=1, max_value=BIGGEST_KEY)
    force = serializers.BooleanField(required=False, default=False, help_text="Overwrite what changed since.")
    time_ms = serializers.IntegerField(min_value=0, max_value=BIGGEST_NUMBER, required=False, default=0)


class LabelIn(StoreIn, ItemIn):
    pass


class ChangeIn(StoreIn):
    items = serializers.ListField(child=ItemIn(), allow_empty=False, max_length=MOST_ITEMS)


class BulkIn(serializers.Serializer):
    changes = serializers.ListField(child=ChangeIn(), allow_empty=False, max_length=MOST_CHANGES)


class SettledOut(serializers.Serializer):
    step = serializers.IntegerField(allow_null=True)
    field = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    origin = serializers.CharField(allow_null=True)
    cause = serializers.IntegerField(allow_null=True)
    explanation = serializers.CharField(required=False, help_text="Where there is one.")
    suggestion = serializers.DictField(required=False, help_text="What was accepted, where something was.")


class OutcomeOut(serializers.Serializer):
    """The annotation after it, and the labels that differ from what your revision showed."""

    revision = serializers.IntegerField()
    state = serializers.CharField()
    labels = SettledOut(many=True)
    undo = serializers.BooleanField(help_text="Whether there is something to undo.")
    redo = serializers.BooleanField()
    lease_until = serializers.DateTimeField(allow_null=True)
    frontier = serializers.IntegerField(
        allow_null=True, help_text="In a first progressive pass, the last step that is shown yet."
    )


class ResultOut(serializers.Serializer):
    annotation = serializers.IntegerField()
    change = serializers.UUIDField()
    status = serializers.IntegerField(help_text="What it alone would have been answered with: 200, 403, 404, 409, 422.")
    outcome = OutcomeOut(allow_null=True)
    problem = serializers.DictField(allow_null=True, help_text="Why it was refused, in the shape of every refusal.")


class ResultsOut(serializers.Serializer):
    stored = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = ResultOut(many=True)


def refused(no: Refusal) -> Refused:
    """A service's refusal as the API says it."""
    body = problem("") | no.answer
    return Refused(**body, status=no.status)


class Labels(mixins.ListModelMixin, ProjectView):
    """Current labels: your own, others' where you may see them."""

    queryset = Label.objects.all()
    serializer_class = LabelOut
    filterset_class = LabelFilter
    roles = {"create": access.LABEL, "bulk": access.LABEL}
    also = {"create": (409, 422)}

    def rows(self) -> QuerySet[Label]:
        found = visibility.labels_visible_to(self.membership).current().filter(annotation__retired_at__isnull=True)
        joined = found.select_related("step", "cause__step", "annotation__rater", "guideline")
        return joined.only(
            *(
                "annotation_id",
                "field",
                "value",
                "origin",
                "explanation",
                "suggestion",
                "time_ms",
                "revision",
                "created_at",
            ),
            *("step__index", "cause__step__index", "annotation__trajectory_id", "guideline__version"),
            *("annotation__rater__name", "annotation__rater__kind"),
        )

    @extend_schema(request=LabelIn, responses={200: OutcomeOut})
    def create(self, request: Request, slug: str) -> Response:
        """Store one answer in a pass of yours. The answer tells every label it set, suggested ones too."""
        data = self.taken(LabelIn)
        item = {name: data.pop(name) for name in ("step", "field", "value", "explanation") if name in data}
        try:
            outcome = self._store({**data, "items": [item]})
        except Refusal as no:
            raise refused(no) from no
        return Response(outcome.as_json())

    @extend_schema(request=BulkIn, responses={200: ResultsOut})
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request, slug: str) -> Response:
        """Store many changes, each whole or not at all, in order. One refused does not stop the others."""
        results = [self._result(one) for one in self.taken(BulkIn)["changes"]]
        stored = sum(one["status"] == 200 for one in results)
        return Response({"stored": stored, "refused": len(results) - stored, "results": results})

    def _result(self, one: dict[str, Any]) -> dict[str, Any]:
        one.setdefault("change", uuid.uuid4())
        result = {"annotation": one["annotation"], "change": str(one["change"]), "outcome": None, "problem": None}
        try:
            return result | {"status": 200, "outcome": self._store(one).as_json()}
        except Refusal as no:
            return result | {"status": no.status, "problem": problem("") | no.answer}
        except Http404:
            return result | {"status": 404, "problem": problem("You have no such annotation here.", "annotation")}
        except PermissionDenied as no:
            return result | {"status": 403, "problem": problem(str(no))}

    def _store(self, one: dict[str, Any]) -> Outcome:
        return labels.change(
            one["annotation"],
            self.person,
            one["items"],
            change=one.get("change") or uuid.uuid4(),
            revision=one.get("revision", 0),
            force=one["force"] or "revision" not in one,
            time_ms=one["time_ms"],
            slug=self.project.slug,
        )
