"""The OpenAPI document: valid, whole, and with examples that its own schemas accept."""

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from core.errors import ERRORS, ErrorCode
from realtime.http.openapi import codes_of, main, openapi
from realtime.http.routes import ROUTES

DOCUMENT = openapi(ROUTES, "1.2.3")
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_it_is_valid() -> None:
    """OpenAPI 3.1, by its own schema."""
    assert [] == list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors())


def test_it_has_every_route_and_no_other() -> None:
    """The table is the document."""
    assert sorted(route.name for route in ROUTES) == sorted(name for name, _ in OPERATIONS)


def test_operation_ids_are_unique() -> None:
    """Client generators make functions of them."""
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def contents(value: Any) -> list[tuple[Any, Any]]:
    """Return the schema and each example of every JSON content within a value."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        if "schema" in value:
            found += [(value["schema"], value["example"])] if "example" in value else []
            found += [(value["schema"], one["value"]) for one in value.get("examples", {}).values()]
        for inner in value.values():
            found += contents(inner)
    return found


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_examples_are_what_their_schemas_say(name: str, operation: dict[str, Any]) -> None:
    """A reader who copies an example sends a valid request."""
    for schema, example in contents(operation):
        validator = OAS31Validator({**schema, "components": DOCUMENT["components"]})
        assert [] == list(validator.iter_errors(example))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_refusal_is_listed_with_its_status(route: Any) -> None:
    """Each code of a route stands under the status that it really has."""
    operation = dict(OPERATIONS)[route.name]
    listed = {
        (code, int(status))
        for status, answer in operation["responses"].items()
        for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert {(str(code), ERRORS[code].status) for code in codes_of(route)} == listed


def test_roles_come_from_the_policy() -> None:
    """Who may call what is said where it is decided."""
    operations = dict(OPERATIONS)
    assert ["service"] == operations["POST /v1/auth/tokens"]["x-roles"]
    assert ["admin", "service"] == operations["PUT /v1/users/{user_id}"]["x-roles"]
    assert ["student", "teacher", "admin", "service"] == operations["GET /v1/users"]["x-roles"]


@pytest.mark.parametrize(
    ("name", "security"),
    [
        ("GET /v1/me", [{"bearer": []}]),
        ("POST /v1/auth/revoke", [{}, {"bearer": []}]),
        ("POST /v1/auth/refresh", []),
        ("GET /healthz", []),
    ],
)
def test_security_says_who_needs_a_token(name: str, security: list[Any]) -> None:
    """Required, optional, none."""
    assert security == dict(OPERATIONS)[name]["security"]


def test_what_is_left_out_is_never_null() -> None:
    """Optional values of answers are absent, so no schema allows null."""
    properties = [
        schema
        for model in DOCUMENT["components"]["schemas"].values()
        for schema in model.get("properties", {}).values()
    ]
    assert [] == [schema for schema in properties if {"type": "null"} in schema.get("anyOf", [])]


def test_a_code_beyond_the_table_cannot_be_listed() -> None:
    """Codes of routes are members of the one enumeration."""
    assert all(isinstance(code, ErrorCode) for route in ROUTES for code in codes_of(route))


def test_it_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For those who keep the document beside their code."""
    main()
    assert openapi(ROUTES, "1") == json.loads(capsys.readouterr().out)
