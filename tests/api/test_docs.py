"""What the page about the API names is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
OF_THE_SCHEMA = {"/api/v1/", "/api/v1/schema/", "/api/v1/docs/"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def paths_of(page: str) -> set[str]:
    return {found.split("?")[0] for found in re.findall(r"/api/v1/[\w/.?=&-]*", page)}


def pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path)))


def test_every_path_of_the_page_is_in_the_schema(schema):
    known = [pattern_of(path) for path in schema["paths"]]
    named = paths_of(PAGE) - OF_THE_SCHEMA
    assert len(named) > 15
    assert {path for path in named if not any(one.fullmatch(path) for one in known)} == set()


def test_every_body_of_the_page_has_the_fields_of_the_schema(schema):
    calls = re.findall(r"(/api/v1/\S+)\s+--json\s+\\?\s*'(\{.*?\})'", PAGE, re.DOTALL)
    assert len(calls) > 7
    for path, body in calls:
        properties = _properties(schema, path)
        assert set(json.loads(body)) <= properties, path


def _properties(schema: dict[str, Any], path: str) -> set[str]:
    takes = [
        operation["requestBody"]
        for one, methods in schema["paths"].items()
        for operation in methods.values()
        if pattern_of(one).fullmatch(path) and "patch" not in operation["operationId"] and "requestBody" in operation
    ]
    (body,) = [
        one["content"] for one in takes if "$ref" in one["content"].get("application/json", {}).get("schema", {})
    ]
    reference = body["application/json"]["schema"]["$ref"]
    return set(schema["components"]["schemas"][reference.rsplit("/", 1)[-1]]["properties"])


def test_every_status_of_the_page_is_a_refusal_of_the_schema(schema):
    told = set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE))
    served = {code for path in schema["paths"].values() for one in path.values() for code in one["responses"]}
    assert told == {code for code in served if code.startswith("4")}
