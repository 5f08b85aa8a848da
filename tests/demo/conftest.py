"""The demo, loaded."""

import pytest
from django.utils import timezone

from marketplace.demo.loading import Demo, load_demo


@pytest.fixture
def demo(db: None) -> Demo:
    """All that the demo holds, in this test's database."""
    return load_demo(now=timezone.now())
