"""A real worker scores a project and then orders its queue, without anybody asking for the order."""

from __future__ import annotations

import json

import pytest

from tests.live.stacks import CHECKOUT, Stack, until

pytestmark = pytest.mark.live

SAMPLE = CHECKOUT / "annotations" / "demo" / "trajectories.jsonl"
CHANGE = """
from annotations.models import Project
from annotations.services import setup
answer = setup.change(Project.objects.get(slug="ordered"), None, queue_policy="wrong")
"""
ORDER = """
from annotations.models import Project
project = Project.objects.select_related("queue_ranking").get(slug="ordered")
answer = None if project.queue_ranking is None else project.queue_ranking.result
"""


def test_scoring_is_followed_by_an_order_of_the_queue(stack: Stack) -> None:
    stack.manage("create_project", "ordered")
    stack.manage("import_trajectories", "ordered", str(SAMPLE))
    assert stack.shell(CHANGE) == {"queue_policy": "wrong"}
    unscored = until(lambda: stack.shell(ORDER), what="an order without scores")
    assert (unscored["scored_by"], unscored["by_policy"]) == (None, 0)
    said = json.loads(stack.manage("score", "ordered", "--scorer", "embedded", "--wait", "--json").stdout)
    followed = until(
        lambda: (order := stack.shell(ORDER)) and order["scored_by"] and order, what="an order that follows the scores"
    )
    assert followed["scored_by"] == said["run"]
    assert followed["by_policy"] > followed["by_chance"] > 0
    assert followed["by_policy"] + followed["by_chance"] + followed["unscored"] == unscored["by_chance"]
