"""How much one user may write."""

import time
from threading import Thread

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from marketplace.rest.throttling import WriteThrottle
from tests.support.answers import refusal

REDIS_CACHE = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
}

pytestmark = pytest.mark.urls("tests.rest.things")


@pytest.fixture(autouse=True)
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate that a test reaches."""
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "3/min"})


def client_of(user: User) -> APIClient:
    """A client of this user; how one logs in is no matter here."""
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_it_counts_writes_of_every_kind(buyer: User) -> None:
    client = client_of(buyer)
    for method in (client.post, client.put, client.patch):
        assert method("/api/writes").status_code == 200

    answer = client.delete("/api/writes")
    assert refusal(answer) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_it_does_not_count_reads(buyer: User) -> None:
    client = client_of(buyer)
    for _ in range(5):
        assert client.get("/api/writes").status_code == 200


def test_it_counts_each_user_apart(buyer: User, seller: User) -> None:
    for _ in range(4):
        client_of(buyer).post("/api/writes")
    assert client_of(buyer).post("/api/writes").status_code == 429
    assert client_of(seller).post("/api/writes").status_code == 200


def test_it_begins_anew_when_the_window_is_over(
    buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "1/s"})
    client = client_of(buyer)
    answer = client.post("/api/writes")
    while answer.status_code == 200:
        answer = client.post("/api/writes")
    time.sleep(int(answer["Retry-After"]))
    assert client.post("/api/writes").status_code == 200


def test_it_loses_no_write_of_several_at_once(buyer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "20/min"})
    throttle = WriteThrottle()
    counted: list[int] = []

    def write() -> None:
        counted.extend(throttle._count("writes:test", 60) for _ in range(10))

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == list(range(1, 41))


def redis_cache(url: str) -> override_settings:
    """The cache of a deployment with this Redis."""
    backend = {**REDIS_CACHE, "LOCATION": url}
    return override_settings(CACHES={"default": backend})


def test_it_counts_in_redis_over_all_processes(buyer: User, redis_url: str) -> None:
    client = client_of(buyer)
    with redis_cache(redis_url):
        answers = [client.post("/api/writes").status_code for _ in range(4)]
        assert answers == [200, 200, 200, 429]


def test_it_lets_writes_through_when_redis_is_away(
    buyer: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(WriteThrottle, "paused_until", 0.0)
    client = client_of(buyer)
    with redis_cache("redis://127.0.0.1:1"):
        for _ in range(5):
            assert client.post("/api/writes").status_code == 200
    # After the first failure nobody waits for it for a while.
    assert caplog.text.count("The cache does not answer") == 1
