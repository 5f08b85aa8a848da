"""Logging in on a real server with the settings of production, behind a proxy that speaks TLS."""

import re
from http.cookies import SimpleCookie

import httpx
import pytest

from marketplace.accounts.models import User
from tests.conftest import StartServer
from tests.support.people import PASSWORD
from tests.support.servers import Marketplace

ORIGIN = "https://market.example"
PROXY = {"Host": "market.example", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


class Browser:
    """Sends what nginx passes on, and keeps cookies by itself: httpx would hold Secure ones back,
    because its own connection is without TLS."""

    def __init__(self, server: Marketplace) -> None:
        self.server = server
        self.cookies: SimpleCookie = SimpleCookie()

    def ask(self, method: str, path: str, **form: str) -> httpx.Response:
        """Send a request; the cookies of the answer are kept."""
        sent = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        headers = {**PROXY, "Origin": ORIGIN, "Cookie": sent}
        answer = httpx.request(method, self.server.url + path, headers=headers, data=form or None)
        for line in answer.headers.get_list("Set-Cookie"):
            self.cookies.load(line)
        return answer


@pytest.fixture
def guest(start_server: StartServer) -> Browser:
    """A browser on the other side of the proxy."""
    server = start_server(
        DEBUG="false",
        SECRET_KEY="a-key-of-a-test-that-has-enough-characters",
        ALLOWED_HOSTS="market.example",
        TRUSTED_PROXIES="127.0.0.1",
    )
    return Browser(server)


def test_it_logs_in_with_cookies_that_need_tls(guest: Browser, buyer: User) -> None:
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', guest.ask("GET", "/login").text)
    assert token is not None
    form = {"username": "buyer", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    answer = guest.ask("POST", "/login", **form)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert all(guest.cookies[name]["secure"] for name in ("sessionid", "csrftoken"))
    assert guest.ask("GET", "/api/auth/me").json()["username"] == "buyer"
