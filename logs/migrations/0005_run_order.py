from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("logs", "0004_transcripts")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["created_at", "id"], name="run_by_start"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["finished_at", "id"], name="run_by_end"),
        ),
    ]
