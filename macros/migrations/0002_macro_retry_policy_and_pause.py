from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('macros', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='macro',
            name='give_up_after',
            field=models.CharField(blank=True, help_text='No retry comes later than this after the start of the run: 1 d. Empty: the last wait above is the end.', max_length=20),
        ),
        migrations.AddField(
            model_name='macro',
            name='paused_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='paused'),
        ),
        migrations.AddField(
            model_name='macro',
            name='paused_reason',
            field=models.TextField(blank=True, editable=False, help_text='Empty: not paused.'),
        ),
        migrations.AddField(
            model_name='macro',
            name='retry_busy',
            field=models.BooleanField(default=True, verbose_name='asked to come back later (408, 425, 429)'),
        ),
        migrations.AddField(
            model_name='macro',
            name='retry_connection',
            field=models.BooleanField(default=True, verbose_name='no connection'),
        ),
        migrations.AddField(
            model_name='macro',
            name='retry_server_error',
            field=models.BooleanField(default=True, verbose_name='server error (5xx)'),
        ),
        migrations.AddField(
            model_name='macro',
            name='retry_timeout',
            field=models.BooleanField(default=True, verbose_name='timeout'),
        ),
        migrations.AddField(
            model_name='macro',
            name='retry_unknown',
            field=models.BooleanField(default=True, help_text='After a timeout the system may have acted on the request, so that a retry may make it act twice. Off: such a delivery fails and says so.', verbose_name='also when the outcome is unknown'),
        ),
    ]
