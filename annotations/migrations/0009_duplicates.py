"""Fingerprints of whole trajectories, by which duplicates are found, and those of all that came in before."""

from __future__ import annotations

from django.db import migrations, models

# As rendering.identity.sequence_hash makes them of the fingerprints of steps.
FILL = """
    UPDATE annotations_trajectory t SET turns_hash = s.turns, actions_hash = s.actions
      FROM (SELECT trajectory_id,
                   left(encode(sha256(convert_to(string_agg(turn_hash, ',' ORDER BY index), 'UTF8')), 'hex'), 32) turns,
                   left(encode(sha256(convert_to(coalesce(
                       string_agg(action_hash, ',' ORDER BY index) FILTER (WHERE source = 'agent'), ''
                   ), 'UTF8')), 'hex'), 32) actions
              FROM annotations_step GROUP BY trajectory_id) s
     WHERE s.trajectory_id = t.id AND t.turns_hash = ''
"""
LIVE = models.Q(("superseded_at__isnull", True))


class Migration(migrations.Migration):
    dependencies = [("annotations", "0007_originals")]
    operations = [
        migrations.AddField(
            "trajectory",
            "whole_hash",
            models.CharField(
                max_length=64, blank=True, db_default="", help_text="Of a segmented one: its content_hash by message."
            ),
        ),
        migrations.AddField(
            "trajectory",
            "turns_hash",
            models.CharField(
                max_length=32, blank=True, db_default="", help_text="Equal where all that was said, done and seen is."
            ),
        ),
        migrations.AddField(
            "trajectory",
            "actions_hash",
            models.CharField(
                max_length=32,
                blank=True,
                db_default="",
                help_text="Equal where the agent did the same, in the same order.",
            ),
        ),
        migrations.AddField(
            "trajectory",
            "grouped",
            models.BooleanField(
                db_default=False, help_text="It stands for one with those of its task that have its actions_hash."
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "trajectory",
            models.Index(fields=["project", "turns_hash"], condition=LIVE, name="live_by_turns"),
        ),
        migrations.AddIndex(
            "trajectory",
            models.Index(fields=["task", "actions_hash"], condition=LIVE, name="live_by_actions"),
        ),
    ]
