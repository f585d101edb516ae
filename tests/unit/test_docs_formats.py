"""The page of formats says what the formats are."""

from __future__ import annotations

from annotations.formats import catalogue

TEXT = catalogue.PAGE.read_text()


def test_the_tables_are_those_that_make_docs_writes():
    made = TEXT[TEXT.index(catalogue.BEGIN) + len(catalogue.BEGIN) : TEXT.index(catalogue.END)].strip()
    assert made == catalogue.tables(), "run make docs"


def test_every_format_is_in_the_table_with_a_sample_where_it_reads():
    for name, one in catalogue.offered():
        assert f"| `{name}` | {catalogue.direction(one)} |" in TEXT
        if one.reads:
            assert catalogue.sample_of(name).exists()
