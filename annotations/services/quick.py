"""Writing without waiting: for what runs at every key press, where each wait for PostgreSQL counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from django.db import connection, models


class Computed(NamedTuple):
    """A value that PostgreSQL works out."""

    sql: str
    params: tuple[Any, ...]


Row = tuple[models.Model, Mapping[str, Computed]]  # a row, and the columns of it that are computed


@contextmanager
def in_one_go() -> Iterator[None]:
    """Send the statements inside without waiting for each one's answer.

    What fails is raised at the end as a django.db.Error. An answer read inside costs the wait that this saves.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def insert(rows: Sequence[Row], *, unless_there: bool = False) -> None:
    """Insert rows of one model. Unlike the ORM it does not ask for their ids, so that nothing waits for them."""
    if not rows:
        return
    fields, statement = _insertion(type(rows[0][0]))
    texts, params = [], []
    for row, computed in rows:
        values = [computed.get(field.attname) or _plain(field, row) for field in fields]
        texts.append(f"({', '.join(value.sql for value in values)})")
        params += [param for value in values for param in value.params]
    ending = " ON CONFLICT DO NOTHING" if unless_there else ""
    with connection.cursor() as cursor:
        cursor.execute(statement + ", ".join(texts) + ending, params)


@cache
def _insertion(model: type[models.Model]) -> tuple[list[models.Field[Any, Any]], str]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    return fields, f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) VALUES "


def _plain(field: models.Field[Any, Any], row: models.Model) -> Computed:
    return Computed("%s", (field.get_db_prep_save(field.pre_save(row, True), connection),))
