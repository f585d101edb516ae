"""The files that exports brought."""

from __future__ import annotations
