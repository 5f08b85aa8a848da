import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0001_initial'),
    ]

    operations = [
        # By a default of the database, of which PostgreSQL writes no row: nobody waits for long.
        migrations.AddField(
            model_name='product',
            name='stock_as_of',
            field=models.DateTimeField(db_default=Now(), default=django.utils.timezone.now, editable=False),
        ),
    ]
