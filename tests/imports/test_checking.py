"""It takes and refuses the same values as REST does, and knows what spreadsheets do to them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from marketplace.rest.csv_export import defused
from products.imports.checking import CheckedRow, Complaint, check_row
from products.imports.columns import FIELDS, match_columns
from products.imports.errors import UnreadableFile
from products.models import Product
from products.serializers import ProductInput

GOOD = {
    "externalId": "sku-1",
    "title": "Vase",
    "price": "12.50",
    "currency": "EUR",
    "kind": "goods",
    "stock": "10",
}
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
CELLS = {
    "externalId": st.text(max_size=110),
    "title": st.text(max_size=210),
    "description": st.text(max_size=300) | st.just("x" * 10_001),
    "category": st.text(max_size=70),
    "price": st.from_regex(r"-?[0-9]{0,12}(\.[0-9]{0,3})?", fullmatch=True) | st.text(max_size=5),
    # In capitals: a file may have them in any case, which REST refuses.
    "currency": st.sampled_from(["EUR", "USD", "DEM", "XXX", "", "EURO"])
    | st.text(max_size=4).map(str.upper),
    "kind": st.sampled_from(["goods", "tour", "service", ""]),
    "stock": st.from_regex(r"-?[0-9]{0,11}", fullmatch=True) | st.text(max_size=3),
    "maxGroupSize": st.from_regex(r"[0-9]{1,11}", fullmatch=True),
    "startsAt": MOMENTS | st.sampled_from(["2026-13-01T00:00Z", "soon"]),
    "lowStockThreshold": st.from_regex(r"[0-9]{1,11}", fullmatch=True),
    "imageUrl": st.sampled_from(["/x.png", "//x.example/y", "https://x.example/y", "javascript:x"]),
    "isActive": st.sampled_from(["true", "false", "1", "0", "perhaps"]),
}  # fmt: skip


def check(**cells: str) -> CheckedRow | list[Complaint]:
    """The row of these cells."""
    return check_row(7, list(cells.values()), match_columns(list(cells)).fields)


def values(**cells: str) -> dict[str, Any]:
    """What a good row says."""
    checked = check(**cells)
    assert isinstance(checked, CheckedRow), checked
    return checked.values()


def wrong(**cells: str) -> list[tuple[int, str]]:
    """Row and field of what is wrong."""
    checked = check(**cells)
    assert isinstance(checked, list)
    return [(complaint.row, complaint.field) for complaint in checked]


@pytest.mark.parametrize("field", FIELDS)
@given(data=st.data())
def test_it_judges_as_rest_does(field: str, data: st.DataObject) -> None:
    cell = data.draw(CELLS[field]).strip()
    if cell.startswith("'") or "\0" in cell:
        return  # spreadsheets and files have rules of their own for these
    checked = check(**{**GOOD, field: cell})
    try:
        said = ProductInput(data={**GOOD, field: cell}).read()
    except ValidationError:
        assert isinstance(checked, list), (field, cell)
        return
    if field == "externalId" and not cell:
        assert isinstance(checked, list)  # without one a row cannot be found again
        return
    assert isinstance(checked, CheckedRow), (field, cell, checked)
    assert checked.values() == said


def test_it_reads_every_field() -> None:
    wire = {name.replace("_", "") for name in CheckedRow.__struct_fields__[1:]}
    assert {field.lower() for field in FIELDS} == wire
    assert set(CELLS) == set(FIELDS)


def test_it_says_all_that_is_wrong_with_a_row() -> None:
    bad = {"externalId": "", "title": "", "price": "cheap", "currency": "EURO", "kind": "thing"}
    assert wrong(**bad, stock="-1") == [
        (7, field) for field in ("externalId", "title", "price", "currency", "kind", "stock")
    ]


def test_it_reads_prices_with_a_comma_and_words_in_any_case() -> None:
    said = values(**{**GOOD, "price": "12,5", "currency": "eur", "kind": "Goods"}, isActive="No")
    assert (said["price"], said["currency"], said["kind"]) == (Decimal("12.50"), "EUR", "goods")
    assert said["is_active"] is False


@pytest.mark.parametrize("price", ["1,234", "1.234,50", "1e3", "-1", "12.505", "٣", "NaN", "+1"])
def test_it_does_not_guess_prices(price: str) -> None:
    assert wrong(**{**GOOD, "price": price}) == [(7, "price")]


@pytest.mark.parametrize("field", ["price", "stock", "maxGroupSize", "lowStockThreshold"])
def test_a_number_of_any_length_is_one_bad_cell_and_no_more(field: str) -> None:
    assert wrong(**{**GOOD, field: "0" * 5_000}) == [(7, field)]
    assert wrong(**{**GOOD, field: "9" * 5_000}) == [(7, field)]


def test_it_takes_an_empty_cell_for_what_a_new_product_has_without_it() -> None:
    optional = [field for field in FIELDS if field not in GOOD]
    said = values(**GOOD, **dict.fromkeys(optional, ""))
    for field in optional:
        name = Product._meta.get_field(
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
        ).name
        assert said[name] == getattr(Product(), name)


def test_it_says_nothing_of_a_column_that_is_not_there() -> None:
    assert values(externalId="sku-1", price="9") == {
        "external_id": "sku-1",
        "price": Decimal("9.00"),
    }


def test_it_takes_a_row_that_ends_early_for_empty_cells() -> None:
    fields = match_columns(["externalId", "category"]).fields
    checked = check_row(2, ["sku-1"], fields)
    assert isinstance(checked, CheckedRow)
    assert checked.category == ""


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5 °C", "@home"])
def test_it_takes_back_what_an_export_has_defused(text: str) -> None:
    assert values(externalId="sku-1", title=f"'{text}")["title"] == text
    assert values(externalId="sku-1", title=text)["title"] == text


@pytest.mark.parametrize("text", ["'tis", "'80s rock 'n'-roll", "'a' + 'b'=c"])
def test_it_leaves_other_apostrophes_alone(text: str) -> None:
    assert values(externalId="sku-1", title=text)["title"] == text


@given(text=st.text(alphabet="'=+-@ab\t", min_size=1, max_size=8))
def test_it_reads_every_text_as_it_was_before_an_export(text: str) -> None:
    assert values(externalId="sku-1", title=defused(text))["title"] == text


# --- Columns --------------------------------------------------------------------------------


def test_it_finds_columns_by_their_names_in_any_order_and_case() -> None:
    columns = match_columns(["PRICE", "colour", "external_id", "", "Low stock threshold"])
    assert columns.fields == {0: "price", 2: "externalId", 4: "lowStockThreshold"}
    assert columns.ignored == ["colour"]


@pytest.mark.parametrize("header", [["title"], ["externalId", "title", "Title"], [""]])
def test_it_needs_an_external_id_and_each_column_once(header: list[str]) -> None:
    with pytest.raises(UnreadableFile) as caught:
        match_columns(header)
    assert caught.value.row == 1
