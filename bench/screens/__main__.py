"""`python -m bench.screens [page…]`: photograph every page, or the named ones, into docs/screenshots/.

Everything happens in a folder that is gone afterwards: a database of its own, the demo and more in it, a server.
SCREENS=/elsewhere puts the pictures there, KIND=png makes them PNG, to look at closely.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import django
import time_machine
from django.core.management import call_command
from django.db import connections

from app.stack.postgres import Postgres
from bench.screens.pages import SCREENS, Screen
from bench.screens.pictures import FOLDER

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def main(names: list[str]) -> int:
    known = {screen.name: screen for screen in SCREENS}
    if unknown := set(names) - set(known):
        print(f"no such page: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stepmark-screens-") as home:
        folder = Path(os.environ.get("SCREENS") or FOLDER)
        count = photograph(Path(home), [known[name] for name in names] or list(SCREENS), folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{count} pictures in {time.monotonic() - start:.0f} s; {folder} holds {size / 1e6:.1f} MB")
    return 0


def photograph(home: Path, screens: list[Screen], folder: Path) -> int:
    """The pictures of these pages into that folder, and how many they are."""
    os.environ.pop("DATABASE_URL", None)
    os.environ |= {"STEPMARK_HOME": str(home), "DJANGO_SETTINGS_MODULE": "app.settings", "LOG_LEVEL": "ERROR"}
    database = Postgres(home, throwaway=True)
    database.start()
    try:
        django.setup()
        call_command("migrate", verbosity=0)
        from bench.screens import camera, elsewhere, world
        from bench.web.chromium import chromium
        from bench.web.server import serving

        with time_machine.travel(DAY):  # so that the same pages come out the next time
            places = world.build()
        world.settle()
        places["bundle"] = elsewhere.bundle(home / "bundle", "demo", *elsewhere.TAKEN)
        server = serving(workers=2, threads=4, DJANGO_SETTINGS_MODULE="app.settings")
        with server as port, elsewhere.viewing() as places["viewer"], chromium() as browser:
            return camera.take(browser, port, screens, places, folder)
    finally:
        connections.close_all()
        database.leave()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
