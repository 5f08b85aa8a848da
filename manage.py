#!/usr/bin/env python
"""Django's command line for the marketplace."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    try:
        settings.INSTALLED_APPS  # noqa: B018 reads the environment
    except ImproperlyConfigured as error:
        sys.exit(f"{error} See docs/operations.md.")
    execute_from_command_line(sys.argv)
