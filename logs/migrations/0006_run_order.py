from django.db import migrations, models

from feedback.migrating import AddIndexAtWork


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("logs", "0005_retention")]
    operations = [
        AddIndexAtWork(
            model_name="run",
            index=models.Index(fields=["created_at", "id"], name="run_by_start"),
        ),
        AddIndexAtWork(
            model_name="run",
            index=models.Index(fields=["finished_at", "id"], name="run_by_end"),
        ),
    ]
