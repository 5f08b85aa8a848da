from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("realtime", "0005_notifications")]

    operations = [
        migrations.AddField(
            model_name="processlease",
            name="recent",
            field=models.JSONField(
                db_default={}, default=dict, help_text="What it counted over the last seconds."
            ),
        )
    ]
