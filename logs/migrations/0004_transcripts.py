"""What attempts sent and got back: a table of its own, in months on PostgreSQL."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "logs_transcript"
KEY = ["delivery", "number", "started_at"]


def partition(apps, schema_editor):
    """Make the table, which is empty, one of partitions; Django knows none."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for statement in (
        f"ALTER TABLE {TABLE} RENAME TO {TABLE}_plain",
        f"ALTER INDEX {TABLE}_pkey RENAME TO {TABLE}_plain_pkey",
        f"CREATE TABLE {TABLE} (LIKE {TABLE}_plain INCLUDING ALL)"
        " PARTITION BY RANGE (started_at)",
        f"DROP TABLE {TABLE}_plain",
        f"CREATE TABLE {TABLE}_default PARTITION OF {TABLE} DEFAULT",
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("logs", "0003_date_indexes")]
    operations = [
        migrations.CreateModel(
            name="Transcript",
            fields=[
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transcripts",
                        to="logs.delivery",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("started_at", models.DateTimeField(verbose_name="started")),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        *KEY,
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("url", models.TextField(blank=True, verbose_name="URL")),
                ("request_headers", models.TextField(blank=True)),
                ("request_body", models.TextField(blank=True)),
                ("response_headers", models.TextField(blank=True)),
                ("response_body", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "transcript of a delivery",
                "verbose_name_plural": "transcripts of deliveries",
            },
        ),
        migrations.RunPython(partition, migrations.RunPython.noop),
        migrations.AddField(
            model_name="attempt",
            name="transcript",
            field=models.ForeignObject(
                editable=False,
                from_fields=KEY,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="logs.transcript",
                to_fields=KEY,
            ),
        ),
    ]
