"""Wiring only. Importing it readies Celery, so that a web process can send work by name."""

from __future__ import annotations

from app.celery import app as celery_app

__all__ = ["celery_app"]
