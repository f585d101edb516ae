"""The borders between the rooms, where import-linter cannot see them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BROUGHT = ROOT / "frontend_templates" / "static" / "vendor"


def test_a_web_process_loads_neither_torch_nor_the_workers():
    script = "import django; django.setup(); import app.urls, app.wsgi, sys; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "app.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tops = {name.split(".")[0] for name in answer.stdout.split()}
    assert "annotations" in tops
    assert tops.isdisjoint({"torch", "transformers", "models_service", "pyarrow"})


def test_no_file_of_ours_has_become_two():
    files = [*ROOT.glob("app/**/*.py"), *ROOT.glob("annotations/**/*.py"), *ROOT.glob("models_service/**/*.py")]
    files += ROOT.glob("frontend_templates/**/*.js")
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if "migrations" not in path.parts and BROUGHT not in path.parents
        if (lines := len(path.read_text().splitlines())) > 300
    }
    assert not long, f"split these: {long}"


def test_no_template_carries_script_or_style_inline():
    for page in ROOT.glob("frontend_templates/templates/**/*.html"):
        text = page.read_text()
        assert " style=" not in text, page
        assert " onclick=" not in text, page
        assert "<style" not in text, page
        assert "|safe" not in text, page
