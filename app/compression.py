"""Pages and answers go out compressed, whatever proxy stands before us or none."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXTS = ("text/html", "application/json", "image/svg+xml")
ONE_PACKET = 1200  # bytes; what fits is there no sooner for being smaller


class Compression(GZipMiddleware):
    """Files go as they are: many are compressed already, and a browser should know how long they are.

    Lengths tell nothing of the CSRF token (BREACH): Django masks it anew for each answer, and GZipMiddleware adds a
    random number of bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.headers.get("Content-Type", "").startswith(TEXTS):
            return response
        if len(response.content) < ONE_PACKET:  # type: ignore[attr-defined]
            return response
        return super().process_response(request, response)
