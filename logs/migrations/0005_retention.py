import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0003_search_indexes"),
        ("logs", "0004_transcripts"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("tier", models.CharField(max_length=20, unique=True)),
                ("position", models.BigIntegerField(default=0)),
                ("begun_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("worked_at", models.DateTimeField(null=True)),
                ("rests_until", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                *(
                    (
                        f"{name}_days",
                        models.PositiveIntegerField(
                            blank=True, null=True, verbose_name=label
                        ),
                    )
                    for name, label in (
                        ("bodies", "requests and responses"),
                        ("attempts", "attempts"),
                        ("deliveries", "runs and deliveries"),
                        ("calls", "calls received"),
                        ("audit", "audit log"),
                    )
                ),
                (
                    "community",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="retention",
                        to="feedback.community",
                    ),
                ),
            ],
            options={
                "verbose_name": "retention policy",
                "verbose_name_plural": "retention policies",
                "ordering": ["pk"],
            },
        ),
    ]
