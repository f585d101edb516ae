"""The settings of the tests: a home of their own, and nothing that is slow for safety's sake."""

from __future__ import annotations

import os
import tempfile

if "STEPMARK_TESTS" not in os.environ:  # workers of pytest-xdist, and processes that a test begins, inherit it
    os.environ["STEPMARK_TESTS"] = os.environ["STEPMARK_HOME"] = tempfile.mkdtemp(prefix="stepmark-tests-")
os.environ["CELERY_BROKER_URL"] = "memory://"
os.environ.setdefault("SECRET_KEY", "only for tests")

from app.settings import *  # noqa: F403
from app.settings import STEPMARK_HOME

# Each worker has a database of its own, whose numbers are those of another's too, and files go by number.
MEDIA_ROOT = str(STEPMARK_HOME / "files" / os.environ.get("PYTEST_XDIST_WORKER", "alone"))

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # nothing is collected here
