"""What tests of imports may ask for."""

import pytest


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with so many streams that nothing may be told at once."""
    monkeypatch.setattr("products.imports.announcing.Pace.wait_seconds", lambda _pace: 0.001)
