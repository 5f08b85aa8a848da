"""It reads CSV as spreadsheets write it, and XLSX; and refuses what is built to break it."""

import io
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest

from products.imports.errors import InvalidFile, UnreadableFile
from products.imports.files import display_name, recognise
from products.imports.reading import MAX_ROW_BYTES, RawRow, read_rows
from products.imports.xlsx import text_of
from tests.imports.things import HEADER, csv_file, row, xlsx_file
from tests.support.machine import ROOT


def read(
    tmp_path: Path, content: bytes, file_format: str = "csv"
) -> tuple[list[RawRow], list[tuple[int, int]]]:
    """The rows, and what was told of the progress."""
    path = tmp_path / "upload"
    path.write_bytes(content)
    told: list[tuple[int, int]] = []
    rows = read_rows(path, file_format=file_format, tell=lambda *so_far: told.append(so_far))
    return list(rows), told


def refusal(tmp_path: Path, content: bytes, file_format: str = "csv") -> tuple[int, str]:
    """The row and the words with which the reading ends."""
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, content, file_format)
    return caught.value.row, str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_it_reads_what_spreadsheets_save(tmp_path: Path, delimiter: str, start: bytes) -> None:
    content = start + csv_file([row(1), row(2, title="Vase; blue, «fine»")], delimiter=delimiter)
    rows, told = read(tmp_path, content)
    assert rows == [(1, HEADER), (2, row(1)), (3, row(2, title="Vase; blue, «fine»"))]
    assert told[-1] == (len(content), len(content))
    assert [so_far for so_far, _ in told] == sorted(so_far for so_far, _ in told)


def test_it_keeps_line_ends_in_quotes_and_counts_rows_as_a_spreadsheet_does(tmp_path: Path) -> None:
    content = b'externalId,title\r\n1,"Vase\r\nof ""glass"""\r\n\r\n , \r\n 5 ,Pot\r\n'
    rows, _ = read(tmp_path, content)
    assert rows == [
        (1, ["externalId", "title"]),
        (2, ["1", 'Vase\r\nof "glass"']),
        (5, ["5", "Pot"]),
    ]


def test_it_reads_what_a_spreadsheet_says_of_its_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path, b"sep=;\r\nexternalId;title, long\r\n1;2\r\n")[0] == [
        (1, ["externalId", "title, long"]),
        (2, ["1", "2"]),
    ]


def test_it_says_what_is_wrong_with_line_ends_of_old(tmp_path: Path) -> None:
    assert "CR alone" in refusal(tmp_path, b"externalId,title\r1,Vase\r2,Pot\r")[1]


def test_it_reads_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    assert read(tmp_path, b"externalId\n1")[0] == [(1, ["externalId"]), (2, ["1"])]


@pytest.mark.parametrize(
    ("content", "at", "words"),
    [
        (b"externalId\nok\nVas\xe9\n", 3, "UTF-8"),
        (b"externalId\nok\nVa\0se\n", 3, "NUL"),
        (b"externalId\n" + b"x" * (MAX_ROW_BYTES + 1), 2, "too long"),
        (b'externalId\n"' + b"x\n" * MAX_ROW_BYTES, 2, "too long"),
        (b"externalId\n" + b'"a\n",' * MAX_ROW_BYTES, 2, "too long"),
        (b'externalId\n"open', 2, "no CSV"),
        (b'externalId\n"a"b\n', 2, "no CSV"),
        (b"externalId\n" + b"1," * 300 + b"1\n", 2, "columns"),
    ],
)
def test_it_refuses_what_it_cannot_read(
    tmp_path: Path, content: bytes, at: int, words: str
) -> None:
    found, message = refusal(tmp_path, content)
    assert found == at
    assert words in message


def test_it_takes_two_hundred_thousand_rows_and_no_more(tmp_path: Path) -> None:
    content = b"externalId\n" + b"1\n" * 200_000
    assert len(read(tmp_path, content)[0]) == 200_001
    assert refusal(tmp_path, content + b"1\n")[0] == 200_002


# --- XLSX -----------------------------------------------------------------------------------


def test_it_reads_a_spreadsheet_as_somebody_would_write_it(tmp_path: Path) -> None:
    moment = datetime(2026, 5, 1, 9, 30)  # noqa: DTZ001 a spreadsheet knows no zones
    cells = ["sku-1", " Vase ", 12.1, "EUR", "goods", 10.0, True, None, moment]
    rows, _ = read(tmp_path, xlsx_file([[], cells]), "xlsx")
    assert rows[0] == (1, HEADER)
    assert rows[1:] == [
        (3, ["sku-1", "Vase", "12.1", "EUR", "goods", "10", "true", "", "2026-05-01T09:30:00"])
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (12.100000000000001, "12.1"),
        (1e14, "100000000000000"),
        (False, "false"),
        (date(2026, 5, 1), "2026-05-01"),
        ("#N/A", "#N/A"),
    ],
)
def test_it_writes_values_shortly(cell: object, text: str) -> None:
    assert text_of(cell) == text


