import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('realtime', '0003_presence'),
    ]

    operations = [
        migrations.CreateModel(
            name='StoredCursor',
            fields=[
                ('name', models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name='name')),
                ('position', models.BigIntegerField(help_text='Everything up to here is done with.', verbose_name='position')),
                ('moved_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='moved at')),
                ('holder', models.UUIDField(null=True, verbose_name='held by')),
                ('held_until', models.DateTimeField(null=True, verbose_name='held until')),
            ],
            options={
                'verbose_name': 'reader of the log',
                'verbose_name_plural': 'readers of the log',
            },
        ),
    ]
