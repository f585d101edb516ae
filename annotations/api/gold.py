"""Items whose answer is known, and the training of newcomers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.errors import Refused
from annotations.api.labels import refused
from annotations.api.pages import NewestFirst
from annotations.models import Gold, GoldPlan, User
from annotations.services import gold, gold_feedback, training, training_people
from annotations.services.outcomes import Refusal


class GoldOut(serializers.ModelSerializer):
    trajectory = serializers.IntegerField(source="trajectory_id")
    trajectory_external_id = serializers.CharField(source="trajectory.external_id")
    reference = serializers.IntegerField(source="reference_id", help_text="The annotation that is held to be right.")
    rater = serializers.CharField(source="reference.rater.name")

    class Meta:
        model = Gold
        fields = [
            "id",
            "trajectory",
            "trajectory_external_id",
            "reference",
            "rater",
            "use",
            "explanation",
            "created_at",
        ]
        read_only_fields = fields


class GoldIn(serializers.Serializer):
    trajectory = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    reference = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**63 - 1,
        help_text="The annotation that is right; left out: what was adjudicated, else the project's reference, else a "
        "file's.",
    )
    use = serializers.ChoiceField(choices=Gold.Use.choices, required=False, default=Gold.Use.QUEUE)
    explanation = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class GoldManyIn(serializers.Serializer):
    rater = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Whose passes are right.")
    use = serializers.ChoiceField(choices=Gold.Use.choices, required=False, default=Gold.Use.QUEUE)
    view = serializers.CharField(required=False, allow_blank=True, default="", max_length=80)
    most = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=100_000)


class GoldManyOut(serializers.Serializer):
    marked = serializers.IntegerField()


class GoldPlanOut(serializers.Serializer):
    every = serializers.IntegerField(help_text="One in so many is gold; 0: none.")
    again = serializers.IntegerField(help_text="One in so many is an item that its person had before; 0: none.")
    again_after = serializers.IntegerField(help_text="Days between the two passes, at least.")
    shown = serializers.ChoiceField(choices=GoldPlan.Shown.choices)
    training = serializers.IntegerField(help_text="Items a newcomer trains with; 0: none.")
    mark = serializers.IntegerField(help_text="Percent.")


class GoldPlanIn(serializers.Serializer):
    every = serializers.IntegerField(required=False, min_value=0, max_value=gold.MOST_EVERY)
    again = serializers.IntegerField(required=False, min_value=0, max_value=gold.MOST_EVERY)
    again_after = serializers.IntegerField(required=False, min_value=0, max_value=gold.LONGEST)
    shown = serializers.ChoiceField(choices=GoldPlan.Shown.choices, required=False)
    training = serializers.IntegerField(required=False, min_value=0, max_value=gold.MOST_TRAINING)
    mark = serializers.IntegerField(required=False, min_value=0, max_value=100)

    def validate_every(self, every: int) -> int:
        if every == 1:
            raise serializers.ValidationError("One in one would be nothing but gold.")
        return every

    def validate_again(self, again: int) -> int:
        if again == 1:
            raise serializers.ValidationError("One in one would be nothing new.")
        return again


class GoldItems(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """The trajectories whose answer is known, for who sees others' labels. Who labels never learns which they are."""

    queryset = Gold.objects.all()
    serializer_class = GoldOut
    pagination_class = NewestFirst
    filter_backends: list[Any] = []
    lookup_value_converter = "int"
    roles = {
        **dict.fromkeys(["list", "retrieve"], access.SEE_OTHERS_LABELS),
        **dict.fromkeys(["create", "destroy", "many"], access.MANAGE),
    }
    also = {"create": (422,), "many": (422,)}

    def rows(self) -> QuerySet[Gold]:
        return gold.items(self.project)

    @extend_schema(request=GoldIn, responses={201: GoldOut})
    def create(self, request: Request, slug: str) -> Response:
        """Hold an annotation over a trajectory to be right. Marking anew changes the mark."""
        said = self.taken(GoldIn)
        trajectory = said.pop("trajectory")
        try:
            made = gold.mark(self.project, trajectory, self.person, **said)
        except Refusal as no:
            raise refused(no) from no
        return Response(GoldOut(self.rows().get(pk=made.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, slug: str, pk: int) -> Response:
        """Give it to nobody any more. What was labelled of it stays."""
        gold.unmark(self.get_object(), self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=GoldManyIn, responses={200: GoldManyOut})
    @action(detail=False, methods=["post"])
    def many(self, request: Request, slug: str) -> Response:
        """Mark what a rater handed in and nobody marked yet, as many as asked for, drawn by chance."""
        try:
            return Response({"marked": gold.mark_many(self.project, self.person, **self.taken(GoldManyIn))})
        except Refusal as no:
            raise refused(no) from no


class Plan(ProjectView):
    """What the project does with gold items, and what it gives again."""

    queryset = Gold.objects.all()
    serializer_class = GoldPlanOut
    pagination_class = None
    filter_backends: list[Any] = []
    roles = {"retrieve": access.SEE_OTHERS_LABELS, "partial_update": access.MANAGE}

    def retrieve(self, request: Request, slug: str) -> Response:
        return Response(GoldPlanOut(gold.plan_of(self.project)).data)

    @extend_schema(request=GoldPlanIn, responses={200: GoldPlanOut})
    def partial_update(self, request: Request, slug: str) -> Response:
        gold.change(self.project, self.person, **self.taken(GoldPlanIn))
        return self.retrieve(request, slug)


class HandedIn(serializers.Serializer):
    annotation = serializers.IntegerField(source="annotation.pk")
    right = serializers.IntegerField()
    compared = serializers.IntegerField()
    seen = serializers.BooleanField(source="is_seen", help_text="Whether you have looked at what is right.")


class TrainingOut(serializers.Serializer):
    wanted = serializers.IntegerField(help_text="Items of a round.")
    mark = serializers.IntegerField(help_text="Percent that has to be right.")
    number = serializers.IntegerField(help_text="Which round, from 1.")
    handed_in = HandedIn(many=True)
    score = serializers.FloatField(allow_null=True, help_text="Percent so far; null where nothing was compared.")
    over = serializers.BooleanField(source="is_over", help_text="The round was scored, and is below the mark.")
    passed = serializers.BooleanField(source="is_passed")
    stuck = serializers.BooleanField(source="is_stuck", help_text="No item is left: only a lead can help.")


class LetPassIn(serializers.Serializer):
    user = serializers.CharField(max_length=150, help_text="The user name of a member.")


class ComparedOut(serializers.Serializer):
    step = serializers.IntegerField(allow_null=True, help_text="Its index; null: the whole.")
    field = serializers.CharField()
    said = serializers.JSONField()
    reference = serializers.JSONField()
    why = serializers.CharField()
    right = serializers.BooleanField()


class FeedbackOut(serializers.Serializer):
    annotation = serializers.IntegerField()
    explanation = serializers.CharField()
    places = ComparedOut(many=True)


class TrainingView(ProjectView):
    """Your own training, before the queue gives you anything."""

    queryset = Gold.objects.all()
    serializer_class = TrainingOut
    pagination_class = None
    filter_backends: list[Any] = []
    lookup_value_converter = "int"
    roles = {**dict.fromkeys(["retrieve", "again", "feedback"], access.LABEL), "let_pass": access.MANAGE}
    also = {"again": (409,), "feedback": (409,)}

    def retrieve(self, request: Request, slug: str) -> Response:
        """How far you are. 404 where you need no training."""
        now = training.settle(self.membership)
        if now is None:
            raise Http404
        return Response(TrainingOut(now).data)

    @extend_schema(request=None, responses={200: TrainingOut})
    def again(self, request: Request, slug: str) -> Response:
        """Another round with other items. 409 where the last one is not over."""
        try:
            training.again(self.membership)
        except Refusal as no:
            raise refused(no) from no
        return self.retrieve(request, slug)

    @extend_schema(operation_id="projects_training_feedback", responses={200: FeedbackOut})
    def feedback(self, request: Request, slug: str, pk: int) -> Response:
        """Your answers beside those that are right: of training, and of gold items where the project tells of them. 409
        before it is handed in."""
        try:
            found, item, places = gold_feedback.feedback(self.membership, pk)
        except Refusal as no:
            raise refused(no) from no
        told = {"annotation": found.pk, "explanation": item.explanation, "places": places}
        return Response(FeedbackOut(told).data)

    @extend_schema(request=LetPassIn, responses={204: None})
    def let_pass(self, request: Request, slug: str) -> Response:
        """Let a newcomer into the queue, whatever their score."""
        name = self.taken(LetPassIn)["user"]
        found = User.objects.filter(username=name, memberships__project=self.project).first()
        if found is None:
            raise Refused(f"{name} is no member of this project.", "user", "the user name of a member")
        training_people.let_pass(self.project, found, self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)
