"""Agreement: asking for a report, and reading one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access, jobs
from annotations.access import Request
from annotations.forms import AgreementForm
from annotations.models import Project, Report, Run
from annotations.services import agreement_live, agreement_words
from annotations.services.agreement_words import WITHOUT
from annotations.views.runs import progress_rows

OVERALL = (
    ("alpha_ordinal", "Krippendorff’s α, ordinal"),
    ("alpha_nominal", "Krippendorff’s α, nominal"),
    ("fleiss_kappa", "Fleiss’ κ"),
    ("ac1", "Gwet’s AC1"),
    ("percent", "Pairwise agreement"),
)
MORE = (
    ("alpha_interval", "Krippendorff’s α, interval"),
    ("conger_kappa", "Conger’s κ"),
    ("brennan_prediger", "Brennan–Prediger"),
    ("ac2_linear", "Gwet’s AC2, linear"),
    ("ac2_quadratic", "Gwet’s AC2, quadratic"),
)
AGAINST = (
    ("step_acc", "StepAcc"),
    ("first_err_acc", "FirstErrAcc"),
    ("macro_f1", "Macro F1"),
    ("kappa", "Cohen’s κ"),
    ("coverage", "Coverage"),
)

FEW_PAIRS = 15
FOLDED = {"pairs": "agreement/_pairs.html", "confusion": "agreement/_confusions.html"}  # fetched when they are opened
LIST = "agreement/list.html"
GROUPS = (("all", "All raters"), ("people", "People"), ("by_hand", "Not propagated"), ("unaided", "Nor accepted"))
CHOICES = {"by_hand": "Without propagated", "unaided": "Without propagated and accepted"}


@login_required
@require_http_methods(["GET", "POST"])
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    if request.htmx:
        return render(request, f"{LIST}#now", _now(project))
    form = AgreementForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        config = {"reference": asked["reference"], "official": bool(asked["official"])}
        run = jobs.start(Run.Kind.AGREEMENT, project, request.user, **config)
        return redirect("run", slug, run.pk)
    reports = list(Report.objects.filter(project=project, kind="agreement").order_by("-id")[:30])
    for one in reports:
        one.alpha = agreement_words.alpha(one.result)  # type: ignore[attr-defined]
    runs = Run.objects.filter(project=project, kind=Run.Kind.AGREEMENT).exclude(state=Run.State.DONE)
    context = {
        "project": project,
        "form": form,
        "reports": reports,
        "rows": progress_rows(runs.listed()[:5]),
        **_now(project),
    }
    return render(request, LIST, context, status=422 if form.errors else 200)


def _now(project: Project) -> dict[str, Any]:
    """Agreement as it stands now."""
    found = agreement_live.now(project)
    parts = (("main", "", "Steps"), ("final", "The verdict on the whole trajectory", "Trajectories"))
    return {
        "project": project,
        "now": found,
        "idle": found.waiting and not jobs.is_served(Run.Kind.AGREEMENT),
        "sections": [
            _section(found.figures[name], title, unit) for name, title, unit in parts if found.figures.get(name)
        ],
    }


def _section(said: dict[str, Any], title: str, unit: str) -> dict[str, Any]:
    """One field's figures, a row a measure and a column a group of raters or labels."""
    groups = [(name, heading) for name, heading in GROUPS if said.get(name)]
    first, more = (
        [(heading, [said[group]["figures"][name] for group, _ in groups]) for name, heading in names]
        for names in (OVERALL, MORE)
    )
    pairs = [pair for pair in said["pairs"] if pair["n"]]
    return {
        "title": title,
        "unit": unit,
        "headings": [heading for _, heading in groups],
        "measures": ((first, ""), (more, f"{len(more)} more coefficients")),
        "reasons": _reasons(figure for _, row in first for figure in row),
        "pairs": pairs,
    }


def _reasons(figures: Iterable[dict[str, Any]]) -> list[str]:
    """Why figures are not known, each reason once."""
    return list(dict.fromkeys(one["reason"] for one in figures if one["value"] is None and one["reason"]))


@login_required
@require_GET
def report(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    reports = Report.objects.filter(project=project, kind="agreement").select_related("run__created_by")
    found = get_object_or_404(reports, pk=pk)
    result = found.result
    choices = agreement_words.can_go_without(result)
    without = next((key for key in choices if key in request.GET), "")
    section = result
    if without:
        section = result.get(WITHOUT[without]) or result.get("without_propagated") or result
    pairs = section.get("pairs") or []
    fields = list(agreement_words.rows(result, without))
    baselines = section.get("baselines") or {}
    context = {
        "project": project,
        "report": found,
        "result": result,
        "without": without,
        "choices": [(key, CHOICES[key]) for key in choices],
        "fields": fields,
        "with_people": any(one["people"] not in (None, one["figure"]) for row in fields for one in row["figures"]),
        "sha256": found.inputs.get("sha256" if result["values"] else "fields_sha256"),
        "quiet": result["counts"]["tasks"] == 1,  # why there is no interval is said once
        "overall": _overall(section),
        "people": _overall(result["people"]) if result.get("people") and not without else None,
        "raters": sorted(_against(section.get("raters") or {}), key=lambda row: (-row["rank"], row["name"])),
        "baselines": _against({one: baselines[one] for one in result["values"] if one in baselines}),
        "pairs": pairs,
        "pairs_title": f"{len(pairs)} pair{'s' * (len(pairs) != 1)} of raters",
        "few_pairs": len(pairs) <= FEW_PAIRS,
        "finals": _finals(result.get("final") if not without else None),
        "columns": [title for _, title in AGAINST],
    }
    return render(request, FOLDED.get(request.GET.get("part", ""), "agreement/report.html"), context)


def _overall(section: dict[str, Any]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """What is shown at once, and what on request. Reports of before have fewer."""
    return {
        place: [(title, section["figures"][name]) for name, title in names if name in section["figures"]]
        for place, names in (("first", OVERALL), ("more", MORE))
    }


def _against(raters: dict[str, Any]) -> list[dict[str, Any]]:
    """A row per rater: the figures in the order of AGAINST, then recall of each value."""
    return [
        {
            "name": name,
            "rank": one.get("step_acc") or 0,
            "title": one.get("title") or name,
            "kind": one.get("kind", ""),
            "figures": [one["figures"].get(key) for key, _ in AGAINST],
            "recall": one["figures"].get("recall") or [],
            "failed": one.get("failed"),
            "missing": one.get("missing"),
            "confusion": one.get("confusion"),
        }
        for name, one in raters.items()
    ]


def _finals(final: dict[str, Any] | None) -> dict[str, Any] | None:
    """The verdicts on whole trajectories, in the same form."""
    if final is None:
        return None
    raters = [
        {
            "name": name,
            "figures": [one["figures"].get(key) for key in ("accuracy", "kappa", "coverage")],
            "confusion": one.get("confusion"),
        }
        for name, one in sorted((final.get("raters") or {}).items(), key=lambda item: -(item[1].get("accuracy") or 0))
    ]
    return {"overall": _overall(final), "raters": raters}
