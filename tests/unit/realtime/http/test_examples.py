"""Examples of events are valid, and a reader recognises them."""

import pytest

from realtime.contract.asyncapi import asyncapi
from realtime.contract.registry import CLIENT_EVENTS, ClientEvent
from realtime.http.examples import example

DOCUMENT = asyncapi("1")
MESSAGES = {message["name"]: message for message in DOCUMENT["components"]["messages"].values()}
SCHEMAS = DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("event", CLIENT_EVENTS.values(), ids=lambda event: event.name)
def test_the_example_of_an_event_can_be_sent(event: ClientEvent) -> None:
    """The payload on the page passes the validator of the socket, and the ack is what its model says."""
    message = MESSAGES[event.name]
    event.adapter.validate_python(example(message["payload"], SCHEMAS))
    data = example(message["x-ack"]["oneOf"][0]["properties"]["data"], SCHEMAS)
    assert event.ack is not None
    event.ack.model_validate(data)


def test_an_example_names_things_as_people_do() -> None:
    """A user is called ada, a room and a message have ids of their kind."""
    room = example({"$ref": "#/components/schemas/Room"}, SCHEMAS)
    assert ("Algebra, group B", "ada", room["id"]) == (
        room["title"],
        room["last_message"]["sender_id"],
        room["last_message"]["room_id"],
    )
    assert room["id"] != room["last_message"]["id"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": "x"}, "x"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "integer", "default": 50}, 50),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "boolean"}, True),
        ({"type": "string", "format": "date-time"}, "2026-11-21T09:30:00.000Z"),
        ({"type": "array", "items": {"const": 1}}, [1]),
        ({"anyOf": [{"const": 1}, {"type": "null"}]}, 1),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, 1),
        ({"properties": {"a": {"const": 1}, "b": {"const": 2}}, "required": ["a"], "type": "object"}, {"a": 1}),
        ({"properties": {"a": {"const": 1}, "b": {"const": 2}}, "type": "object"}, {"a": 1, "b": 2}),
        ({"examples": ["given"], "type": "string"}, "given"),
    ],
)
def test_an_example_follows_its_schema(schema: dict[str, object], expected: object) -> None:
    """What is given first, then what is fixed, then what the type allows."""
    assert expected == example(schema, {})
