"""Tasks, their rollouts, and the steps of those. Lists carry no bodies; what the mode hides is null, and named."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.errors import Refused
from annotations.api.filters import BIGGEST_KEY, StepFilter, TaskFilter, TrajectoryFilter
from annotations.api.labels import refused
from annotations.api.queue import AnnotationOut
from annotations.models import Step, Task, Trajectory, User
from annotations.services import assigning, visibility
from annotations.services.outcomes import Refusal
from annotations.services.visibility import Lens, Visible

Anything = serializers.JSONField
HIDDEN = "What of this the mode keeps from you: it is null here whatever it is."


class TaskOut(serializers.ModelSerializer):
    rollouts = serializers.IntegerField()

    class Meta:
        model = Task
        fields = ["id", "external_id", "source", "rollouts"]
        read_only_fields = fields


class TaskDetailOut(TaskOut):
    instruction = serializers.CharField()
    tools = Anything(allow_null=True)
    reference = serializers.SerializerMethodField(help_text="The ground truth.")
    hidden = serializers.SerializerMethodField(help_text=HIDDEN)

    class Meta(TaskOut.Meta):
        fields = [*TaskOut.Meta.fields, "instruction", "tools", "reference", "hidden"]
        read_only_fields = fields

    def get_reference(self, task: Task) -> Any:
        return task.reference if self._shown(task) else None

    def get_hidden(self, task: Task) -> list[str]:
        return [] if self._shown(task) else ["reference"]

    def _shown(self, task: Task) -> bool:
        return bool(self.context["lens"].reference_of(task.pk))


class Tasks(mixins.ListModelMixin, ProjectView):
    """The problems agents were given."""

    queryset = Task.objects.all()
    serializer_class = TaskOut
    filterset_class = TaskFilter
    lookup_value_converter = "int"

    def rows(self) -> QuerySet[Task]:
        live = Count("trajectories", filter=Q(trajectories__superseded_at__isnull=True))
        found = Task.objects.filter(project=self.project).annotate(rollouts=live)
        return found if self.action == "retrieve" else found.defer("instruction", "reference", "tools")

    @extend_schema(responses=TaskDetailOut)
    def retrieve(self, request: Request, slug: str, pk: int) -> Response:
        """A task with its instruction, tools and reference."""
        return Response(TaskDetailOut(self.get_object(), context={"lens": Lens(self.membership)}).data)


class StepOut(serializers.ModelSerializer):
    trajectory = serializers.IntegerField(source="trajectory_id")
    stable_id = serializers.CharField(help_text="The same for the same step of a re-imported trajectory.")
    tool_calls = serializers.SerializerMethodField(help_text="Each at least `id`, `name`, `arguments`, as found.")
    observations = serializers.SerializerMethodField(help_text="What answered the calls: tool messages, in order.")
    extra = serializers.SerializerMethodField(help_text="Fields of the original we do not know, if you may see them.")
    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]  # our word too

    class Meta:
        model = Step
        fields = [
            "id",
            "trajectory",
            "index",
            "source",
            "source_index",
            "stable_id",
            "message",
            "reasoning",
            "tool_calls",
            "observations",
            "extra",
            "parent",
        ]
        read_only_fields = fields

    def get_tool_calls(self, step: Step) -> list[Any]:
        return self._known(step.tool_calls, {"id", "name", "arguments"})

    def get_observations(self, step: Step) -> list[Any]:
        return self._known(step.observations, {"role", "name", "content", "tool_call_id"})

    def _known(self, found: list[Any], keys: set[str]) -> list[Any]:
        """Without the keys we do not know, where those may not be seen: a file may keep its verdicts there."""
        if self.context["extra"]:
            return found
        return [{key: one[key] for key in one if key in keys} if isinstance(one, dict) else one for one in found]

    def get_extra(self, step: Step) -> Any:
        return step.extra if self.context["extra"] else None


class Steps(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Steps with their bodies, in the order of their trajectories. Only the agent's are labelled."""

    queryset = Step.objects.all()
    serializer_class = StepOut
    filterset_class = StepFilter
    lookup_value_converter = "int"

    def rows(self) -> QuerySet[Step]:
        # The key orders as trajectory and index do: steps are written once, in order.
        return visibility.steps_visible_to(self.membership, Step.objects.filter(trajectory__project=self.project))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "extra": self.may(access.SEE_OTHERS_LABELS)}


class TrajectoryOut(serializers.ModelSerializer):
    task = serializers.IntegerField(source="task_id")
    task_external_id = serializers.CharField(source="task.external_id")
    source = serializers.CharField(source="task.source")  # type: ignore[assignment]  # our word, not the base class's
    steps = serializers.IntegerField(source="agent_steps", help_text="How many of the agent's.")

    class Meta:
        model = Trajectory
        fields = [
            "id",
            "external_id",
            "task",
            "task_external_id",
            "source",
            "rollout",
            "version",
            "policy_model",
            "format",
            "steps",
            "created_at",
            "superseded_at",
        ]
        read_only_fields = fields


