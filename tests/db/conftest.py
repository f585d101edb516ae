"""The cast of the page tests: a project and who owns it."""

from __future__ import annotations

import pytest

from annotations.models import Project, User
from tests import make


@pytest.fixture
def owner() -> User:
    return make.user()


@pytest.fixture
def project(owner: User) -> Project:
    return make.project(owner=owner)
