"""What every page needs of its request: who may see what of the navigation. No queries."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.db.models import TextChoices
from django.urls import reverse

from annotations import access, segmenting
from annotations.models import Membership, Project, Rater, Run

register = template.Library()


class Tab(NamedTuple):
    title: str
    url: str
    here: bool


JUDGES = (
    *("judge", "judge_new", "judge_budget", "judge_probes", "judge_probe", "judge_why", "judge_corrections"),
    *("leaderboard", "leaderboard_report", "leaderboard_judge", "leaderboard_steps"),
)
CONSENSUS = ("consensus", "consensus_report", "consensus_adopt")
SCHEME = (
    *("scheme_edit", "scheme_version", "scheme_force"),
    *("rubrics", "rubric", "rubrics_write", "rubrics_waiting"),
)
# (title, URL name, the roles that see it, the URL names under it)
TABS: tuple[tuple[str, str, set, tuple[str, ...]], ...] = (
    ("Overview", "project", access.SEE, ()),
    ("Label", "label_next", access.LABEL, ("annotate", "training", "training_feedback")),
    ("Trajectories", "trajectories", access.SEE, ("trajectory", "compare", "paths", "search")),
    ("Adjudicate", "adjudicate", access.SEE_OTHERS_LABELS, ("adjudicate_one",)),
    ("Questions", "questions", access.SEE_OTHERS_LABELS, ("thread",)),
    ("Import", "imports", access.MANAGE, ("traces",)),
    ("Scores", "scores", access.SEE_OTHERS_LABELS, ("queue",)),
    ("Judges", "judges", access.SEE_OTHERS_LABELS, JUDGES),
    ("Pace", "pace", access.LABEL, ("pace_rows", "quality", "gold")),
    ("Agreement", "agreement", access.SEE_OTHERS_LABELS, ("report", *CONSENSUS)),
    ("Insight", "insight", access.SEE_OTHERS_LABELS, ("insight_report",)),
    ("Exports", "exports", access.TAKE_DATA, ()),
    ("Runs", "runs", access.SEE_OTHERS_LABELS, ("run",)),
    ("Scheme", "scheme", access.SEE, SCHEME),
    ("Guidelines", "guidelines", access.SEE, ("guideline",)),
    ("Members", "members", access.MANAGE, ()),
    ("Settings", "settings", access.MANAGE, ()),
)


@register.simple_tag(takes_context=True)
def project_tabs(context: dict[str, Any]) -> list[Tab]:
    """The pages of the project that the member may open."""
    request = context["request"]
    slug = context["project"].slug
    here = request.resolver_match.url_name if request.resolver_match else ""
    return [
        Tab(title, reverse(name, args=[slug]), here in (name, *under))
        for title, name, roles, under in TABS
        if access.may(request.membership, roles)
    ]


@register.filter
def may(membership: Membership, deed: str) -> bool:
    """Whether the member's role is in that set of access.py, by name: {% if request.membership|may:"MANAGE" %}."""
    return access.may(membership, getattr(access, deed))


@register.filter
def thousands(number: int | None) -> str:
    """12 345: digits in groups, with a narrow space that does not break."""
    return "" if number is None else f"{number:,}".replace(",", "\u202f")


@register.filter
def micro(millionths: int | None) -> str:
    """An amount of money that is kept in millionths: two digits, more where it is less than one of them."""
    if millionths is None:
        return ""
    amount = millionths / 1_000_000
    return f"{amount:,.2f}" if amount >= 1 or not millionths else f"{amount:.4f}"


@register.filter
def rate(per_second: float | None) -> str:
    if per_second is None:
        return "—"
    return f"{thousands(round(per_second))}/s" if per_second >= 10 else f"{per_second:.2g}/s"


@register.filter
def duration(seconds: float | None) -> str:
    """A span for people: 45 s, 12 min, 3 h 05 min."""
    if seconds is None:
        return "—"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


@register.filter
def spent(milliseconds: int | None) -> str:
    """How long somebody worked; a dash where no time was told, as with labels that were imported."""
    return duration(milliseconds / 1000 if milliseconds else None)


