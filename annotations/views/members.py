"""Who works on a project."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import AccountForm, MemberForm, RoleForm
from annotations.models import Membership, Project
from annotations.services import members
from annotations.services.members import MemberRefused

PAGE = "members/page.html"


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    return render(request, PAGE, _context(project))


@login_required
@require_POST
def add(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = MemberForm(request.POST)
    if form.is_valid():
        user, role = form.cleaned_data["username"], form.cleaned_data["role"]
        try:
            members.add(project, user, role, request.membership)
        except MemberRefused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, f"{user.username} is in.")
            return redirect("members", slug)
    return render(request, PAGE, _context(project, add_form=form), status=422)


@login_required
@require_POST
@never_cache
def make_account(request: Request, slug: str) -> HttpResponse:
    """The answer itself carries the password: it is kept nowhere, so no redirect."""
    project = access.project_for(request, slug, access.MANAGE)
    form = AccountForm(request.POST, auto_id="account_%s")
    if form.is_valid():
        name, role = form.cleaned_data["username"], form.cleaned_data["role"]
        try:
            user, password = members.make_account(project, name, role, request.membership)
        except MemberRefused as no:
            form.add_error(None, str(no))
        else:
            return render(request, PAGE, _context(project, new_user=user, password=password))
    return render(request, PAGE, _context(project, account_form=form), status=422)


@login_required
@require_POST
def change(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    member = get_object_or_404(project.memberships.select_related("user"), pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        _tell(request, member, members.change_role, form.cleaned_data["role"], request.membership)
    return redirect("members", slug)


@login_required
@require_POST
def remove(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    member = get_object_or_404(project.memberships.select_related("user"), pk=pk)
    _tell(request, member, members.remove, request.membership)
    gone = member.pk is None and member.user_id == request.user.pk
    return redirect("home") if gone else redirect("members", slug)


def _tell(request: Request, member: Membership, deed: Any, *args: Any) -> None:
    """Do it, and say what came of it."""
    try:
        freed = deed(member, *args)
    except MemberRefused as no:
        messages.error(request, str(no))
    else:
        now = f"is {member.get_role_display().lower()} now" if member.pk else "is no longer a member; their labels stay"
        seats = f" {freed} {'item' if freed == 1 else 'items'} they held can go to others." if freed else ""
        messages.success(request, f"{member.user.username} {now}.{seats}")


def _context(project: Project, **more: Any) -> dict[str, Any]:
    rows = project.memberships.select_related("user").order_by("user__username")
    forms = {"add_form": MemberForm(), "account_form": AccountForm(auto_id="account_%s")}
    return {"project": project, "members": rows, "role_form": RoleForm(), **forms, **more}
