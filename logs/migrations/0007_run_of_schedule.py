from django.db import migrations, models

from feedback.migrating import AddIndexAtWork


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("logs", "0006_run_order")]
    operations = [
        AddIndexAtWork(
            model_name="run",
            index=models.Index(
                fields=["schedule", "id"],
                name="run_of_schedule",
                condition=models.Q(schedule__isnull=False),
            ),
        ),
    ]
