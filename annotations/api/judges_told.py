"""What is said of judges, and what is sent to make one and to begin to ask it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from pydantic import ValidationError
from rest_framework import serializers

from annotations.api.beginning import CostOut
from annotations.api.errors import Refused, problem, together
from annotations.judges import prompts
from annotations.judges.prompts import BadPrompt
from annotations.judges.settings import Settings, problems
from annotations.models import Judge, JudgeBudget, JudgeCall
from annotations.services import judge_servers, judge_starts
from annotations.services.judge_probes_gate import Standing


class SignedOut(serializers.Serializer):
    by = serializers.CharField(source="signed_by.username")
    at = serializers.DateTimeField(source="signed_at")
    reason = serializers.CharField()
    report = serializers.IntegerField(source="report_id", allow_null=True, help_text="What was known then.")


class GateOut(serializers.Serializer):
    """Whether a judge's labels may go out."""

    rater = serializers.CharField(source="rater.name")
    state = serializers.SerializerMethodField(help_text="open, signed (a manager has signed for it), or barred.")
    reason = serializers.CharField(help_text="What speaks against its labels; empty where nothing does.")
    above = serializers.ListField(child=serializers.CharField(), help_text="The limits that it is convicted by.")
    report = serializers.IntegerField(allow_null=True, help_text="Its newest report of probes; null: never probed.")
    signed = SignedOut(source="leave", allow_null=True)

    def get_state(self, one: Standing) -> str:
        return "barred" if one.is_barred else "signed" if one.reason else "open"


class GateVerdictsOut(GateOut):
    verdicts = serializers.ListField(
        child=serializers.DictField(),
        help_text="Of each limit the verdict of the newest report that looked at it: the limit, how the judge stands "
        "(within, above, not_enough), the figures.",
    )


class JudgeOut(serializers.ModelSerializer):
    rater = serializers.CharField(source="rater.name", help_text="Whose labels its labels are.")
    server = serializers.CharField(source="server.name")
    guideline = serializers.IntegerField(source="guideline.version", allow_null=True)
    reading = serializers.CharField(source="settings.reading", help_text="whole, or prefix: without hindsight.")
    sight = serializers.CharField(source="settings.sight", help_text="blind, or reference.")
    method = serializers.CharField(source="settings.method")
    made_by = serializers.CharField(source="made_by.username", allow_null=True)
    gate = serializers.SerializerMethodField()

    class Meta:
        model = Judge
        fields = [
            "id",
            "name",
            "version",
            "rater",
            "server",
            "model",
            "prompt_name",
            "guideline",
            "reading",
            "sight",
            "method",
            "made_by",
            "made_at",
            "retired_at",
            "gate",
        ]
        read_only_fields = fields

    @extend_schema_field(GateOut)
    def get_gate(self, judge: Judge) -> Any:
        return GateOut(self.context["gates"][judge.rater_id]).data


class SaidOut(serializers.Serializer):
    """What a version has said, and what that has cost."""

    labelled = serializers.IntegerField(help_text="Trajectories.")
    failed = serializers.IntegerField(help_text="Trajectories of which it has said nothing.")
    calls = serializers.IntegerField()
    tokens = serializers.IntegerField()
    cost_micro = serializers.IntegerField(help_text="What is known of it, in millionths of the currency.")
    unpriced = serializers.IntegerField(help_text="Answers whose cost is not known.")


class JudgeWholeOut(JudgeOut):
    settings = serializers.DictField()
    so_far = serializers.SerializerMethodField()

    class Meta(JudgeOut.Meta):
        fields = [*JudgeOut.Meta.fields, "prompt", "settings", "so_far"]
        read_only_fields = fields

    @extend_schema_field(SaidOut)
    def get_so_far(self, judge: Judge) -> Any:
        return SaidOut(self.context["standing"](judge)).data


