from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("logs", "0003_resends"),
    ]

    operations = [
        migrations.AddField(
            model_name="destination",
            name="ca_certificates",
            field=models.TextField(
                blank=True,
                help_text="PEM, trusted beside the public authorities: for a target whose certificate is of your own making.",
                verbose_name="extra CA certificates",
            ),
        ),
        migrations.AddField(
            model_name="destination",
            name="client_certificate",
            field=models.TextField(
                blank=True,
                help_text="PEM, with its chain, for a target that asks for one (mTLS).",
            ),
        ),
        migrations.AddField(
            model_name="destination",
            name="client_key_secret",
            field=models.CharField(
                blank=True,
                help_text="The name of the community's secret that holds the certificate's private key, as PEM without a password.",
                max_length=100,
                verbose_name="secret with the client key",
            ),
        ),
    ]
