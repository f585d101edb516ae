"""SCORERS in the environment: read, or refused in words."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from app import scorers


def test_an_entry_is_read_as_it_stands():
    entry = {"title": "Mine", "class": "a.B", "options": {"folder": "/m"}}
    assert scorers.read('{"mine": {"title": "Mine", "class": "a.B", "options": {"folder": "/m"}}}') == {"mine": entry}
    assert scorers.read("") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ("[]", "found list"), ('{"mine": {"title": "Mine"}}', "'mine' needs title, class and options")],
)
def test_what_cannot_be_read_is_refused_in_words(text, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        scorers.read(text)
