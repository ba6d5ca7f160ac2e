"""Example values made from JSON Schema, so that the reference never shows one that its schema would refuse."""

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_ROOM: Final = "019aa5c2-7d10-7c3e-9f51-2b8e4d6a0c11"
_MESSAGE: Final = "019aa5c4-02bf-7a60-8d27-5e1f3c9b7a42"
_INSTANT: Final = "2026-11-21T09:30:00.000Z"

_OF_OBJECT: Final[dict[tuple[str, str], Any]] = {
    ("User", "id"): "ada",
    ("Message", "id"): _MESSAGE,
    ("Room", "id"): _ROOM,
    ("Room", "settings"): {"open": False, "slow_mode_s": 0},
    ("Jwk", "kid"): "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    ("Error", "message"): "There is no such room.",
    ("SyncRequired", "room_id"): _ROOM,
    ("SendMessage", "message"): "Is the homework due on Friday?",
}
_NAMED: Final[dict[str, Any]] = {
    "room_id": _ROOM,
    "sessionId": "algebra-7",
    "message_id": _MESSAGE,
    "user_id": "ada",
    "sender_id": "ada",
    "created_by": "ms-rao",
    "connection_id": "019aa5c3-51d2-7b04-a6c8-90ef12ab34cd",
    "client_id": "c-7f3a",
    "member_ids": ["ada", "ben"],
    "user_ids": ["ada", "ben"],
    "name": "Ada Lovelace",
    "title": "Algebra, group B",
    "body": "Is the homework due on Friday?",
    "emoji": "👍",
    "reactions": {"👍": ["ben"]},
    "mentions": [],
    "attachments": [],
    "seq": 42,
    "last_seq": 42,
    "read_seq": 42,
    "delivered_seq": 42,
    "rev": 57,
    "since_rev": 51,
    "unread": 0,
    "member_count": 24,
    "archived": False,
    "on": True,
    "reset": False,
    "has_more": False,
    "retryable": False,
    "token": "eyJhbGciOiJFZERTQSIs…",
    "access_token": "eyJhbGciOiJFZERTQSIs…",
    "refresh_token": "hrr_8sJ…",
    "code": "room.not_found",
    "reason": "removed",
    "kty": "OKP",
    "query": "ada",
    "reconnect_after_ms": 1200,
}
_SHOWN: Final = frozenset({"me", "last_message", "kid", "read_seq", "user", "message"})
"""Optional properties that an example is better with."""


def resolve(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return the schema that a `$ref` points to, or the schema itself."""
    reference = schema.get("$ref")
    return definitions[reference.rpartition("/")[2]] if reference else schema


def without_null(schema: Schema) -> Schema:
    """Return the schema of an optional value when it is there: what is None is left out on the wire."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**options[0], **rest}


def example(schema: Schema, definitions: Mapping[str, Schema], name: str = "", of: str = "") -> Any:
    """Return an example of `schema`, which is the property `name` of the object `of`."""
    schema = resolve(without_null(schema), definitions)
    if "examples" in schema:
        return schema["examples"][0]
    if (of, name) in _OF_OBJECT:
        return _OF_OBJECT[of, name]
    if name in _NAMED:
        return _NAMED[name]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("default"):
        return schema["default"]
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        return example(options[0], definitions, name, of)
    return _of_type(schema, definitions)


def _of_type(schema: Schema, definitions: Mapping[str, Schema]) -> Any:
    match schema.get("type"):
        case "object":
            return _of_properties(schema, definitions)
        case "array":
            return [example(schema["items"], definitions)]
        case "integer" | "number":
            return max(schema.get("minimum", 1), 1)
        case "boolean":
            return True
        case _:
            return _INSTANT if schema.get("format") == "date-time" else "…"


def _of_properties(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, Any]:
    properties, of = schema.get("properties", {}), schema.get("title", "")
    required = set(schema.get("required", properties))  # where nothing is required, all is shown
    shown = [name for name in properties if name in required | _SHOWN or (of, name) in _OF_OBJECT]
    return {name: example(properties[name], definitions, name, of) for name in shown}
