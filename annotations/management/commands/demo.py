"""`manage.py demo`: makes the sample project where it is missing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotations.demo import load
from annotations.demo.people import PEOPLE


class Command(BaseCommand):
    help = "Make the demo project with its people, rollouts and labels. Doing it again changes nothing."

    def handle(self, **options: Any) -> None:
        project = load.load()
        names = ", ".join([load.LEAD, *PEOPLE])
        self.stdout.write(f"Demo project /p/{project.slug}/, logins {names}, password {load.PASSWORD}")
