"""Real servers on a database that this process writes as well, without a rollback behind it.

A module's servers live as long as its tests do, so nothing is emptied in between: every test has
people and products of its own.
"""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from marketplace.accounts.models import User
from tests.conftest import StartServer, database_url
from tests.streams.clocks import hurried
from tests.support import servers
from tests.support.people import ADDRESS, make_user


@pytest.fixture(scope="module")
def transactional_db(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, quick_passwords: None
) -> Iterator[None]:
    """Let the module write to the database for good; its tables are emptied at the end.

    The tests are asynchronous for their clients' sake. That they stop for a query harms nobody:
    what they wait for runs in other processes.
    """
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
async def own_connection(transactional_db: None) -> AsyncIterator[None]:
    """Have one connection for all tasks of a test: each context would open one of its own."""
    connection.ensure_connection()
    yield
    connection.close()


def start_with(stack: ExitStack, folder: Path) -> StartServer:
    """A start_server() whose servers end with the stack."""

    def start(
        program: servers.Program = servers.PRODUCTION, **variables: str
    ) -> servers.Marketplace:
        own = folder / f"server-{secrets.token_hex(4)}"
        own.mkdir()
        server = servers.marketplace(
            own, database_url=database_url(), settings=variables, program=program
        )
        return stack.enter_context(server)

    return start


@pytest.fixture(scope="module")
def server(
    transactional_db: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Marketplace]:
    """The module's server, on a fast clock; it has room for the streams of all tests together."""
    with ExitStack() as running:
        start = start_with(running, tmp_path_factory.mktemp("server"))
        yield start(
            program=hurried(),
            STREAMS_PER_USER="1000",
            STREAMS_PER_ADDRESS="1000",
            ALLOWED_ORIGINS="https://shop.example",
        )


@pytest.fixture
def start_server(transactional_db: None, tmp_path: Path) -> Iterator[StartServer]:
    """Start further servers, for this test alone, on the same database."""
    with ExitStack() as running:
        yield start_with(running, tmp_path)


def newcomer(role: str, **fields: object) -> User:
    """A user whom no other test has seen."""
    return make_user(f"{role}-{secrets.token_hex(4)}", role=role, **fields)


@pytest.fixture
def buyer(transactional_db: None) -> User:
    """Somebody who buys, with an address."""
    return newcomer("buyer", shipping_address=ADDRESS)


@pytest.fixture
def other_buyer(transactional_db: None) -> User:
    """The outsider of the first one's orders."""
    return newcomer("buyer", shipping_address=ADDRESS)


@pytest.fixture
def seller(transactional_db: None) -> User:
    """Somebody who sells."""
    return newcomer("seller")


@pytest.fixture
def other_seller(transactional_db: None) -> User:
    """The outsider of the first one's products."""
    return newcomer("seller")


@pytest.fixture
def staff(transactional_db: None) -> User:
    """Somebody of the staff, without a superuser's rights."""
    return newcomer("buyer", is_staff=True)