def archive(**parts: bytes) -> bytes:
    """An XLSX file with these parts in place of its own; dots stand as __."""
    changed = {name.replace("__", "."): content for name, content in parts.items()}
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_file([row(1)]))) as original,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for part in original.namelist():
            copy.writestr(part, changed.pop(part.rpartition("/")[2], b"") or original.read(part))
        for name, more in changed.items():
            copy.writestr(f"xl/{name}", more)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive(sheet1__xml=b"<x>" + b" " * 200_000_000), "more than is taken"),
        (archive(media__bin=b"\0" * 500_000_000), "more than is taken"),
        (archive(sharedStrings__xml=bytes(range(256)) * 300_000), "more than is taken"),
        (archive(sheet1__xml=b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "broken"),
        (archive(sheet1__xml=b"<worksheet><sheetData><row>"), "broken"),
        (archive(workbook__xml=b"<workbook/>"), "broken"),
        (b"PK\x03\x04" + b"x" * 100, "no XLSX"),
        (xlsx_file([row(1)])[:-40], "no XLSX"),
    ],
    ids=["sheet", "media", "texts", "entities", "cut", "empty", "no-archive", "cut-archive"],
)
def test_it_refuses_spreadsheets_that_would_fill_the_memory_or_are_none(
    tmp_path: Path, content: bytes, words: str
) -> None:
    assert words in refusal(tmp_path, content, "xlsx")[1]


def test_it_refuses_a_directory_of_a_million_files(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as bomb:
        for number in range(20_000):
            bomb.writestr(f"{number}", b"")
    assert "more than is taken" in refusal(tmp_path, content.getvalue(), "xlsx")[1]


SHARED = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
    b'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)


def sheet(*rows: str, dimension: str = "A1:B9", texts: str = "") -> bytes:
    """A spreadsheet whose rows are written by hand; texts: those that its cells share."""
    start = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    content = f'{start}<dimension ref="{dimension}"/><sheetData>{"".join(rows)}</sheetData>'
    shared = f"{start.replace('worksheet', 'sst')}{texts}</sst>".encode()
    with zipfile.ZipFile(io.BytesIO(xlsx_file([row(1)]))) as original:
        types = original.read("[Content_Types].xml").replace(b"</Types>", SHARED + b"</Types>")
    return archive(
        sheet1__xml=f"{content}</worksheet>".encode(),
        sharedStrings__xml=shared,
        **{"[Content_Types]__xml": types},
    )


def cells(number: int, *texts: str, at: str = "") -> str:
    """A row of such a sheet; at: the column of its last cell."""
    inside = [f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts]
    last = f'<c r="{at}{number}"/>' if at else ""
    return f'<row r="{number}">{"".join(inside)}{last}</row>'


def test_it_reads_all_rows_whatever_the_sheet_says_of_its_size(tmp_path: Path) -> None:
    content = sheet(cells(1, "externalId"), cells(2, "1"), cells(5, "2"), dimension="A1")
    rows, told = read(tmp_path, content, "xlsx")
    assert rows == [(1, ["externalId"]), (2, ["1"]), (5, ["2"])]
    assert told[-1] == (5, 5)


def test_it_does_not_follow_a_row_number_beyond_all_sheets(tmp_path: Path) -> None:
    content = sheet(cells(1, "externalId"), cells(99_999_999, "1"))
    assert "broken" in refusal(tmp_path, content, "xlsx")[1]


def test_it_passes_over_cells_without_a_text_however_far_they_are(tmp_path: Path) -> None:
    content = sheet(*(cells(number, "1", at="XFD") for number in range(1, 500)))
    assert {len(row.cells) for row in read(tmp_path, content, "xlsx")[0]} == {1}


def test_it_refuses_rows_that_name_one_long_text_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"<si><t>{'x' * 30_000}</t></si>"
    named = '<c t="s"><v>0</v></c>'
    content = sheet(*(f'<row r="{n}">{named * 9}</row>' for n in range(1, 40)), texts=text)
    assert refusal(tmp_path, content, "xlsx") == (1, "The row is too long.")
    monkeypatch.setattr("products.imports.reading.MAX_CHARACTERS", 500_000)
    content = sheet(*(f'<row r="{n}">{named}</row>' for n in range(1, 40)), texts=text)
    assert "more than is taken" in refusal(tmp_path, content, "xlsx")[1]


def test_it_ends_a_spreadsheet_that_takes_too_much(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(sheet(cells(1, "x" * 60_000_000)))
    script = f"import products.imports.xlsx as x; x.MEMORY_BYTES = 2**26; x.main({str(path)!r})"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True)
    assert (ended.returncode, b"MemoryError" in ended.stderr) == (1, True)


def test_it_ends_the_process_when_the_reading_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(sheet(*(cells(number, "1") for number in range(1, 20_000))))

    class GivenUp(Exception):
        """Somebody cancels."""

    def give_up(current: int, total: int) -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        list(read_rows(path, file_format="xlsx", tell=give_up))
    lines = [cmdline.read_bytes() for cmdline in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(str(path).encode() in line for line in lines)


# --- What is said at once -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("c.csv", b"", "empty"),
        ("c.csv", "externalId".encode("utf-16"), "UTF-16"),
        ("c.csv", b"externalId\n\xff", "UTF-8"),
        ("c.csv", b"external\0Id", "no text"),
        ("c.csv", xlsx_file([row(1)]), "ending"),
        ("c.xlsx", csv_file([row(1)]), "ending"),
        ("c.xls", b"\xd0\xcf\x11\xe0", "ending"),
        ("c.xlsx", archive(media__bin=b"\0" * 500_000_000), "more than is taken"),
    ],
)
def test_it_refuses_at_once_what_is_not_what_it_says(name: str, content: bytes, words: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        recognise(io.BytesIO(content), name=name)
    assert words in str(caught.value)


def test_it_takes_a_character_that_is_cut_by_the_end_of_what_it_looks_at() -> None:
    content = b"x" * (64 * 1024 - 1) + "é".encode() + b"\n"
    assert recognise(io.BytesIO(content), name="Katalog.CSV") == "csv"


def test_it_shows_a_name_without_folders_and_control_characters() -> None:
    assert display_name("C:\\shop\\ca\x07talogue.csv") == "catalogue.csv"
    assert len(display_name("x" * 500 + ".csv")) == 200
