"""Import of trajectory files, from a file on disk to committed rows, against COPY of the very same rows.

Run: DATABASE_URL=… python -m bench.imports
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import common

if TYPE_CHECKING:
    from annotations.models import Project

LIMIT = "psycopg COPY (write_row) of the same task, trajectory, step, annotation and label rows, one transaction"
TABLES = ("task", "trajectory", "step", "annotation", "label")  # in the order they refer to each other
REPEATS = 3

Rows = dict[str, tuple[str, list[tuple[str | None, ...]]]]  # table → its columns, its rows as text


def main() -> None:
    common.django_up()
    rows = [row for size in common.SIZES for row in measured(size)]
    common.write("imports", rows, repeats=f"best of {REPEATS}, each into empty tables")


def measured(size: int) -> list[common.Row]:
    from annotations.services import projects

    project = projects.create(slug=f"import-{size}")
    first, again, limit = [], [], []
    with common.jsonl(size) as path:
        emptied()
        taken_in(project, path, created=size)
        rows = copied_out()
        for _ in range(REPEATS):  # side by side, so that both have the same weather
            emptied()
            first.append(common.timed(lambda: taken_in(project, path, created=size)))
            again.append(common.timed(lambda: taken_in(project, path, unchanged=size)))
            emptied()
            limit.append(common.timed(lambda: copied_in(rows)))
        megabytes = path.stat().st_size / 1e6
    counts = ", ".join(f"{len(those):,} {table} rows" for table, (_, those) in rows.items())
    note = f"{megabytes:.0f} MB, {megabytes / min(first):.0f} MB/s; {counts}"
    return [
        common.share_of("import", size, min(first), min(limit), LIMIT, 0.25, note=note),
        common.at_most("import again, nothing changed", size, min(again), min(first), "the first import", 1.0),
    ]


def taken_in(project: Project, path: Path, **expected: int) -> None:
    from annotations.services import imports

    result = imports.import_trajectories(project, [path])
    assert expected.items() <= result.items() and not result["rejected"], result


def emptied() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(f"annotations_{table}" for table in TABLES) + " CASCADE")
        cursor.execute("CHECKPOINT")


def copied_out() -> Rows:
    from django.db import connection

    rows: Rows = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [f"annotations_{table}"]
            )
            columns = [f'"{name}"' for (name,) in cursor.fetchall()]
            texts = ", ".join(f"{column}::text" for column in columns)
            cursor.execute(f"SELECT {texts} FROM annotations_{table} ORDER BY id")
            rows[table] = ", ".join(columns), cursor.fetchall()
    return rows


def copied_in(rows: Rows) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, (columns, those) in rows.items():
            with cursor.copy(f"COPY annotations_{table} ({columns}) FROM STDIN") as copy:
                for row in those:
                    copy.write_row(row)


if __name__ == "__main__":
    main()
