"""The table of routes says of each handler what is true."""

import re
from dataclasses import replace
from typing import get_args, get_type_hints

import pytest

from realtime.http.openapi import codes_of
from realtime.http.route import Call, Route
from realtime.http.routes import ROUTES


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_handler_is_given_what_it_says_it_takes(route: Route) -> None:
    """The models that the table validates with are the ones that the handler is written for."""
    hints = get_type_hints(route.handler)
    hints.pop("return")
    (call,) = hints.values()
    taken = get_args(call)
    body = get_args(route.body)[0] if get_args(route.body) else route.body
    assert (route.query or type(None), body or type(None)) == taken
    assert Call is call.__origin__


def test_each_endpoint_is_there_once() -> None:
    """No two rows answer the same method and path."""
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


def test_the_contract_is_covered() -> None:
    """WIRE.md §2: every endpoint of chat and operations is in the table."""
    expected = {
        "POST /v1/auth/tokens",
        "POST /v1/auth/refresh",
        "POST /v1/auth/revoke",
        "GET /.well-known/jwks.json",
        "GET /v1/me",
        "PUT /v1/users/{user_id}",
        "GET /v1/users/{user_id}",
        "GET /v1/users",
        "GET /v1/rooms",
        "POST /v1/rooms",
        "GET /v1/rooms/{room_id}",
        "PATCH /v1/rooms/{room_id}",
        "GET /v1/rooms/{room_id}/messages",
        "POST /v1/rooms/{room_id}/messages",
        "GET /v1/rooms/{room_id}/members",
        "GET /v1/rooms/{room_id}/members/{user_id}",
        "PUT /v1/rooms/{room_id}/members/{user_id}",
        "DELETE /v1/rooms/{room_id}/members/{user_id}",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /docs",
        "GET /openapi.json",
        "GET /asyncapi.json",
    }
    assert expected == {route.name for route in ROUTES}


def test_the_api_is_not_open() -> None:
    """Below /v1 only what carries its own credential in the body may be called without a bearer."""
    unguarded = {route.name for route in ROUTES if route.counted and route.auth != "required"}
    assert {"POST /v1/auth/refresh", "POST /v1/auth/revoke"} == unguarded


def test_what_creates_for_a_user_takes_a_key() -> None:
    """Rooms and messages; never tokens, whose answers must not be kept."""
    keyed = {route.name for route in ROUTES if route.idempotent}
    assert {"POST /v1/rooms", "POST /v1/rooms/{room_id}/messages"} == keyed


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_summary_is_one_sentence(route: Route) -> None:
    """It ends in a full stop, and has no other before a blank."""
    assert re.fullmatch(r"[A-Z].*[^.]\.", route.summary)
    assert ". " not in route.summary


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_code_is_named_twice(route: Route) -> None:
    """What follows from the kind of a route is not repeated in its row."""
    implied = codes_of(replace(route, errors=()))
    assert [] == [code for code in route.errors if code in implied]
