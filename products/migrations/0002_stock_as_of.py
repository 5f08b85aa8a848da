import django.utils.timezone
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Now


def know_of_the_last_change(apps, schema_editor):
    """What changed a stock before this column was there was a change of our own."""
    products = apps.get_model('products', 'Product').objects.using(schema_editor.connection.alias)
    products.update(stock_as_of=F('stock_changed_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='stock_as_of',
            field=models.DateTimeField(db_default=Now(), default=django.utils.timezone.now, editable=False),
        ),
        migrations.RunPython(know_of_the_last_change, migrations.RunPython.noop, elidable=True),
    ]
