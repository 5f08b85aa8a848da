"""The reference of the events says what the declarations say."""

import inspect
from pathlib import Path

from django.conf import settings
from rest_framework.test import APIClient

from realtime.events import Event
from realtime.reference import all_messages, asyncapi_document, markdown_reference


def test_it_stands_in_the_documents_as_the_declarations_have_it() -> None:
    written = Path(settings.BASE_DIR, "docs", "events.md").read_text()
    assert written == markdown_reference(), "Run: manage.py event_reference > docs/events.md"


def test_it_documents_every_message() -> None:
    undocumented = [m.type_name for m in all_messages() if not (inspect.getdoc(m) or "").strip()]
    assert undocumented == []


def test_it_names_each_event_of_the_product() -> None:
    document = asyncapi_document()
    assert document["asyncapi"] == "3.0.0"
    assert {"order-created", "product-updated", "availability-low"} <= set(Event.declared)
    for name, event in Event.declared.items():
        payload = document["components"]["messages"][name]["payload"]
        identified = [] if event.is_ephemeral else ["id"]
        assert payload["required"] == [*identified, "type", "timestamp", "data"]
        assert payload["properties"]["type"] == {"const": name}


def test_it_resolves_every_reference_within_the_document() -> None:
    document = asyncapi_document()

    def resolve(reference: str) -> object:
        found: object = document
        for part in reference.removeprefix("#/").split("/"):
            assert isinstance(found, dict), reference
            found = found[part]
        return found

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                assert resolve(node["$ref"]) is not None
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document)


def test_it_is_served_to_everybody(db: None) -> None:
    answer = APIClient().get("/api/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json() == asyncapi_document()
