"""The servers that judges are asked at, for the deployment's administrator."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotations.access import Request
from annotations.formats.lines import dump
from annotations.judge_forms import PricesForm, ServerForm, refuse
from annotations.judges import servers
from annotations.models import JudgeServer
from annotations.services import judge_servers
from annotations.services.judge_servers import ServerRefused


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request) -> HttpResponse:
    _refuse_unless_administrator(request)
    form = ServerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = {name: value for name, value in form.cleaned_data.items() if name != "listed"}
        try:
            made = judge_servers.add(said.pop("name"), request.user, **said)
        except ServerRefused as no:
            refuse(form, no)
        else:
            messages.success(request, f"{made.title} is added. A judge’s first try says if it answers.")
            return redirect("judge_servers")
    context = {
        "form": form,
        "rows": [
            (one, dump(one.options), dump(one.prices) if one.prices else "", judge_servers.applied(one))
            for one in judge_servers.there()
        ],
        "listed": {name: one for name, one in servers.listed().items() if one.models},
    }
    return render(request, "judges/servers.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def prices(request: Request, pk: int) -> HttpResponse:
    """Another price list, for what is asked from now on."""
    _refuse_unless_administrator(request)
    server = _server(pk)
    form = PricesForm(request.POST)
    if form.is_valid():
        try:
            judge_servers.change_prices(server, request.user, form.cleaned_data["prices"])
        except ServerRefused as no:
            messages.error(request, f"Prices of {server.title}: {no}")
        else:
            messages.success(request, f"{server.title} has another price list.")
    else:
        messages.error(request, f"Prices of {server.title}: {form.errors['prices'][0]}")
    return redirect("judge_servers")


@login_required
@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    _refuse_unless_administrator(request)
    server = _server(pk)
    judge_servers.remove(server)
    messages.success(request, f"{server.title} is removed. What its judges said stays.")
    return redirect("judge_servers")


def _server(pk: int) -> JudgeServer:
    return get_object_or_404(JudgeServer, pk=pk, removed_at=None)


def _refuse_unless_administrator(request: Request) -> None:
    if not request.user.is_superuser:
        raise Http404
