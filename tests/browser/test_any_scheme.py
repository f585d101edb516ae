"""What was said by schemes that have little in common can be read on a desk and on a phone, without barriers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages import barriers
from tests.presets import Sampled, sampled

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LogIn = Callable[..., None]
DIFFERENT = ["first-error", "perception-spans", "weighted-rubric", "tool-edit", "rollout-ranking", "faithful-correct"]


def addresses(world: Sampled) -> dict[str, str]:
    slug = world.project.slug
    ids = ",".join(str(one.pk) for one in world.trajectory.task.trajectories.order_by("rollout"))
    return {
        "trajectory": reverse("trajectory", args=[slug, world.trajectory.pk]),
        "list": f"{reverse('trajectories', args=[slug])}?answer={world.scheme.main}",
        "compare": f"{reverse('compare', args=[slug])}?ids={ids}",
    }


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", DIFFERENT)
def test_pages_of_very_different_schemes_fit_and_can_be_read(
    name: str, colours: str, page: Page, live_server: LiveServer, log_in: LogIn, tmp_path: Path
) -> None:
    world = sampled(name, tmp_path)
    log_in(world.people["owner"])
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    for kind, address in addresses(world).items():
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(live_server.url + address)
            photograph(page, f"{name}-{kind}-{width}-{colours}")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{kind} is {wide} wide in {width}"
            assert barriers(page) == []


def photograph(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
