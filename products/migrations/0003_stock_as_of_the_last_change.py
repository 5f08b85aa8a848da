from datetime import timedelta

from django.db import migrations
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F, Min

# How many rows are locked at once, each for as long as that takes.
BATCH = 1_000
# How far the database's clock may be ahead of that of the machine that migrates.
SKEW = timedelta(minutes=1)


def know_of_the_last_change(apps, schema_editor):
    """What changed a stock before the column was there was a change of our own.

    Until then the stock is known of the moment in which 0002 added the column, the same in each
    row. Whatever is written since has a later one, and is left alone: by the update itself, which
    looks again at a row that somebody else had locked.
    """
    connection = schema_editor.connection
    products = apps.get_model('products', 'Product').objects.using(connection.alias)
    recorded = MigrationRecorder(connection).migration_qs.get(app='products', name='0002_stock_as_of')
    elsewhere = products.exclude(stock_as_of=F('stock_changed_at'))
    # By comparison, not by value: SQLite has that moment as another text than Django's.
    added_at = elsewhere.filter(stock_as_of__lt=recorded.applied + SKEW).aggregate(at=Min('stock_as_of'))['at']
    if added_at is None:
        return
    untouched = elsewhere.filter(stock_as_of__lte=added_at)
    last = 0
    while batch := list(untouched.filter(pk__gt=last).order_by('pk').values_list('pk', flat=True)[:BATCH]):
        untouched.filter(pk__in=batch).update(stock_as_of=F('stock_changed_at'))
        last = batch[-1]


class Migration(migrations.Migration):

    # Each batch is committed by itself. Run again it goes on where it was.
    atomic = False

    dependencies = [
        ('products', '0002_stock_as_of'),
    ]

    operations = [
        migrations.RunPython(know_of_the_last_change, migrations.RunPython.noop, elidable=True),
    ]
