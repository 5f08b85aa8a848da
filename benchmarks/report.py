"""Tables: for people, and as JSON so that two runs can be compared."""

import json
import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.machine import ROOT, postgres_program

RESULTS = Path(__file__).parent / "results"

# None: it was not measured there.
Row = dict[str, str | int | float | None]


@dataclass
class Table:
    """Rows of figures under one title. Each row has the same columns.

    notes: what has to be said of them. failures: why the run counts as failed, all of it shown.
    rounds: what the rows are medians of, for the JSON alone.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rounds: list[Row] = field(default_factory=list)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def text(self) -> str:
        """The table for a terminal."""
        columns = list(self.rows[0]) if self.rows else []
        cells = [columns, *([_written(row[name]) for name in columns] for row in self.rows)]
        widths = [max(len(line[number]) for line in cells) for number in range(len(columns))]
        lines = (
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in cells
        )
        return "\n".join([self.title, machine(), *lines, *self.notes, *self.failures])


def _written(value: str | float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


# What says which version of it is there.
VERSIONS = {
    "commit": ["git", "describe", "--always", "--dirty", "--abbrev=12"],
    "kernel": ["uname", "-sr"],
    "PostgreSQL": [postgres_program("postgres"), "--version"],
    "Redis": ["redis-server", "--version"],
    "nginx": ["/usr/sbin/nginx", "-v"],
    "node": ["node", "--version"],
}
WS = ROOT / "benchmarks" / "peers" / "package-lock.json"


def versions() -> dict[str, str]:
    """What measured, and was measured; the programs that are here."""
    found = {name: _said(command) for name, command in VERSIONS.items() if shutil.which(command[0])}
    found["ws"] = json.loads(WS.read_text())["packages"]["node_modules/ws"]["version"]
    processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return {**found, "processor": processor[1] if processor else platform.machine()}


def _said(command: list[str]) -> str:
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return (outcome.stdout or outcome.stderr).strip()


def machine() -> str:
    """The size of the machine that measured."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores, {pages / 2**30:.0f} GiB, Python {platform.python_version()}"


def write(scenario: str, table: Table) -> Path:
    """Write the table as JSON under benchmarks/results, over what was written of it before, and
    return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{scenario}-{table.began:%Y%m%d-%H%M%S}.json"
    content = {
        "title": table.title,
        "at": table.began.isoformat(),
        "machine": machine(),
        "versions": versions(),
        "rows": table.rows,
        "notes": table.notes,
        "failures": table.failures,
        "rounds": table.rounds,
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def percentile(values: list[float], share: float) -> float:
    """The value below which that share (0 to 1) of the values lies; they must be sorted."""
    return values[min(int(len(values) * share), len(values) - 1)]


def compare(first: Path, second: Path) -> Table:
    """Each figure of the second run, divided by the same of the first.

    Rows are the same that have the same texts and number of clients, in order where several have.
    """
    before, after = (_read_rows(path) for path in (first, second))
    table = Table(f"{second.name} divided by {first.name}")
    table.rows = [_ratios(row, after[key]) for key, row in before.items() if key in after]
    table.notes = [
        f"Only in {path.name}: {', '.join(map(str, key))}."
        for path, rows, others in ((first, before, after), (second, after, before))
        for key in rows
        if key not in others
    ]
    return table


def _read_rows(path: Path) -> dict[tuple[str | int, ...], Row]:
    seen: Counter[tuple[str | int, ...]] = Counter()
    rows: dict[tuple[str | int, ...], Row] = {}
    for row in json.loads(path.read_text())["rows"]:
        texts = tuple(value for name, value in row.items() if _tells_which(name, value))
        seen[texts] += 1
        rows[texts if seen[texts] == 1 else (*texts, seen[texts])] = row
    return rows


def _tells_which(name: str, value: str | float | None) -> bool:
    return isinstance(value, str) or name == "clients"


def _ratios(before: Row, after: Row) -> Row:
    return {
        name: value if _tells_which(name, value) else _ratio(value, after.get(name))
        for name, value in before.items()
    }


def _ratio(before: str | float | None, after: str | float | None) -> float | None:
    if isinstance(before, int | float) and isinstance(after, int | float) and before:
        return after / before
    return None
