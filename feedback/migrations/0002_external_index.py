"""An index by which PostgreSQL finds a ticket or tester by a value from outside."""

from django.db import migrations

TABLES = ("feedback_feedback", "feedback_tester")


def _run(schema_editor, sql):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(sql.format(table=table))


def create(apps, schema_editor):
    _run(
        schema_editor,
        "CREATE INDEX {table}_external ON {table}"
        " USING gin (external_data jsonb_path_ops)",
    )


def drop(apps, schema_editor):
    _run(schema_editor, "DROP INDEX {table}_external")


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
