"""How tests read the API's refusals."""

import json
from typing import Any

from django.http import HttpResponse


def errors(answer: HttpResponse) -> list[dict[str, Any]]:
    """The errors of a refusal, whose format is checked on the way."""
    assert answer.status_code >= 400, answer.content
    assert answer["Content-Type"] == "application/json"
    body = json.loads(answer.content)
    assert set(body) == {"type", "errors"}, body
    assert body["type"] in {"validation_error", "client_error", "server_error"}
    assert body["errors"]
    for error in body["errors"]:
        assert {"code", "detail", "attr"} <= set(error), error
        assert error["code"]
        assert error["detail"]
    found: list[dict[str, Any]] = body["errors"]
    return found


def refusal(answer: HttpResponse) -> tuple[int, str]:
    """The status and the code of a refusal for a single reason."""
    [error] = errors(answer)
    return answer.status_code, error["code"]


def refused_fields(answer: HttpResponse) -> dict[str, str]:
    """The codes of a 400 by the fields that they are about."""
    assert answer.status_code == 400, answer.content
    return {error["attr"]: error["code"] for error in errors(answer)}
