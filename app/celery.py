"""The Celery application: two queues, `light` and `gpu`. Tasks live in models_service.tasks."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

app = Celery("stepmark")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["models_service"])
app.autodiscover_tasks(["models_service"], related_name="beat")
