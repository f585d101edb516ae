"""Open a file of trajectories in the browser, from the command line."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import formats
from annotations.services import files
from annotations.viewer.gathered import opened
from annotations.viewer.pages import Viewer
from annotations.viewer.server import HOST, serve


class Command(BaseCommand):
    help = "Open an importable file in the browser. Needs no project and no database; Ctrl-C ends it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="what an import takes, packed or not, or a folder")
        parser.add_argument("--port", type=int, default=0, metavar="N", help="by default one that is free")
        parser.add_argument("--no-browser", action="store_true", help="only say the address")
        named = ", ".join(formats.readable())
        parser.add_argument("--format", default="auto", metavar="NAME", help=f"auto (the default), {named}")

    def handle(self, *, file: Path, port: int, no_browser: bool, format: str, **options: Any) -> None:
        try:
            files.sources([file])
            viewer = Viewer(opened(file, format))
        except formats.UnknownFormat as exc:
            raise CommandError(f"{file.name}: {exc}") from exc
        except OSError as exc:
            raise CommandError(str(exc)) from exc
        if not 0 <= port <= 65535:
            raise CommandError(f"--port is {port}; accepted are 1 to 65535, or 0 for one that is free.")
        try:
            server = serve(viewer, port)
        except OSError as exc:
            raise CommandError(f"Port {port} cannot be used: {exc}. Another: --port N.") from exc
        address = f"http://{HOST}:{server.server_port}{viewer.home}"
        self.stdout.write(f"{file.name} is open at {address}   (Ctrl-C ends it)")
        self.stdout.flush()
        if not no_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("\nClosed.")
        finally:
            server.server_close()
            viewer.source.close()
