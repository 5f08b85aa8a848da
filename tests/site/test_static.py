"""/static/: style sheets, scripts and pictures of the product."""

from django.http import StreamingHttpResponse
from django.test import Client


def test_it_serves_a_style_sheet_whole(client: Client) -> None:
    answer = client.get("/static/tokens.css")
    assert answer.status_code == 200
    assert answer["Content-Type"] == 'text/css; charset="utf-8"'
    # What streams from a synchronous iterator makes ASGI servers warn.
    assert not isinstance(answer, StreamingHttpResponse)
    assert int(answer["Content-Length"]) == len(answer.content) > 0


def test_it_answers_what_has_not_changed_without_a_body(client: Client) -> None:
    first = client.get("/static/tokens.css")
    again = client.get("/static/tokens.css", HTTP_IF_MODIFIED_SINCE=first["Last-Modified"])
    assert (again.status_code, again.content) == (304, b"")


def test_it_serves_nothing_outside(client: Client, db: None) -> None:
    assert client.get("/static/../marketplace/settings.py").status_code == 404
