"""Servers of judges: what may be set of one, and what its models cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Strict = ConfigDict(extra="forbid", frozen=True)
Micro = Annotated[int, Field(ge=0)]  # millionths of the currency, of a million tokens
LISTED = Path(__file__).with_name("prices.json")
MILLION = 1_000_000
OLD = 30  # days after which a price list may well be of yesterday


class Options(BaseModel):
    """`at_once` questions are under way at a time, over all workers. `timeout` and `longest` are seconds: for the next
    piece of an answer, and for all of it; most servers send nothing before an answer is whole. `retries` is how often a
    question is asked again where that helps. `form` is the first way that an answer's form is asked for: with its JSON
    Schema, as any JSON object, or in words."""

    model_config = Strict
    at_once: int = Field(8, ge=1, le=1024)
    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    timeout: float = Field(300.0, gt=0, le=3600)
    longest: float = Field(600.0, gt=0, le=7200)
    retries: int = Field(4, ge=0, le=20)
    form: Literal["json_schema", "json_object", "words"] = "json_schema"
    strict: bool = Field(True, description="Whether the schema is asked for as strict.")


class Price(BaseModel):
    """Of a million tokens. `cached` are those of the prompt that the server had read before; None: as others."""

    model_config = Strict
    prompt: Micro
    completion: Micro
    cached: Micro | None = None

    def cost(self, prompt: int, completion: int, cached: int = 0) -> int:
        """In millionths of the currency, rounded up: no question is counted for less than it took."""
        dear = (prompt - cached) * self.prompt + cached * (self.prompt if self.cached is None else self.cached)
        return -(-(dear + completion * self.completion) // MILLION)


class Prices(BaseModel):
    """A price list: what it is called, its currency, and each model's price. A model that is not in it has none: what
    asking it costs is then not known, and never 0. `as_of` is the day or month of which the prices are, `source` the
    page that has them, `note` what they leave out."""

    model_config = Strict
    version: str = Field(min_length=1, max_length=60)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    models: Mapping[str, Price]
    as_of: str = Field("", pattern=r"^(\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")
    source: str = Field("", max_length=400, pattern=r"^(https://\S+)?$")
    note: str = Field("", max_length=600)

    def age(self, today: date) -> int | None:
        """How many days old it is at most; None where it does not say."""
        try:
            return (today - date.fromisoformat(f"{self.as_of}-01"[:10])).days if self.as_of else None
        except ValueError:  # the 31st of a month that has 30
            return None


@cache
def listed() -> Mapping[str, Prices]:
    """The price lists that come with Stepmark, by provider. An administrator takes one over, or writes their own."""
    found = json.loads(LISTED.read_text(encoding="utf-8"))
    return {name: Prices.model_validate(one) for name, one in found.items()}
