"""The schema as a page to try it on. Its assets are ours, and nothing in it is inline: the policy of scripts holds."""

from __future__ import annotations

from drf_spectacular.views import SpectacularSwaggerSplitView


class Docs(SpectacularSwaggerSplitView):
    template_name = "api/docs.html"