@register.filter
def what(run: Run) -> str:
    """What the run was asked for, in a few words."""
    asked = run.config
    said = {
        Run.Kind.IMPORT: [
            _of_hub(asked["hub"]) if asked.get("hub") else ", ".join(asked.get("names") or []),
            f"labels of {asked['rater']}" if asked.get("rater") else "",
            f"a step is a {way.lower()}" if (way := segmenting.TITLES.get(asked.get("segmentation", ""), "")) else "",
        ],
        Run.Kind.SCORE: [str(asked.get("scorer") or ""), f"a try on {asked['limit']}" if asked.get("limit") else ""],
        Run.Kind.AGREEMENT: [f"against {_name(asked['reference'])}" if asked.get("reference") else "no reference"]
        + (["released arithmetic"] if asked.get("official") else []),
        Run.Kind.LEADERBOARD: [f"against {_name(asked.get('reference') or '')}"]
        + (["released arithmetic"] if asked.get("official") else []),
        Run.Kind.JUDGE: [str(asked.get("name") or ""), f"a try on {asked['limit']}" if asked.get("limit") else ""],
        Run.Kind.INSIGHT: [f"labels of {_name(asked.get('rater') or '')}"],
        Run.Kind.RUBRICS: [str(asked.get("name") or "")],
        Run.Kind.MEANINGS: ["for steps that mean alike"],
        Run.Kind.CONSENSUS: [str(asked.get("field") or "")],
        Run.Kind.ADOPT: [str(asked.get("method") or ""), f"of report {asked.get('report')}"],
        Run.Kind.PROBE: [str(asked.get("name") or ""), f"{asked.get('tasks')} tasks"],
        Run.Kind.EXPORT: [
            str(asked.get("format") or ""),
            f"labels of {_name(asked['rater'])}" if asked.get("rater") else "",
            f"as {asked['as_scheme']}" if asked.get("as_scheme") else "",
        ],
        Run.Kind.SCHEME: [f"to version {asked.get('version')}"],
        Run.Kind.PUSH: [f"export {asked.get('export')} to {asked.get('to')}"],
        Run.Kind.QUEUE: [_title_of(Project.Queue, asked.get("policy")), str(asked.get("scorer") or "")],
        Run.Kind.CALIBRATE: [str(asked.get("scorer") or ""), str(asked.get("method") or "")],
        Run.Kind.TRAIN: ["embedded", str(asked.get("because") or "")],
    }
    return " · ".join(part for part in said[Run.Kind(run.kind)] if part)


def _title_of(choices: type[TextChoices], value: Any) -> str:
    return str(dict(choices.choices).get(value, ""))


def _of_hub(asked: dict[str, Any]) -> str:
    """The dataset and what its revision was."""
    at = asked.get("commit", "")[:10] or asked.get("revision", "")
    return " ".join(filter(None, (asked["name"], asked.get("only", ""), f"at {at}" if at else "")))


def _name(rater: str) -> str:
    """The name in "kind:name"."""
    kind, _, name = rater.partition(":")
    return name if kind in Rater.Kind.values else rater


@register.filter
def counts(run: Run) -> list[tuple[str, int]]:
    """The numbers of an import's result, lists as their lengths."""
    names = (
        "created",
        "updated",
        "unchanged",
        "skipped",
        "rejected",
        "tasks",
        "steps",
        "annotations",
        "labels",
        "failed",
        "unmatched",
    )
    found = [(name, run.result.get(name)) for name in names]
    more = run.result.get("rejected_more", 0)
    sizes = [(name, len(value) if isinstance(value, list) else value) for name, value in found if value is not None]
    return [(name, size + more if name == "rejected" else size) for name, size in sizes]


@register.filter
def said(value: Any) -> str:
    """A plain value with its sign: +1, 0, −1."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"+{value}" if value > 0 else f"−{-value}" if value < 0 else "0"
    return "" if value is None else str(value)


@register.filter
def percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f}"


@register.filter
def figure(value: float | None) -> str:
    """A coefficient to three places, with a true minus."""
    return "—" if value is None else f"{value:.3f}".replace("-", "−")


@register.filter
def fraction(value: float | None) -> str:
    """A number in 0..1 to two places; far cheaper than floatformat where there are many."""
    return "" if value is None else f"{value:.2f}"


@register.filter
def signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}".replace("-", "−")
