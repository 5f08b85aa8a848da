"""script/server, as somebody types it."""

import resource
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from marketplace.demo import people
from tests.support.machine import ROOT
from tests.support.processes import end, free_port, listening

SERVER = ROOT / "script" / "server"


def refused(*arguments: str) -> str:
    """Run script/server with arguments that it must refuse, and return what it said."""
    answer = subprocess.run([SERVER, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    return answer.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--prot", "80"], "unknown argument --prot"),
        (["8080"], "unknown argument 8080"),
        (["--port"], "--port needs a value"),
        (["--host", ""], "--host needs a value"),
        (["--port", "http"], "--port must be 1 to 65535, not http"),
        (["--port=65536"], "--port must be 1 to 65535, not 65536"),
    ],
)
def test_it_refuses_arguments_that_it_does_not_know(arguments: list[str], reason: str) -> None:
    told = refused(*arguments)
    assert reason in told
    assert "usage: script/server" in told


def seconds_of_ended_processes() -> float:
    """The processor time that this process's children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_it_starts_with_the_demo_and_again_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/demo.sqlite3")
    for start in ("first", "second"):
        log = tmp_path / start
        before = seconds_of_ended_processes()
        with listening(
            lambda port: [SERVER, "--port", str(port)],
            ready="Serving on http://",
            log=log,
            how=signal.SIGINT,
        ) as (port, process):
            health = httpx.get(f"http://127.0.0.1:{port}/health").json()
            assert health["status"] == "ok"
            products = httpx.get(f"http://127.0.0.1:{port}/api/products").json()
            assert products["count"] == 44
            assert end(process, how=signal.SIGINT) == 0
        told = log.read_text()
        assert f"http://127.0.0.1:{port} " in told
        assert people.PASSWORD in told
        assert ("Loaded the demo" in told) == (start == "first")
    # Of the processor, and not of the clock: other tests run at the same time.
    print(f"The second start cost {seconds_of_ended_processes() - before:.1f} s.")


def test_it_shows_no_demo_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/demo.sqlite3")
    command: list[str | Path] = [SERVER, "--host", "0.0.0.0", "--port", str(free_port())]  # noqa: S104
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "set SECRET_KEY, or add --insecure-demo" in answer.stderr


def test_it_shows_no_debugging_pages_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/own.sqlite3")
    monkeypatch.setenv("SECRET_KEY", "a key of this installation's own, long enough")
    with listening(
        lambda port: [SERVER, "--host", "0.0.0.0", "--port", str(port)],  # noqa: S104
        ready="Serving on http://",
        log=tmp_path / "log",
    ) as (port, _):
        answer = httpx.get(f"http://127.0.0.1:{port}/no-such-page")
    assert answer.status_code == 404
    assert "DEBUG" not in answer.text


def test_it_refuses_debugging_pages_that_others_could_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/own.sqlite3")
    monkeypatch.setenv("SECRET_KEY", "a key of this installation's own, long enough")
    monkeypatch.setenv("DEBUG", "true")
    command: list[str | Path] = [SERVER, "--host", "0.0.0.0", "--port", str(free_port())]  # noqa: S104
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 1
    assert "set DEBUG=false, or add --insecure-demo" in answer.stderr


def test_it_names_a_setting_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "perhaps")
    answer = subprocess.run([SERVER], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    sentence = "DEBUG must be true or false, not 'perhaps'. See docs/operations.md.\n"
    assert answer.stderr == sentence
