"""What script/server prepares, and what it refuses to show to strangers."""

import socket
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.loading import Demo
from tests.support.people import make_user
from tests.support.processes import free_port

OWN_KEY = "a key of this installation's own, long enough"


def prepare(*arguments: str, host: str = "127.0.0.1") -> str:
    """Run manage.py prepare_server on a free port and return what it printed."""
    output = StringIO()
    port = str(free_port())
    call_command("prepare_server", "--host", host, "--port", port, *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def debug(settings: Settings) -> None:
    """The setting of a developer's machine; pytest-django turns it off."""
    settings.DEBUG = True


@pytest.mark.usefixtures("db", "debug")
class TestOnThisMachine:
    """On an address that only this machine reaches."""

    def test_it_loads_the_demo_the_first_time_and_tells_the_logins(self) -> None:
        told = prepare()
        assert "http://127.0.0.1:" in told
        assert people.PASSWORD in told
        assert all(person.username in told for person in people.EVERYBODY)

    def test_it_tells_the_logins_again_the_second_time(self) -> None:
        prepare()
        assert "Loaded the demo" not in (told := prepare())
        assert people.PASSWORD in told

    def test_it_leaves_a_database_alone_that_has_users(self) -> None:
        make_user("somebody")
        assert people.PASSWORD not in prepare()
        assert User.objects.count() == 1

    def test_it_does_not_tell_logins_whose_password_was_changed(self) -> None:
        prepare()
        admin = User.objects.get(username="admin")
        admin.set_password("nobody else knows this")
        admin.save()
        assert "/admin/" not in prepare()

    def test_it_tells_that_the_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1 port {port}"):
                call_command("prepare_server", "--host", "127.0.0.1", "--port", str(port))


@pytest.mark.usefixtures("db")
class TestWhereOthersReachIt:
    """On an address that other machines reach."""

    def test_it_refuses_the_built_in_key(self, debug: None) -> None:
        with pytest.raises(CommandError, match="the secret key is the built-in one"):
            prepare(host="0.0.0.0")  # noqa: S104

    def test_it_refuses_the_demo_logins(self, demo: Demo, settings: Settings) -> None:
        settings.SECRET_KEY = OWN_KEY
        with pytest.raises(CommandError, match="the demo's public logins"):
            prepare(host="0.0.0.0")  # noqa: S104

    def test_it_loads_no_demo(self, debug: None, settings: Settings) -> None:
        settings.SECRET_KEY = OWN_KEY
        assert people.PASSWORD not in prepare(host="0.0.0.0")  # noqa: S104
        assert not User.objects.exists()

    def test_it_shows_the_demo_to_all_where_that_is_asked_for(self, debug: None) -> None:
        assert people.PASSWORD in prepare("--insecure-demo", host="0.0.0.0")  # noqa: S104


def test_it_loads_no_demo_without_debug(db: None) -> None:
    assert people.PASSWORD not in prepare()
    assert not User.objects.exists()
