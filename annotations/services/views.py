"""Views of the list of trajectories that somebody keeps under a name."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import QueryDict

from annotations.models import Event, Membership, Project, Role, SavedView, User
from annotations.services import filters
from annotations.services.outcomes import NotAccepted
from annotations.services.projects import scheme_of
from annotations.services.search import Search

NOT_KEPT = ("after", "before", "csrfmiddlewaretoken")  # a page of the list is no part of a view


def of(project: Project) -> list[SavedView]:
    return list(SavedView.objects.filter(project=project).select_related("by").order_by("name"))


def save(project: Project, by: User, name: str, query: str) -> SavedView:
    """Keep the list as that query shows it. NotAccepted where the name is empty or taken."""
    name = " ".join(name.split())
    if not name or len(name) > 80:
        raise NotAccepted("A view needs a name of 1 to 80 characters.", "name", ["a text"])
    asked = QueryDict(query, mutable=True)
    for one in NOT_KEPT:
        asked.pop(one, None)
    kept = asked.urlencode()
    if len(kept) > 2000:
        raise NotAccepted("These filters are too long to keep.", "query", ["2000 characters"])
    try:
        with transaction.atomic():
            made = SavedView.objects.create(project=project, name=name, query=kept, by=by)
    except IntegrityError:
        raise NotAccepted(f"There is a view called “{name}” already.", "name", ["another name"]) from None
    Event.objects.create(project=project, actor=by, verb="view.saved", after={"name": name, "query": kept})
    return made


def find(project: Project, name: str) -> SavedView:
    """The view of that name. NotAccepted says which there are."""
    if found := SavedView.objects.filter(project=project, name=name).select_related("by").first():
        return found
    raise NotAccepted(f"There is no view called “{name}”.", "view", [one.name for one in of(project)])


def shown(project: Project, name: str) -> QuerySet[Any, Any]:
    """The ids of the trajectories that the view shows now to who keeps it. NotAccepted where there is no such view."""
    view = find(project, name)
    asked = QueryDict(view.query)
    found, _ = filters.read(
        asked.dict(), scheme_of(project.scheme), sees_all=True, answers=asked.getlist(filters.ANSWER)
    )
    keeper = Membership(project=project, user=view.by, role=Role.MANAGER)
    return Search(keeper, found).sorted().values_list("id", flat=True)


@transaction.atomic
def remove(view: SavedView, by: User) -> None:
    """Forget the view. NotAccepted where the queue follows it."""
    locked = Project.objects.select_for_update(no_key=True).get(pk=view.project_id)
    if (locked.queue_policy, locked.queue_view) == (Project.Queue.VIEW, view.name):
        raise NotAccepted(f"The queue follows “{view.name}”: change what comes next first.", "view", [])
    Event.objects.create(
        project=view.project, actor=by, verb="view.removed", before={"name": view.name, "query": view.query}
    )
    view.delete()
