"""What every kind of test shares: a throw-away PostgreSQL where none is given, and the shared third-party data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

from app.stack.postgres import Postgres

# No test is timed: a busy machine breaks none.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

SHARED = Path(__file__).resolve().parents[2] / "shared"
throwaway = pytest.StashKey[Postgres]()


def pytest_configure(config: pytest.Config) -> None:
    if settings.EMBEDDED_DATABASE and not hasattr(config, "workerinput"):
        config.stash[throwaway] = Postgres(settings.STEPMARK_HOME, throwaway=True)
        config.stash[throwaway].start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if throwaway in config.stash:
        config.stash[throwaway].leave()
    shutil.rmtree(settings.STEPMARK_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """../shared/data beside the checkout. Not there: skip; in CI, where ../shared is, fail."""
    data = SHARED / "data"
    if not data.is_dir():
        if SHARED.is_dir() and os.environ.get("CI"):
            pytest.fail(f"{data} is missing")
        pytest.skip(f"needs {data}")
    return data
