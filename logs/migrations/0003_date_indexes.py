"""How PostgreSQL finds the part of the log that is of some days.

Rows are written in the order of time, so of each stretch of the table only the first
and the last moment is kept: a thousandth of what an index of every row would take.
"""

from django.db import migrations

DATES = {
    "logs_delivery_finished": ("logs_delivery", "finished_at"),
    "logs_attempt_started": ("logs_attempt", "started_at"),
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, (table, column) in DATES.items():
            # Several stretches in one: a late retry stands among rows of other days.
            schema_editor.execute(
                f"CREATE INDEX {name} ON {table}"
                f" USING brin ({column} timestamptz_minmax_multi_ops)"
            )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in DATES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("logs", "0002_initial")]
    operations = [migrations.RunPython(create, drop)]
