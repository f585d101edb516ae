"""Static files of an installation that collects them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Hashes go into the names that JavaScript modules import, too."""

    support_js_module_import_aggregation = True
