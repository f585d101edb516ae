"""The kinds of field a scheme can have, one class each. To add one, write its file and add it to KINDS."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.fields.choice import ChoiceField
from annotations.schemes.fields.flag import FlagField
from annotations.schemes.fields.places import FirstErrorField, InterventionField
from annotations.schemes.fields.preference import PreferenceField
from annotations.schemes.fields.rubric import RubricField
from annotations.schemes.fields.scale import ProgressField, ScaleField
from annotations.schemes.fields.spans import SpansField
from annotations.schemes.fields.taxonomy import TaxonomyField
from annotations.schemes.fields.text import CorrectionField, TextField

AnyField = Annotated[
    ChoiceField
    | TaxonomyField
    | ScaleField
    | ProgressField
    | FlagField
    | TextField
    | CorrectionField
    | InterventionField
    | SpansField
    | RubricField
    | FirstErrorField
    | PreferenceField,
    Field(discriminator="kind"),
]
KINDS: dict[str, type[FieldSpec]] = {
    "choice": ChoiceField,
    "taxonomy": TaxonomyField,
    "scale": ScaleField,
    "progress": ProgressField,
    "flag": FlagField,
    "text": TextField,
    "correction": CorrectionField,
    "intervention": InterventionField,
    "spans": SpansField,
    "rubric": RubricField,
    "first_error": FirstErrorField,
    "preference": PreferenceField,
}

__all__ = [
    "KINDS",
    "AnyField",
    "ChoiceField",
    "CorrectionField",
    "FirstErrorField",
    "FlagField",
    "InterventionField",
    "PreferenceField",
    "ProgressField",
    "RubricField",
    "ScaleField",
    "SpansField",
    "TaxonomyField",
    "TextField",
]
