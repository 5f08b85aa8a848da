"""The reference of all events, made from their declarations: AsyncAPI document and Markdown."""

import inspect
import re
from typing import Any

import msgspec

from realtime import messages
from realtime.channels import channel_kinds
from realtime.events import Event, Message

_REF = "#/components/schemas/{name}"
_CONNECTION_MESSAGES: tuple[type[Message], ...] = (
    messages.Connected,
    messages.Subscribed,
    messages.Unsubscribed,
    messages.Reset,
    messages.Heartbeat,
    messages.TokenExpiring,
    messages.Closing,
)
_STREAMS = {
    "sse": ("/api/webhook/events", "Server-Sent Events; the same at /api/events."),
    "websocket": ("/ws/events", "The same messages over a WebSocket, which hears the client, too."),
}


def all_messages() -> list[type[Message]]:
    """Every declared message: those of a connection, then the apps' events by name."""
    return [*_CONNECTION_MESSAGES, *(Event.declared[name] for name in sorted(Event.declared))]


def asyncapi_document() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of everything that the server sends."""
    declared = all_messages()
    references, schemas = msgspec.json.schema_components(declared, ref_template=_REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Marketplace events",
            "version": "1.0.0",
            "description": "Every committed change, once and in order.",
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {
                "address": address,
                "description": description,
                "messages": {
                    message.type_name: {"$ref": f"#/components/messages/{message.type_name}"}
                    for message in declared
                },
            }
            for name, (address, description) in _STREAMS.items()
        },
        "operations": {
            f"receive-{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
            for name in _STREAMS
        },
        "components": {
            "messages": {
                message.type_name: _message(message, reference)
                for message, reference in zip(declared, references, strict=True)
            },
            "schemas": schemas,
        },
    }


def _message(message: type[Message], data: dict[str, Any]) -> dict[str, Any]:
    stored = issubclass(message, Event) and not message.is_ephemeral
    properties: dict[str, Any] = {
        "type": {"const": message.type_name},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": data,
    }
    required = ["type", "timestamp", "data"]
    if stored or message in (messages.Connected, messages.Reset, messages.Heartbeat):
        properties = {"id": {"type": "integer"}, **properties}
        required = ["id", *required]
    return {
        "name": message.type_name,
        "summary": _described(message),
        "payload": {"type": "object", "properties": properties, "required": required},
    }


def _described(message: type[Message]) -> str:
    return re.sub(r"\s+", " ", inspect.getdoc(message) or "")


def markdown_reference() -> str:
    """docs/events.md: every message with its fields, and the channels that can be asked for."""
    lines = [
        "# Events",
        "",
        "Made from the declarations by `manage.py event_reference`; do not edit.",
        "",
        "## Channels on request",
        "",
        "| channel | without a login |",
        "|---|---|",
    ]
    for kind in sorted(channel_kinds().values(), key=lambda kind: kind.name):
        name = kind.name if kind.id_form == "none" else f"{kind.name}.<{kind.id_form}>"
        lines.append(f"| `{name}` | {'yes' if kind.public else 'no'} |")
    lines += ["", "## About the connection", ""]
    for message in _CONNECTION_MESSAGES:
        lines += _section(message)
    lines += ["## About what happened", ""]
    for name in sorted(Event.declared):
        lines += _section(Event.declared[name])
    return "\n".join(lines).rstrip() + "\n"


def _section(message: type[Message]) -> list[str]:
    fields = ", ".join(f"`{name}`" for name in _wire_fields(message)) or "none"
    described = _described(message)
    if issubclass(message, Event) and message.is_ephemeral:
        described += " Not stored: without an id, and never replayed."
    return [f"### `{message.type_name}`", "", described, "", f"Data: {fields}.", ""]


def _wire_fields(message: type[Message]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(message)]
