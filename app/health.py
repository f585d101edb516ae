"""Whether this process can do its work: for load balancers and for people, with nothing secret in it."""

from __future__ import annotations

import functools

from celery import current_app
from django.apps import apps
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 if the database answers and has all tables, and the broker can be reached; else 503. `workers` is how many
    said they live in the last seconds; none is no failure of the web server."""
    found: dict[str, str | int] = {"database": _database(), "broker": _broker()}
    healthy = set(found.values()) == {"ok"}
    if found["database"] == "ok":
        found["workers"] = apps.get_model("annotations.WorkerBeat").alive().count()
    return JsonResponse(found, status=200 if healthy else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok" if _has_all_tables() else "migrations missing"
    except DatabaseError:
        return "unreachable"


class _Behind(Exception):
    pass


def _has_all_tables() -> bool:
    try:
        _once_up_to_date()
    except _Behind:
        return False
    return True


@functools.cache
def _once_up_to_date() -> None:
    """Raises until it is so; then it stays so for the code that this process runs."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _Behind


def _broker() -> str:
    with current_app.connection_for_write() as broker:
        try:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except (*broker.connection_errors, OSError):
            return "unreachable"
    return "ok"
