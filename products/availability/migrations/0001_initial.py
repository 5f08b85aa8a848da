import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='MessageCount',
            fields=[
                ('name', models.CharField(max_length=20, primary_key=True, serialize=False, verbose_name='messages')),
                ('number', models.PositiveBigIntegerField(default=0, verbose_name='number')),
            ],
            options={
                'verbose_name': 'count of the AMQP bridge',
                'verbose_name_plural': 'counts of the AMQP bridge',
            },
        ),
        migrations.CreateModel(
            name='ReceivedMessage',
            fields=[
                ('event_id', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('product_id', models.BigIntegerField(null=True)),
                ('stock_version', models.PositiveBigIntegerField(null=True)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['product_id', 'stock_version'], name='availability_what_came_in')],
            },
        ),
    ]
