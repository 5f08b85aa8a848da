"""The encoders, with bytes alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.frames import numbered, sse_frame

names = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def read_as_browser(frame: bytes) -> dict[str, str]:
    """The fields of one frame as WHATWG's event stream interpretation has them."""
    fields: dict[str, str] = {}
    body = frame.decode().removesuffix("\n\n")
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields


def test_it_has_the_form_of_the_contract() -> None:
    frame = sse_frame(event="order-created", data='{"id":4182}', position=4182)
    assert frame == b'id: 4182\nevent: order-created\ndata: {"id":4182}\n\n'


def test_it_writes_no_id_line_without_a_position() -> None:
    assert sse_frame(event="subscribed", data="{}") == b"event: subscribed\ndata: {}\n\n"


@given(event=names, data=texts, position=st.integers(min_value=0))
def test_it_brings_every_text_to_the_browser(event: str, data: str, position: int) -> None:
    fields = read_as_browser(sse_frame(event=event, data=data, position=position))
    assert fields["event"] == event.removeprefix(" ") or fields["event"] == event
    assert fields["id"] == str(position)
    assert fields["data"] == data.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("event", ["a\nb", "a\rb", "a\0b", "x\ndata: forged"])
def test_it_refuses_a_name_that_could_forge_a_frame(event: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        sse_frame(event=event, data="{}")


@given(st.dictionaries(st.text(), st.integers(), min_size=1).filter(lambda d: "id" not in d))
def test_it_puts_the_id_in_front_of_any_object(data: dict[str, int]) -> None:
    payload = json.dumps(data)
    text = numbered(payload, 7)
    assert json.loads(text) == {"id": 7, **data}
    assert text.startswith('{"id":7,')
