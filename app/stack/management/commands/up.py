"""`manage.py up`: everything, in one terminal, until Ctrl-C."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import OperationalError

from app.stack import claims
from app.stack.binaries import NoBinaries
from app.stack.postgres import CannotStart
from app.stack.supervisor import Plan, Supervisor


class Command(BaseCommand):
    help = "Start PostgreSQL, the broker, a worker and the web server; stop them all on Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        port = os.environ.get("PORT", "8000")
        parser.add_argument("--port", type=int, default=port, help="default: $PORT, else 8000")
        parser.add_argument("--no-demo", action="store_true", help="do not make the demo project")

    def handle(self, *args: Any, port: int, no_demo: bool, **options: Any) -> None:
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        with_demo = not no_demo and "demo" in get_commands()
        plan = Plan(
            home=settings.STEPMARK_HOME,
            host=os.environ.get("HOST", "127.0.0.1"),
            port=port,
            embedded_database=settings.EMBEDDED_DATABASE,
            embedded_broker=settings.EMBEDDED_BROKER,
            demo=self._demo if with_demo else None,
            say=self._say,
        )
        try:
            Supervisor(plan).run()
        except (claims.Refused, CannotStart, NoBinaries, OperationalError, PermissionError) as trouble:
            raise CommandError(str(trouble)) from trouble

    def _say(self, message: str) -> None:
        self.stdout.write(message)
        self.stdout.flush()

    def _demo(self) -> str:
        told = StringIO()
        call_command("demo", stdout=told)
        return told.getvalue().strip()
