"""Many rows at once: COPY into tables whose ids were reserved beforehand, so that rows can name each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

from annotations.models import Project


def lock(project: Project) -> None:
    """Hold the project against other imports until the transaction ends. It holds up nothing else: no row is locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"stepmark import {project.pk}"])


def reserve(model: type[models.Model], count: int) -> list[int]:
    """That many ids nobody else will get, ascending."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def counted(*tables: type[models.Model]) -> None:
    """Tell the planner how much there is now. Without it, what is asked right after an import is planned as if the
    tables were empty, and takes a hundred times as long."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f"ANALYZE {quote(model._meta.db_table)}")


def insert(model: type[models.Model], columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """COPY the rows in, inside the caller's transaction. `columns` are named with spaces between. Values go as
    PostgreSQL reads them: JSON columns as text."""
    quote = connection.ops.quote_name
    named = ", ".join(map(quote, columns.split()))
    statement = f"COPY {quote(model._meta.db_table)} ({named}) FROM STDIN"
    # COPY goes past Django's cursor, so its errors are made Django's here.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
