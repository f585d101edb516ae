"""Callers of the API: a client signed in as somebody, or with a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from annotations.models import ApiToken, Project, User
from tests import make


def client_of(user: User | None) -> APIClient:
    """A browser's session, without the tests' usual shortcut past authentication."""
    client = APIClient()
    if user:
        client.force_login(user)
    return client


def client_with_token(user: User, **fields: Any) -> APIClient:
    _, secret = ApiToken.objects.create(user=user, name="test", **fields)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    return make.project(owner=lead, slug="mine")


@pytest.fixture
def client(lead: User) -> APIClient:
    return client_of(lead)


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture
def count_queries() -> Callable[[Callable[[], Any]], tuple[Any, int]]:
    """What the call returns, and how many queries it took."""

    def counted(call: Callable[[], Any]) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as queries:
            found = call()
        return found, len(queries)

    return counted
