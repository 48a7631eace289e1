from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('logs', '0002_destination_breaker_destination_concurrency_and_more'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='attempts_before',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='delivery',
            name='resend',
            field=models.CharField(blank=True, choices=[('same', 'Same request again'), ('anew', 'Build anew')], max_length=4, default=''),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='delivery',
            name='resent_at',
            field=models.DateTimeField(null=True, verbose_name='resent'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='resent_by',
            field=models.CharField(blank=True, max_length=150, default=''),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='run',
            name='state',
            field=models.CharField(choices=[('active', 'In progress'), ('paused', 'Paused'), ('cancelling', 'Cancelling'), ('finished', 'Finished'), ('cancelled', 'Cancelled')], default='active', max_length=10),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('resent_at__isnull', False)), fields=['resent_at'], name='delivery_resent'),
        ),
    ]
