from __future__ import annotations

import pytest
from django.db import connection

from tests import make

pytestmark = pytest.mark.django_db


def test_a_builder_makes_rows_in_a_real_postgresql():
    made = make.trajectory(make.project(), steps=4)
    assert connection.vendor == "postgresql"
    assert made.steps.count() == 5
