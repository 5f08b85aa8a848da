"""What the journeys have beside the other fixtures: a real browser in front of a real server."""

import os
from typing import Any

import pytest

from tests.support.machine import chromium
from tests.support.servers import Marketplace

# Playwright's driver keeps an event loop running in this thread. Nothing else runs in it, so the
# tests may use the database between two steps of the browser.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--no-sandbox",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the machine's Chromium; Playwright's own cannot be downloaded everywhere."""
    return {**browser_type_launch_args, "executable_path": chromium(), "args": QUIET}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Say that there is none for all tests, in place of the plugin's own fixture.

    That one has a form which pytest warns of, and a warning is an error here.
    """


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], live_server_process: Marketplace
) -> dict[str, Any]:
    """Let page.goto("/login") mean this test's own server."""
    return {**browser_context_args, "base_url": live_server_process.url}
