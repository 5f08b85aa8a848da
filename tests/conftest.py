"""Fixtures that every folder of tests shares: people, their clients, and real servers."""

import os
import secrets
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import override_settings
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.support import servers
from tests.support.people import ADDRESS, PASSWORD, make_user

ClientFor = Callable[[User], APIClient]
StartServer = Callable[..., servers.Marketplace]
LOG_LINES = 40


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the journeys last: the browser's driver leaves an event loop running in the thread. Of
    these, files with many tests come first, or the last one would keep a single worker busy.

    What only PostgreSQL can do (two open transactions that write) is left to the run on it.
    """
    many = Counter(item.path for item in items if "journeys" in item.path.parts)
    items.sort(key=lambda item: (item.path in many, -many[item.path]))
    if connection.vendor != "postgresql":
        elsewhere = [item for item in items if item.get_closest_marker("postgresql")]
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the test's servers printed last."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, servers.Marketplace):
                printed = value.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
                report.sections.append((f"Last lines of {name}'s log", "\n".join(printed)))
    return report


# --- Every test -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Keep SQLite's test database in a file, so that threads and processes can share it."""
    if connection.vendor == "sqlite":
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords in one round."""
    with override_settings(PASSWORD_HASHERS=["tests.support.people.QuickHasher"]):
        yield


@pytest.fixture(autouse=True)
def own_traces(tmp_path: Path) -> Iterator[None]:
    """Give each test its own counters of limits and its own folder of uploads."""
    cache.clear()
    with override_settings(MEDIA_ROOT=tmp_path / "media", IMPORTS_ROOT=tmp_path / "imports"):
        yield


# --- People and their clients ---------------------------------------------------------------


@pytest.fixture
def buyer(db: None) -> User:
    """Somebody who buys, with an address."""
    return make_user("buyer", shipping_address=ADDRESS)


@pytest.fixture
def other_buyer(db: None) -> User:
    """A second buyer: the outsider of the first one's orders."""
    return make_user("other-buyer", shipping_address=ADDRESS)


@pytest.fixture
def seller(db: None) -> User:
    """Somebody who sells."""
    return make_user("seller", role="seller")


@pytest.fixture
def other_seller(db: None) -> User:
    """A second seller: the outsider of the first one's products."""
    return make_user("other-seller", role="seller")


@pytest.fixture
def staff(db: None) -> User:
    """Somebody of the staff, without a superuser's rights."""
    return make_user("staff", is_staff=True)


@pytest.fixture
def client_for() -> ClientFor:
    """Log users in as programs do: client_for(buyer).get(…) carries a Bearer token."""

    def log_in(user: User) -> APIClient:
        client = APIClient()
        credentials = {"username": user.username, "password": PASSWORD}
        answer = client.post("/api/auth/token", credentials, format="json")
        assert answer.status_code == 200, answer.content
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
        return client

    return log_in


@pytest.fixture
def session_client_for() -> ClientFor:
    """Log users in as browsers do: a session cookie, and CSRF enforced as on a real server."""

    def log_in(user: User) -> APIClient:
        client = APIClient(enforce_csrf_checks=True)
        assert client.login(username=user.username, password=PASSWORD)
        return client

    return log_in


# --- Real servers ---------------------------------------------------------------------------


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database of this test's own; script/test starts the server."""
    server = os.environ.get("TEST_POSTGRES_URL")
    assert server, "TEST_POSTGRES_URL is not set: run this test with script/test."
    name = f"own_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as administration:
        administration.execute(f'CREATE DATABASE "{name}"'.encode())
        yield server.rpartition("/")[0] + f"/{name}"
        administration.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A Redis server of this test's own: channels know no databases, so none is shared."""
    with servers.redis() as url:
        yield url


def database_url() -> str:
    """The URL of the test database, for another process."""
    now = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{now['NAME']}"
    return f"postgres://{now['USER']}:{now['PASSWORD']}@{now['HOST']}:{now['PORT']}/{now['NAME']}"


@pytest.fixture
def start_server(transactional_db: None, tmp_path: Path) -> Iterator[StartServer]:
    """Start real servers on the test's database: start_server(REDIS_URL=…, STREAMS_PER_USER="2").

    Each runs in a process of its own until the test is over. They share the database with each
    other and with the test, which may prepare and look at it as always.
    """
    with ExitStack() as running:

        def start(**variables: str) -> servers.Marketplace:
            folder = tmp_path / f"server-{secrets.token_hex(4)}"
            folder.mkdir()
            shared = {"IMPORTS_DIR": str(tmp_path / "imports"), **variables}
            server = servers.marketplace(folder, database_url=database_url(), settings=shared)
            return running.enter_context(server)

        yield start


@pytest.fixture
def live_server_process(start_server: StartServer) -> servers.Marketplace:
    """One real server on the test's database, with the settings of a developer's machine."""
    return start_server()
