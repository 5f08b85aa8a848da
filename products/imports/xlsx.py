"""python -m products.imports.xlsx FILE: the rows of a spreadsheet's first sheet, a line each.

A process of its own, with little memory and little time: a few kilobytes of XLSX can be made to
unpack, or to take, whatever there is. Nothing of Django is loaded here. Each line is JSON: a row's
number, how many rows the sheet says it has (0 where it says nothing), and the cells as texts.
"""

import json
import resource
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

MEMORY_BYTES = 768 * 1024 * 1024
# Of a processor; two hundred thousand rows of a catalogue take some thirty.
SECONDS = 300
# One more than is taken: a row can name a cell in column 16,384, and have as many.
CELLS = 201
# What a spreadsheet can have; a file may skip as many rows as it says.
LAST_ROW = 1_048_576


def main(path: str) -> None:
    """Print the rows; whatever goes wrong ends the process with another code than 0."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    # Opened here: openpyxl takes a name for a spreadsheet's only with its ending.
    file = Path(path).open("rb")  # noqa: SIM115 the process ends with it
    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    sheet = workbook.worksheets[0]
    said = sheet.max_row or 0
    # What a sheet says of its size is often wrong, and rows beyond it would be left out.
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(max_col=CELLS, values_only=True), start=1):
        if number > LAST_ROW:
            sys.exit("There is no such row.")
        if cells.count(None) == len(cells):
            continue
        texts = [text_of(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            print(json.dumps([number, said, texts]))


def text_of(cell: Any) -> str:
    """A spreadsheet's value as somebody would write it: 10 and not 10.0, times in ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # Fifteen digits are what a spreadsheet shows: 12.1 is not 12.100000000000001.
        return format(cell, ".15g")
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    return str(cell).strip()


if __name__ == "__main__":
    main(sys.argv[1])
