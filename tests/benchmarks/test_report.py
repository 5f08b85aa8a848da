"""Tables, and what two runs of a scenario say of each other."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.report import Row, Table, compare, write


@pytest.fixture(autouse=True)
def own_results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nothing be written beside real results."""
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")


def test_it_shows_figures_notes_and_what_failed() -> None:
    table = Table("Title", [{"server": "ours", "ms": 1.234, "bursts/s": None}])
    table.notes.append("nchan is left out.")
    table.failures.append("ours lost 3.")
    title, _machine, _columns, row, note, failure = table.text().splitlines()
    assert title == "Title"
    assert row.split() == ["ours", "1.23", "–"]
    assert (note, failure) == ("nchan is left out.", "ours lost 3.")
    written = json.loads(write("scenario", table).read_text())
    assert written["failures"] == ["ours lost 3."]
    assert {"commit", "kernel", "processor", "PostgreSQL", "Redis", "ws"} <= written[
        "versions"
    ].keys()


def test_it_divides_each_figure_by_that_of_the_run_before(tmp_path: Path) -> None:
    before = _written(
        tmp_path / "A.json",
        {"server": "ours", "clients": 100, "speed": 200, "ms": 4.0, "bursts/s": None},
        {"server": "ours", "clients": 1000, "speed": 300, "ms": 0.0, "bursts/s": 8},
        {"server": "theirs", "clients": 100, "speed": 1, "ms": 1.0, "bursts/s": None},
    )
    after = _written(
        tmp_path / "B.json",
        {"server": "ours", "clients": 1000, "speed": 600, "ms": 1.0, "bursts/s": 4},
        {"server": "ours", "clients": 100, "speed": 100, "ms": 1.0, "bursts/s": 5},
    )
    table = compare(before, after)
    assert table.rows == [
        {"server": "ours", "clients": 100, "speed": 0.5, "ms": 0.25, "bursts/s": None},
        {"server": "ours", "clients": 1000, "speed": 2.0, "ms": None, "bursts/s": 0.5},
    ]
    assert table.notes == ["Only in A.json: theirs, 100."]


def test_it_compares_rows_without_a_name_in_their_order(tmp_path: Path) -> None:
    before = _written(tmp_path / "A.json", {"ms": 1.0}, {"ms": 2.0})
    after = _written(tmp_path / "B.json", {"ms": 2.0}, {"ms": 8.0})
    assert compare(before, after).rows == [{"ms": 2.0}, {"ms": 4.0}]


@pytest.mark.parametrize(("failures", "code"), [([], 0), (["lost"], 1)])
def test_it_fails_when_something_was_lost(
    failures: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def run(**options: object) -> Table:
        asked.update(options)
        return Table("Fan-out", [{"server": "ours"}], failures=failures)

    monkeypatch.setitem(command.SCENARIOS, "fanout", run)
    monkeypatch.setattr(sys, "argv", ["bench", "fanout", "--peers", "--clients", "10", "20"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == code
    assert asked == {"peers": True, "reps": 3, "clients": [10, 20]}


def _written(path: Path, *rows: Row) -> Path:
    path.write_text(json.dumps({"rows": rows}))
    return path
