"""Fingerprints and outlines of the steps that came in before these columns."""

from __future__ import annotations

from django.db import migrations

from annotations.rendering.identity import action_hash, turn_hash
from annotations.rendering.outline import outline
from annotations.rendering.parts import parts

AT_ONCE = 500


def fill(apps, schema_editor):
    steps = apps.get_model("annotations", "Step").objects.filter(action_hash="").order_by("pk")
    last = 0
    while batch := list(steps.filter(pk__gt=last)[:AT_ONCE]):
        for step in batch:
            step.action_hash, step.turn_hash = action_hash(step), turn_hash(step.source, step)
            step.outline = outline(parts(step))
        steps.model.objects.bulk_update(batch, ["action_hash", "turn_hash", "outline"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [("annotations", "0003_workbench")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
