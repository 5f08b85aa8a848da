"""Settings that make no sense stop the start with a sentence."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support.machine import ROOT

PRODUCTION = {"DEBUG": "false", "SECRET_KEY": "a key of this installation's own, long enough"}


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of its own, and print those that were derived."""
    program = "from marketplace import settings; print(settings.DEBUG, settings.PUBLIC_HOST)"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("WRITES_PER_USER", text) for text in ("lots", "", "0/min", "-1/min", "3/fortnight")),
        *(("DATABASE_URL", text) for text in ("", "nonsense", "mysql://a/b", "sqlite://x")),
        *(("DATABASE_URL", f"postgres://u:secret@h{text}") for text in ("", ":x/n", ":99999/n")),
        *(("AMQP_URL", text) for text in ("localhost", "redis://h", "amqp://u:secret@h:x")),
        ("AMQP_URL", "amqp://h;amqp://u:secret@h:99999"),
        *(("ALLOWED_ORIGINS", text) for text in ("https://*", "https://a b?x#", "https://a/")),
        *(("ALLOWED_ORIGINS", text) for text in ("https://a:99999", "https://A", "a", "ftp://a")),
        *(("PUBLIC_HOST", text) for text in ("https://a", "a b", "a/b", "*", "a:0", "[a]")),
        *(("ALLOWED_HOSTS", text) for text in ("https://a", "a:80", "a b", "::1")),
    ],
)
def test_it_refuses_what_makes_no_sense(name: str, value: str) -> None:
    answer = start(**{name: value})
    assert answer.returncode == 1
    sentence = answer.stderr.splitlines()[-1]
    assert sentence.startswith(f"django.core.exceptions.ImproperlyConfigured: {name}")
    assert "secret" not in sentence


@pytest.mark.parametrize(
    ("variables", "derived"),
    [
        ({}, "True localhost"),
        ({"ALLOWED_HOSTS": "[::1],127.0.0.1"}, "True [::1]"),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "*"}, "True localhost"),
        ({**PRODUCTION, "ALLOWED_HOSTS": "*,Market.example"}, "False market.example"),
        (
            {**PRODUCTION, "ALLOWED_HOSTS": "*", "PUBLIC_HOST": "m.example:8443"},
            "False m.example:8443",
        ),
        ({"SECRET_KEY": PRODUCTION["SECRET_KEY"], "ALLOWED_HOSTS": "m.example"}, "False m.example"),
        ({"ALLOWED_ORIGINS": "https://a.example:8443,http://[::1]"}, "True localhost"),
        ({"DATABASE_URL": "postgres://u:p@h:5432/n?sslmode=require"}, "True localhost"),
        ({"WRITES_PER_USER": "5/s"}, "True localhost"),
        ({"AMQP_URL": "amqps://u:p@one.example/v;amqp://[::1]:5672//"}, "True localhost"),
    ],
)
def test_it_takes_what_makes_sense(variables: Mapping[str, str], derived: str) -> None:
    answer = start(**variables)
    assert answer.stderr == ""
    assert answer.stdout.strip() == derived


@pytest.mark.parametrize("hosts", ["*", ".market.example"])
def test_it_asks_for_the_public_host_where_only_patterns_are_allowed(hosts: str) -> None:
    answer = start(**PRODUCTION, ALLOWED_HOSTS=hosts)
    assert "PUBLIC_HOST must be host[:port], not ''." in answer.stderr


def test_it_asks_for_a_key_where_others_are_served() -> None:
    assert "SECRET_KEY must be set when DEBUG is false." in start(ALLOWED_HOSTS="m.example").stderr
