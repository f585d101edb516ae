"""The price lists that come with Stepmark: each says of which day it is and where it is from."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from annotations.judges.servers import Prices, listed

SHIPPED = {name: one for name, one in listed().items() if one.models}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_list_says_of_when_and_from_where_it_is(name):
    one = SHIPPED[name]
    assert one.as_of in one.version
    assert one.source.startswith("https://")
    assert one.note
    assert one.currency == "USD"
    assert one.age(date(2099, 1, 1)) is not None


@pytest.mark.parametrize("name", SHIPPED)
def test_what_was_read_before_costs_less_and_answers_more(name):
    for model, price in SHIPPED[name].models.items():
        assert price.cached is not None, model
        assert 0 < price.cached < price.prompt < price.completion, model


def test_a_thousand_tokens_and_a_hundred_of_an_answer_cost_what_the_page_says():
    """Claude Sonnet 5: $2 and $10 a million, $0.20 what was read before. 600 of the 1,000 were:
    400 · 2 + 600 · 0.2 + 100 · 10 = 1,920 millionths."""
    assert SHIPPED["anthropic"].models["claude-sonnet-5"].cost(1000, 100, cached=600) == 1920


def prices(**fields: str) -> Prices:
    return Prices.model_validate({"version": "x", "currency": "USD", "models": {}, **fields})


@pytest.mark.parametrize(
    ("as_of", "days"), [("2026-11-20", 7), ("2026-11", 26), ("2026-11-27", 0), ("2026-02-30", None), ("", None)]
)
def test_how_old_a_list_is_at_most(as_of, days):
    assert prices(as_of=as_of).age(date(2026, 11, 27)) == days


@pytest.mark.parametrize(
    "wrong", [{"as_of": "yesterday"}, {"as_of": "2026-13"}, {"source": "javascript:alert(1)"}, {"source": "http://x"}]
)
def test_another_spelling_of_a_day_or_a_page_is_refused(wrong):
    with pytest.raises(ValidationError):
        prices(**wrong)
