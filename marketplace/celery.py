"""Celery's application: `celery -A marketplace.celery worker` works on imports.

Nothing imports it but Celery's own command and who sends a task: a server without a broker does
not load Celery.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

from celery import Celery

app = Celery("marketplace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["products.imports"])