class JudgeIn(serializers.Serializer):
    name = serializers.SlugField(max_length=60, help_text="The same name again makes its next version.")
    server = serializers.CharField(max_length=60, help_text="A server of judges, by name.")
    model = serializers.CharField(max_length=200, help_text="As the server calls it.")
    prompt = serializers.CharField(
        max_length=prompts.LONGEST,
        trim_whitespace=False,
        required=False,
        default="",
        help_text="What the judge is told. Left out: the prompt of ours that fits the scheme best.",
    )
    guideline = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Fills {{guideline}}: a version of the guidelines."
    )
    settings = serializers.DictField(
        required=False, default=dict, help_text="reading, sight, method, answer, samples, temperature, …"
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        project = self.context["view"].project
        servers = {one.name: one for one in judge_servers.there()}
        if data["server"] not in servers:
            raise Refused(f"No server of judges is called {data['server']!r}.", "server", sorted(servers))
        versions = {one.version: one for one in project.guidelines.all()}
        if data["guideline"] is not None and data["guideline"] not in versions:
            raise Refused(f"The guidelines have no version {data['guideline']}.", "guideline", sorted(versions))
        return data | {
            "server": servers[data["server"]],
            "guideline": versions.get(data["guideline"]),
            "prompt": self._prompt(data["prompt"]),
            "settings": self._settings(data["settings"]),
        }

    def _prompt(self, text: str) -> str:
        if not text:
            fitting = prompts.fitting(self.context["scheme"]())
            if not fitting:
                raise Refused("No prompt of ours fits the scheme; write one.", "prompt", "a text")
            return fitting[0].text
        try:
            prompts.parse(text)
        except BadPrompt as no:
            raise Refused(str(no), "prompt", [f"{{{{{name}}}}}" for name in prompts.PLACES]) from no
        return text

    def _settings(self, said: dict[str, Any]) -> Settings:
        try:
            return Settings.model_validate(said)
        except ValidationError as no:
            found = [problem(words, f"settings.{place}", _accepted(place)) for place, words in problems(no)]
            raise Refused(**together(found)) from no


def _accepted(place: str) -> Any:
    """What a setting takes, as far as its own schema says it; of a name that is none, the names."""
    properties = Settings.model_json_schema()["properties"]
    return properties.get(place.partition(".")[0], sorted(properties))


class AskIn(serializers.Serializer):
    what = serializers.ChoiceField(
        choices=list(judge_starts.WHAT.items()), help_text="What it is asked about; a try begins at once."
    )
    again = serializers.BooleanField(
        required=False, default=False, help_text="Also what it has labelled already; those labels are then retired."
    )
    estimate = serializers.BooleanField(
        required=False, default=False, help_text="Only say what that would take; nothing begins."
    )
    sure = serializers.BooleanField(
        required=False, default=False, help_text="You know what it takes. Without it all but a try is refused (409)."
    )


class JudgeEstimateOut(serializers.Serializer):
    trajectories = serializers.IntegerField()
    steps = serializers.IntegerField()
    calls = serializers.IntegerField(help_text="About.")
    prompt_tokens = serializers.IntegerField(help_text="About.")
    completion_tokens = serializers.IntegerField(help_text="About.")
    cost = CostOut(allow_null=True, help_text="About; null where no price of the model is listed.")
    seconds = serializers.FloatField(allow_null=True, help_text="Null where its server has answered nothing here yet.")
    left_micro = serializers.IntegerField(allow_null=True, help_text="What the budget has left; null: there is none.")
    is_held = serializers.BooleanField(help_text="Whether the budget is likely to hold it.")


class LookIn(serializers.Serializer):
    trajectory = serializers.CharField(
        max_length=500,
        required=False,
        default="",
        allow_blank=True,
        help_text="Its id or its name. Left out: the first that the judge would be asked about.",
    )
    question = serializers.IntegerField(
        min_value=1, max_value=10**6, required=False, default=1, help_text="Which of the questions, from 1."
    )


class PreviewOut(serializers.Serializer):
    """What a judge would be sent about a trajectory: as many questions as can be known before an answer, one of them
    word for word."""

    trajectory = serializers.IntegerField(source="trajectory.pk")
    nothing = serializers.CharField(source="preview.nothing", help_text="Why nothing would be asked; else empty.")
    questions = serializers.IntegerField(source="preview.different", help_text="Different ones.")
    calls = serializers.IntegerField(source="preview.times", help_text="These, each as often as it is asked.")
    is_whole = serializers.BooleanField(
        source="preview.is_whole", help_text="False where only the first are here, all being too much to look at."
    )
    later = serializers.BooleanField(source="preview.later", help_text="Whether more follows that hangs on answers.")
    number = serializers.IntegerField(help_text="Which question this is.")
    purpose = serializers.CharField(source="question.purpose", allow_null=True)
    steps = serializers.ListField(child=serializers.IntegerField(), source="question.steps", allow_null=True)
    characters = serializers.IntegerField(source="question.characters", allow_null=True)
    tokens = serializers.IntegerField(source="question.tokens", allow_null=True, help_text="About.")
    most_micro = serializers.IntegerField(
        source="most", allow_null=True, help_text="The most that this question may cost; null: no price is known."
    )
    body = serializers.DictField(source="question.body", allow_null=True, help_text="The request as it would go out.")
    estimate = JudgeEstimateOut(allow_null=True, help_text="All that asking about this trajectory takes.")


class BudgetOut(serializers.ModelSerializer):
    """In millionths of the currency."""

    left_micro = serializers.IntegerField()
    changed_by = serializers.CharField(source="changed_by.username", allow_null=True)

    class Meta:
        model = JudgeBudget
        fields = ["currency", "limit_micro", "spent_micro", "reserved_micro", "left_micro", "changed_by", "changed_at"]
        read_only_fields = fields


class BudgetIn(serializers.Serializer):
    limit_micro = serializers.IntegerField(
        min_value=0, max_value=10**16, help_text="In all, what is spent already included; in millionths."
    )
    currency = serializers.RegexField(r"^[A-Z]{3}$", help_text="As the servers' price lists have it, as USD.")


class CallOut(serializers.ModelSerializer):
    """One question to a server. What it asked and what was said is in the call itself, not in the list."""

    server = serializers.CharField(source="server.name")

    class Meta:
        model = JudgeCall
        fields = [
            "id",
            "run",
            "judge",
            "trajectory",
            "server",
            "model",
            "served_model",
            "purpose",
            "state",
            "error",
            "rung",
            "finish",
            "attempts",
            "prompt_tokens",
            "cached_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "reserved_micro",
            "cost_micro",
            "price_version",
            "latency_ms",
            "asked_at",
            "answered_at",
        ]
        read_only_fields = fields


class CallWholeOut(CallOut):
    question = serializers.JSONField(help_text="Messages, schema and sampling, as they were sent.")

    class Meta(CallOut.Meta):
        fields = [*CallOut.Meta.fields, "question", "answer", "detail"]
        read_only_fields = fields
