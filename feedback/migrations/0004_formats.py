"""What is kept for another process says which format it has: `feedback.formats`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0003_search_indexes")]
    operations = [
        migrations.AddField(
            model_name=name,
            name="format",
            field=models.SmallIntegerField(db_default=1, editable=False),
        )
        for name in ("storedresponse", "ticketimport")
    ]
