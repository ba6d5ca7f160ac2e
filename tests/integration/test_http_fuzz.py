"""Every field of every endpoint, with every odd value: refused or taken, but never a bug of ours."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from realtime.http.openapi import openapi
from realtime.http.route import Route
from realtime.http.routes import ROUTES
from tests.support.api import SERVICE, Api, school

JSON = {"Content-Type": "application/json"}
LIFTED = {"http_per_minute": 1_000_000, "http_anonymous_per_15_minutes": 1_000_000}
DOCUMENT = openapi(ROUTES, "1")
SCHEMAS = DOCUMENT["components"]["schemas"]

ODD_TEXT = [
    "",
    " ",
    "null",
    "-1",
    "0",
    "1e400",
    "9" * 40,
    "x" * 9000,
    "\u0000",
    "\u202e",
    "\ufeff",
    "\U0010ffff",
    "é" * 128,
    "'; DROP TABLE users; --",
    "%00",
    "../../etc/passwd",
    "${7*7}",
]
ODD_VALUES: list[Any] = [
    *ODD_TEXT,
    None,
    True,
    -1,
    0,
    2**63,
    10**400,
    1.5,
    [],
    [None],
    ["x"] * 2000,
    {},
    {"a": {"b": [{}]}},
]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school without rate limits."""
    async with school(tmp_path, LIFTED) as api:
        yield api


def bodies(route: Route) -> Iterator[dict[str, Any]]:
    """Yield the example bodies of a route, each with one field made odd."""
    content = DOCUMENT["paths"][route.path][route.method.lower()]["requestBody"]["content"]["application/json"]
    schema = content["schema"]
    for one in schema.get("oneOf", [schema]):
        model = SCHEMAS[one["$ref"].rpartition("/")[2]]
        for name in model["properties"]:
            for value in ODD_VALUES:
                yield {**content["example"], name: value}


async def path_of(api: Api, route: Route) -> str:
    """Return the address of a route for things that are there."""
    room_id = await api.group(SERVICE, "ada", "ben")
    return route.path.replace("{room_id}", room_id).replace("{user_id}", "ada")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body is not None], ids=lambda route: route.name)
async def test_no_body_breaks_a_route(api: Api, route: Route) -> None:
    """One odd field at a time, in every field."""
    path = await path_of(api, route)
    for body in bodies(route):
        answer = await api.call(route.method, path, by=SERVICE, data=json.dumps(body).encode(), headers=JSON)
        assert answer.status < 500, (body, answer)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.query is not None], ids=lambda route: route.name)
async def test_no_query_breaks_a_route(api: Api, route: Route) -> None:
    """One odd value at a time, in every parameter, and each of them twice."""
    path = await path_of(api, route)
    assert route.query is not None
    for name in route.query.model_fields:
        for value in ODD_TEXT:
            pair = f"{name}={quote(value[:2000])}"
            for query in (pair, f"{pair}&{name}=1", name):
                answer = await api.call(route.method, f"{path}?{query}", by=SERVICE)
                assert answer.status < 500, (query, answer)


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.path], ids=lambda route: route.name)
async def test_no_path_breaks_a_route(api: Api, route: Route) -> None:
    """One odd id at a time."""
    room_id = await api.group(SERVICE, "ada")
    good = {"{room_id}": room_id, "{user_id}": "ada"}
    for name in (name for name in good if name in route.path):
        for value in filter(None, ODD_TEXT):
            path = route.path.replace(name, quote(value[:2000], safe=""))
            for other, there in good.items():
                path = path.replace(other, there)
            answer = await api.call(route.method, path, by=SERVICE, data=b"{}", headers=JSON)
            assert answer.status < 500, (path, answer)
