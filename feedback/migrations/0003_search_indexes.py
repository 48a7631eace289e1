"""What PostgreSQL finds the words of a search by, and the answers of a form."""

from django.db import migrations

from feedback.selection.catalogue import SEARCHED_TEXTS
from feedback.selection.fields import SEARCHED_TESTERS
from feedback.selection.searching import index_sql

SEARCHED = {"Feedback": SEARCHED_TEXTS, "Tester": SEARCHED_TESTERS}


def _has_trigrams(schema_editor):
    """An extension that comes with PostgreSQL; some packages of it leave it out."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        return cursor.fetchone() is not None


def create(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    schema_editor.execute(
        "CREATE INDEX feedback_feedback_answers ON feedback_feedback"
        " USING gin (form_values jsonb_path_ops)"
    )
    if not _has_trigrams(schema_editor):
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for name, columns in SEARCHED.items():
        model = apps.get_model("feedback", name)
        table = model._meta.db_table
        expression = index_sql(model, columns, connection)
        schema_editor.execute(
            f"CREATE INDEX {table}_searched ON {table}"
            f" USING gin ({expression} gin_trgm_ops)"
        )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in ("feedback_searched", "tester_searched", "feedback_answers"):
            schema_editor.execute(f"DROP INDEX IF EXISTS feedback_{name}")


class Migration(migrations.Migration):
    dependencies = [("feedback", "0002_external_index")]
    operations = [migrations.RunPython(create, drop)]
