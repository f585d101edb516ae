"""From a file to a dataset in a browser, on a real stack: the four people's whole way, once."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from playwright.sync_api import Page, expect

from annotations.demo.build import HERE
from tests.live.people import signed_in

pytestmark = [pytest.mark.live, pytest.mark.browser]

PEOPLE = """
from tests import make
answer = [make.user(name).username for name in ("journey-lead", "journey-annotator")]
"""


def wait_until_done(page: Page) -> None:
    expect(page.locator("#progress .badge").first).to_have_text("Done", timeout=60_000)


def test_a_file_becomes_a_dataset(stack, chromium, tmp_path):
    stack.shell(PEOPLE)
    upload = tmp_path / "rollouts.jsonl"
    lines = (HERE / "trajectories.jsonl").read_text().splitlines(keepends=True)
    upload.write_text("".join(lines[:12]) + "this line is broken\n")

    lead = signed_in(chromium, stack, "journey-lead")
    lead.goto("/projects/new/")
    lead.get_by_label("Title").fill("Journey")
    lead.get_by_label("Short name").fill("journey")
    lead.get_by_label("People per trajectory").fill("1")
    lead.keyboard.press("Enter")
    lead.wait_for_url("**/p/journey/**")

    lead.goto("/p/journey/import/")
    lead.locator("input[type=file]").set_input_files(upload)
    lead.get_by_role("button", name="Import").click()
    wait_until_done(lead)
    result = lead.locator("main").inner_text()
    assert "12" in result
    assert "13" in result, "the broken line's number is shown"

    lead.goto("/p/journey/members/")
    lead.get_by_label("User name", exact=True).fill("journey-annotator")
    lead.keyboard.press("Enter")
    expect(lead.locator("main")).to_contain_text("journey-annotator")

    lead.goto("/p/journey/scores/")
    lead.get_by_role("button", name="Score all trajectories").first.click()
    wait_until_done(lead)

    annotator = signed_in(chromium, stack, "journey-annotator")
    annotator.goto("/p/journey/")
    annotator.get_by_role("link", name="Label next").or_(
        annotator.get_by_role("button", name="Label next")
    ).first.click()
    annotator.wait_for_url("**/p/journey/label/*/")
    first = annotator.url
    for _ in range(annotator.locator("[data-agent]").count() or 3):
        annotator.keyboard.press("1")
        annotator.keyboard.press("j")
    annotator.keyboard.press("f")
    annotator.keyboard.press("Control+Enter")
    annotator.wait_for_url(lambda url: "/label/" in url and url != first)

    lead.goto("/p/journey/agreement/")
    lead.get_by_role("button", name="Compute").click()
    lead.wait_for_url("**/runs/**")
    wait_until_done(lead)
    lead.goto("/p/journey/agreement/")
    lead.locator("main table a").first.click()
    expect(lead.locator("main")).to_contain_text("journey-annotator")

    lead.goto("/p/journey/exports/")
    lead.locator("input[name='format'][value='apb']").check()
    lead.get_by_role("button", name="Export").click()
    wait_until_done(lead)
    with lead.expect_download() as download:
        lead.locator("a[href$='all.zip']").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    manifest = json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("manifest.json"))))
    rows = [line for name in archive.namelist() if name.endswith(".jsonl") for line in archive.read(name).splitlines()]
    assert len(rows) == 12
    assert [json.loads(row)["total_index"] for row in rows] == [json.loads(line)["total_index"] for line in lines[:12]]
    assert manifest
