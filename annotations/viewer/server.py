"""The viewer as a small server of this machine alone: no project, no accounts, no database."""

from __future__ import annotations

from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from annotations.viewer.pages import Viewer

HOST = "127.0.0.1"
# What of the site's middleware needs neither accounts nor tables.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]


def configured(viewer: Viewer) -> dict[str, Any]:
    """The settings of a process that serves this file and nothing else."""
    return {
        "ROOT_URLCONF": viewer,
        "MIDDLEWARE": MIDDLEWARE,
        "ALLOWED_HOSTS": [HOST, "localhost"],  # any other name is refused: a site may have given one to this address
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 0,
        "STATIC_ROOT": None,  # files come from where they are
        "WHITENOISE_USE_FINDERS": True,
        "DEBUG": False,
    }


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A viewer of one person keeps no log."""


def serve(viewer: Viewer, port: int) -> Server:
    """A server that listens and is not running yet. Takes this process over. Raises OSError where the port is taken."""
    for name, value in configured(viewer).items():
        setattr(settings, name, value)
    server = Server((HOST, port), _Handler)
    server.set_app(WSGIHandler())
    return server
