"""Tables: for people, and as JSON so that two runs can be compared."""

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass
class Table:
    """Rows of figures under one title. Each row has the same columns."""

    title: str
    rows: list[dict[str, str | int | float]] = field(default_factory=list)

    def text(self) -> str:
        """The table for a terminal."""
        columns = list(self.rows[0])
        cells = [columns, *([_written(row[name]) for name in columns] for row in self.rows)]
        widths = [max(len(line[number]) for line in cells) for number in range(len(columns))]
        lines = (
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in cells
        )
        return "\n".join([self.title, machine(), *lines])


def _written(value: str | float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def machine() -> str:
    """The size of the machine that measured."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores, {pages / 2**30:.0f} GiB, Python {platform.python_version()}"


def write(scenario: str, table: Table) -> Path:
    """Write the table as JSON under benchmarks/results and return its path."""
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{scenario}-{now:%Y%m%d-%H%M%S}.json"
    content = {
        "title": table.title,
        "at": now.isoformat(),
        "machine": machine(),
        "rows": table.rows,
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def percentile(values: list[float], share: float) -> float:
    """The value below which that share (0 to 1) of the values lies; they must be sorted."""
    return values[min(int(len(values) * share), len(values) - 1)]
