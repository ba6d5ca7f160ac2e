"""AsyncAPI 3 of the Socket.IO contract, from the registry. `python -m realtime.contract.asyncapi` prints it."""

import sys
from typing import Any, Final

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from realtime.contract import objects
from realtime.contract.connection import ConnectRefused
from realtime.contract.registry import CLIENT_EVENTS, SERVER_EVENTS, ClientEvent, ServerEvent

_EVENTS: Final[list[ClientEvent | ServerEvent]] = [*CLIENT_EVENTS.values(), *SERVER_EVENTS.values()]

_REF = "#/components/schemas/{model}"
_DESCRIPTION = (
    "Socket.IO v5 over Engine.IO v4 at `/socket.io/`. Authenticate with `auth: {token}` in the handshake. Every client "
    "event takes one object and is acknowledged with `{ok: true, data}` or `{ok: false, error}`."
)


def _key(name: str) -> str:
    return "".join(part.capitalize() for part in name.replace(":", "-").replace("_", "-").split("-"))


def _schemas() -> dict[str, Any]:
    roots: list[type[BaseModel]] = [objects.Error, ConnectRefused]
    roots += [event.ack for event in CLIENT_EVENTS.values() if event.ack]
    payloads = [event.payload for event in _EVENTS]
    roots += [payload for payload in payloads if isinstance(payload, type) and issubclass(payload, BaseModel)]
    _, inputs = models_json_schema([(model, "validation") for model in dict.fromkeys(roots)], ref_template=_REF)
    definitions: dict[str, Any] = inputs["$defs"]
    for event in CLIENT_EVENTS.values():
        if not _is_model(event.payload):
            schema = TypeAdapter(event.payload).json_schema(ref_template=_REF)
            definitions |= schema.pop("$defs", {})
            definitions[_key(event.name)] = {"title": _key(event.name), **schema}
    return definitions


def _is_model(payload: Any) -> bool:
    return isinstance(payload, type) and issubclass(payload, BaseModel)


def _payload(event: ClientEvent | ServerEvent) -> dict[str, Any]:
    if _is_model(event.payload):
        return {"$ref": _REF.format(model=event.payload.__name__)}
    if isinstance(event, ClientEvent):
        return {"$ref": _REF.format(model=_key(event.name))}
    return {"type": "object"}


def _ack(event: ClientEvent) -> dict[str, Any]:
    data = {"$ref": _REF.format(model=event.ack.__name__)} if event.ack else {"type": "object"}
    ok = {"type": "object", "required": ["ok", "data"], "properties": {"ok": {"const": True}, "data": data}}
    error = {"$ref": _REF.format(model="Error")}
    refused = {"type": "object", "required": ["ok", "error"], "properties": {"ok": {"const": False}, "error": error}}
    return {"oneOf": [ok, refused]}


def _messages() -> dict[str, Any]:
    out: dict[str, Any] = {}
    for event in _EVENTS:
        out[_key(event.name)] = {"name": event.name, "summary": event.summary, "payload": _payload(event)}
        if isinstance(event, ClientEvent):
            out[_key(event.name)]["x-ack"] = _ack(event)
    return out


def _operations() -> dict[str, Any]:
    channel = {"$ref": "#/channels/root"}
    out: dict[str, Any] = {}
    for name in CLIENT_EVENTS:
        ref = {"$ref": f"#/channels/root/messages/{_key(name)}"}
        out[f"receive{_key(name)}"] = {"action": "receive", "channel": channel, "messages": [ref]}
    for name in SERVER_EVENTS:
        ref = {"$ref": f"#/channels/root/messages/{_key(name)}"}
        out[f"send{_key(name)}"] = {"action": "send", "channel": channel, "messages": [ref]}
    return out


def asyncapi(version: str) -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document; `x-ack` of a message is the schema of its acknowledgement."""
    refs = {_key(name): {"$ref": f"#/components/messages/{_key(name)}"} for name in (*CLIENT_EVENTS, *SERVER_EVENTS)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Homeroom", "version": version, "description": _DESCRIPTION},
        "channels": {"root": {"address": "/", "messages": refs}},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def main() -> None:
    """Print the document, indented, with a final newline."""
    document = asyncapi("1")
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n")


if __name__ == "__main__":
    main()
