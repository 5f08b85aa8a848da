"""GET /api/schema and /api/docs."""

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema


def described(client: Client) -> dict[str, Any]:
    """The API's description, valid by OpenAPI's own schema."""
    answer = client.get("/api/schema", HTTP_ACCEPT="application/json")
    schema: dict[str, Any] = answer.json()
    validate_schema(schema)  # type: ignore[no-untyped-call]
    return schema


@pytest.mark.urls("tests.rest.things")
def test_it_describes_structs_under_their_own_names(client: Client, db: None) -> None:
    schema = described(client)
    components = schema["components"]["schemas"]
    assert components["ThingData"]["properties"]["someText"] == {"type": "string"}
    assert components["InnerData"]["properties"]["deepNumber"] == {"type": "integer"}
    assert set(components["ThingInput"]["properties"]) == {"someText", "count", "small", "inner"}
    answers = schema["paths"]["/api/things"]["post"]["responses"]
    assert set(answers) == {"201", "default"}


@pytest.mark.urls("tests.rest.things")
def test_it_describes_which_pages_there_are(client: Client, db: None) -> None:
    parameters = described(client)["paths"]["/api/users"]["get"]["parameters"]
    assert {parameter["name"]: parameter["schema"] for parameter in parameters} == {
        "page": {"type": "integer", "minimum": 1, "default": 1},
        "pageSize": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }


def test_it_describes_the_whole_api(client: Client, db: None) -> None:
    schema = described(client)
    assert schema["openapi"].startswith("3.")
    assert {"/api/auth/token", "/api/products", "/api/orders"} <= set(schema["paths"])
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "session"}


def test_it_shows_a_page_without_inline_script_or_style(client: Client, db: None) -> None:
    page = client.get("/api/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert not re.search(r"<style|style=|<script>|\son\w+=", text)
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(sources) == 4
    assert all(source.startswith("/") for source in sources)
    for source in sources:
        answer = client.get(source)
        assert answer.status_code == 200, source
        b"".join(answer) if answer.streaming else answer.content


@pytest.mark.django_db
def test_it_serves_the_script_of_the_page_as_a_script(client: Client) -> None:
    answer = client.get("/api/docs?script=")
    assert answer["Content-Type"].startswith("application/javascript")
    assert "/api/schema" in answer.content.decode()
