"""How allauth behaves here."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignup(DefaultAccountAdapter):
    """Accounts are made by the owners of projects or on the command line, not by passers-by."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
