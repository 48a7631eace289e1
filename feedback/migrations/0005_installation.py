from django.db import migrations, models

import feedback.models.installation


class Migration(migrations.Migration):
    dependencies = [("feedback", "0004_formats")]

    operations = [
        migrations.CreateModel(
            name="Installation",
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
                (
                    "key",
                    models.CharField(
                        default=feedback.models.installation.new_key,
                        editable=False,
                        max_length=32,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("normal", "Normal"),
                            ("paused", "Paused"),
                            ("read_only", "Read-only"),
                        ],
                        default="normal",
                        max_length=10,
                    ),
                ),
                ("mode_since", models.DateTimeField(null=True)),
                ("mode_by", models.CharField(blank=True, max_length=150)),
                ("address", models.CharField(blank=True, max_length=500)),
                (
                    "secret_key",
                    models.CharField(
                        blank=True, max_length=32, verbose_name="SECRET_KEY"
                    ),
                ),
                (
                    "secrets_key",
                    models.CharField(
                        blank=True, max_length=32, verbose_name="SECRETS_KEYS"
                    ),
                ),
            ],
        ),
    ]
