"""The secret key of an installation that was given none: made once, kept in its own folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def kept_in(home: Path) -> str:
    """The key in `home`/secret_key; the first of several processes to ask writes it."""
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".secret_key.{os.getpid()}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()
