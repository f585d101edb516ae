"""The table of Django's database cache, which holds the limits on logins."""

from __future__ import annotations

from django.core.management import call_command
from django.db import migrations


def make(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("annotations", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
