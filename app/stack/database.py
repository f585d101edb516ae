"""The database a command needs: joined or started where it is the embedded one, and made ready where it is fresh."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence

import django
from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connection

from app.stack.binaries import NoBinaries
from app.stack.postgres import CannotStart, Postgres

# `up` starts its own; the others look at files only.
WITHOUT_DATABASE = {
    "up", "help", "check", "collectstatic", "findstatic", "makemigrations", "makemessages", "compilemessages",
    "diffsettings", "spectacular", "startapp", "startproject", "test", "testserver", "sqlmigrate", "view",
    "evaluate_labels",
}  # fmt: skip
_ONE_AT_A_TIME = 0x57E9  # our number among PostgreSQL's advisory locks


def needs_database(argv: Sequence[str]) -> bool:
    if len(argv) < 2 or argv[1] in WITHOUT_DATABASE or {"--help", "-h", "--version"} & set(argv[1:]):
        return False
    django.setup()
    return argv[1] in get_commands()


@contextlib.contextmanager
def for_command(argv: Sequence[str]) -> Iterator[None]:
    """Within it the command finds its database. The last to leave the embedded one stops it. Says so on stderr only."""
    if not (settings.EMBEDDED_DATABASE and needs_database(argv)):
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave as on any other way out
    postgres = Postgres(settings.STEPMARK_HOME)
    if not postgres.answers():
        print(f"starting PostgreSQL in {settings.STEPMARK_HOME}", file=sys.stderr)  # noqa: T201
    try:
        postgres.start()
    except (CannotStart, NoBinaries, PermissionError) as trouble:
        raise SystemExit(str(trouble)) from None
    try:
        if argv[1] != "migrate" and is_fresh():
            migrate()
        yield
    finally:
        connection.close()
        postgres.leave()


def is_fresh() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NULL")
        return bool(cursor.fetchone()[0])


def migrate() -> None:
    """Apply what is missing; of several that start at once, one does it and the others wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
