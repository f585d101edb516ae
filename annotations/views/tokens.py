"""A person's API tokens. A token is shown once, in the answer that makes it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.access import Request
from annotations.forms import TokenForm
from annotations.models import ApiToken


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def page(request: Request) -> HttpResponse:
    form, secret, status = TokenForm(request.POST or None, user=request.user), "", 200
    if request.method == "POST":
        if form.is_valid():
            _, secret = ApiToken.objects.create(user=request.user, **form.cleaned_data)
            form = TokenForm(user=request.user)
        else:
            status = 422
    tokens = ApiToken.objects.filter(user=request.user).select_related("project").order_by("-created")
    return render(request, "tokens/page.html", {"tokens": tokens, "form": form, "secret": secret}, status=status)


@login_required
@require_POST
def revoke(request: Request, token_key: str) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, token_key=token_key)
    token.delete()
    messages.success(request, f"{token.name} is revoked.")
    return redirect("tokens")
