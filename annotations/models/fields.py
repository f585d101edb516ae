"""Columns that Django has not: JSON that must come back exactly as it went in, and strings of bits."""

from __future__ import annotations

from typing import Any

from django.db import models

from annotations.formats.lines import dump, load


class SignsField(models.Field):
    """A string of bits as “0110…”, which PostgreSQL compares as one: only for queries written by hand."""

    def db_type(self, connection: object) -> str:
        return "varbit"


class VerbatimJSONField(models.TextField):
    """JSON kept as text: key order and number spelling survive, which jsonb does not promise. Not for filtering."""

    _pyi_private_set_type: Any  # what django-stubs reads: it goes in and comes out as JSON, not as text
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        return None if value is None else load(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else dump(value)

    def value_to_string(self, obj: models.Model) -> str:
        return dump(self.value_from_object(obj))