class TrajectoryDetailOut(TrajectoryOut):
    instruction = serializers.CharField(source="task.instruction")
    tools = Anything(source="task.tools", allow_null=True)
    meta = serializers.DictField(help_text="The identifying numbers of the original record.")
    reference = serializers.SerializerMethodField(help_text="The task's ground truth.")
    outcome = serializers.SerializerMethodField(help_text="What the file says came of it.")
    extra = serializers.SerializerMethodField(help_text="Fields of the original we do not know.")
    hidden = serializers.SerializerMethodField(help_text=HIDDEN)
    bodies = serializers.SerializerMethodField(help_text="Its steps, with `?steps=true`; else null.")

    class Meta(TrajectoryOut.Meta):
        fields = [
            *TrajectoryOut.Meta.fields,
            "instruction",
            "tools",
            "meta",
            "reference",
            "outcome",
            "extra",
            "hidden",
            "bodies",
        ]
        read_only_fields = fields

    @property
    def _visible(self) -> Visible:
        visible: Visible = self.context["visible"]
        return visible

    def get_reference(self, trajectory: Trajectory) -> Any:
        return trajectory.task.reference if self._visible.reference else None

    def get_outcome(self, trajectory: Trajectory) -> Any:
        return trajectory.outcome if self._visible.outcome else None

    def get_extra(self, trajectory: Trajectory) -> Any:
        return trajectory.extra if self._visible.extra else None

    def get_hidden(self, trajectory: Trajectory) -> list[str]:
        return [name for name in ("reference", "outcome", "extra") if not getattr(self._visible, name)]

    @extend_schema_field(StepOut(many=True, allow_null=True))
    def get_bodies(self, trajectory: Trajectory) -> Any:
        shown = self.context["steps"]
        return (
            None
            if shown is None
            else StepOut(shown.filter(trajectory=trajectory), many=True, context=self.context).data
        )


class AssignIn(serializers.Serializer):
    to = serializers.CharField(max_length=150, help_text="The user name of a member who labels.")
    instead_of = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=BIGGEST_KEY,
        help_text="The id of an open pass whose seat they take.",
    )
    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class Trajectories(mixins.ListModelMixin, ProjectView):
    """The newest version of each rollout."""

    queryset = Trajectory.objects.all()
    serializer_class = TrajectoryOut
    filterset_class = TrajectoryFilter
    lookup_value_converter = "int"
    roles = {"assign": access.MANAGE}
    also = {"assign": (409,)}

    def rows(self) -> QuerySet[Trajectory]:
        own = (
            Trajectory.objects.filter(project=self.project)
            .select_related("task")
            .annotate(agent_steps=self._agent_steps())
        )
        if self.action == "retrieve":
            return own
        return own.live().defer("outcome", "extra", "meta", "task__instruction", "task__reference", "task__tools")

    @extend_schema(
        parameters=[OpenApiParameter("steps", bool, description="Send the steps too, with their bodies.")],
        responses=TrajectoryDetailOut,
    )
    def retrieve(self, request: Request, slug: str, pk: int) -> Response:
        """A trajectory of any version, with its task."""
        found = self.get_object()
        visible = visibility.of(self.membership, found)
        readable = visibility.steps_visible_to(self.membership, Step.objects.all())
        context = {"visible": visible, "extra": visible.extra, "steps": readable if self._wants_steps() else None}
        return Response(TrajectoryDetailOut(found, context=context).data)

    @extend_schema(request=AssignIn, responses={200: AnnotationOut})
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, slug: str, pk: int) -> Response:
        """Give it to somebody: a pass of theirs is leased for a day, and is what they get next. 409 says why not: no
        seat is free, they have submitted it, they do not label here."""
        data = self.taken(AssignIn)
        to = User.objects.filter(username=data.pop("to"), is_active=True).first()
        if to is None:
            raise Refused("Nobody here is called that.", "to", assigning.labellers(self.project))
        try:
            given = assigning.give(pk, to, self.person, **data, slug=slug)
        except Refusal as no:
            raise refused(no) from no
        return Response(AnnotationOut(given, context=self.get_serializer_context()).data)

    def _wants_steps(self) -> bool:
        asked = self.request.query_params.get("steps", "false").lower()
        if asked not in {"true", "false"}:
            raise Refused(f"{asked!r} is neither true nor false.", "steps", ["true", "false"])
        return asked == "true"

    def _agent_steps(self) -> Coalesce:
        agent = Step.objects.of_agent().filter(trajectory=OuterRef("pk"))
        steps = visibility.steps_visible_to(self.membership, agent).order_by().values("trajectory")
        return Coalesce(Subquery(steps.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
