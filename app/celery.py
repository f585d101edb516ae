"""The Celery application: two queues, `light` and `gpu`. Tasks live in models_service.tasks."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

app = Celery("stepmark")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["models_service"])
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def log_as_the_web_does(**_: Any) -> None:
    """Connecting is enough to keep Celery from setting up logs of its own; the worker's go where LOGGING says."""
    logging.config.dictConfig(settings.LOGGING)


app.autodiscover_tasks(["models_service"])
app.autodiscover_tasks(["models_service"], related_name="beat")
