"""What those who run the server ask it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from realtime.contract.asyncapi import asyncapi
from realtime.http.openapi import openapi
from realtime.http.routes import ROUTES
from tests.support.api import Api, school


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school."""
    async with school(tmp_path, web_dir=tmp_path / "no-app") as api:
        yield api


async def test_alive_and_ready(api: Api) -> None:
    """Both say so in one word."""
    assert {"status": "ok"} == await api.ok("GET", "/healthz")
    assert {"status": "ready"} == await api.ok("GET", "/readyz")


async def test_a_draining_server_is_alive_but_not_ready(api: Api) -> None:
    """503 with the reasons takes it out of the balancer, while it finishes."""
    list(api.server.app.edge.drain(0.0))
    answer = await api.call("GET", "/readyz")
    assert (503, ["draining"], "server.unavailable") == (answer.status, answer.json["reasons"], answer.code)
    assert {"status": "ok"} == await api.ok("GET", "/healthz")


async def test_a_dead_store_is_not_ready(api: Api) -> None:
    """Traffic goes elsewhere as long as nothing can be written."""
    await api.server.app.store.close()
    assert ["store"] == (await api.refused("GET", "/readyz"))["reasons"]


async def test_metrics_count_requests_by_template(api: Api) -> None:
    """Ids and query strings never become labels, and neither do made-up methods and paths."""
    await api.refused("GET", "/v1/rooms/one?limit=1", by="ada")
    await api.refused("GET", "/v1/rooms/two", by="ada")
    await api.call("PROPFIND", "/coffee")
    await api.call("GET", "/")
    answer = await api.call("GET", "/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    counts = {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for sample in families["homeroom_http_request_seconds"].samples
        if sample.name.endswith("_count")
    }
    assert {
        ("/v1/rooms/{room_id}", "GET", "404"): 2.0,
        ("other", "other", "404"): 1.0,
        ("web", "GET", "200"): 1.0,
    } == counts


async def test_the_documents_are_those_of_the_code(api: Api) -> None:
    """What is served is what is generated, version included."""
    http, live = await api.ok("GET", "/openapi.json"), await api.ok("GET", "/asyncapi.json")
    assert openapi(ROUTES, http["info"]["version"]) == http
    assert asyncapi(http["info"]["version"]) == live


async def test_the_reference_is_one_page_that_loads_nothing(api: Api) -> None:
    """Its policy allows its own script and style by their hashes, and nothing from anywhere."""
    answer = await api.call("GET", "/docs")
    assert "text/html; charset=utf-8" == answer.headers["Content-Type"]
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


async def test_head_is_get_without_the_body(api: Api) -> None:
    """Monitors may ask with HEAD."""
    answer = await api.call("HEAD", "/healthz")
    assert (200, b"") == (answer.status, answer.body)


@pytest.mark.parametrize(
    "path", ["/nothing.txt", "/v1", "/v1/", "/v1/nothing", "/v1/me/", "/.well-known/nothing", "/v2/me"]
)
async def test_an_unknown_address_is_a_problem(api: Api, path: str) -> None:
    """404 with a code, also without a web app."""
    assert "request.not_found" == (await api.refused("GET", path))["code"]


async def test_a_wrong_method_says_which_are_right(api: Api) -> None:
    """405 with Allow, as RFC 9110 §15.5.6 asks."""
    answer = await api.call("DELETE", "/v1/rooms/one")
    assert (405, "request.method_not_allowed", "GET,HEAD,PATCH") == (
        answer.status,
        answer.code,
        answer.headers["Allow"],
    )


async def test_a_post_to_nowhere_is_not_found(api: Api) -> None:
    """The web app's addresses take no other method."""
    assert "request.not_found" == (await api.refused("POST", "/somewhere", json={}))["code"]


async def test_a_bug_is_told_by_its_trace_id_only(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client gets an id to report; the message of the exception stays in the log."""

    async def broken(*_: object) -> object:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(type(api.server.app.store.users), "get", broken)
    answer = await api.call("GET", "/v1/users/ben", by="admin", headers={"X-Request-Id": "trace-me-1234"})
    assert (500, "server.internal", "trace-me-1234") == (answer.status, answer.code, answer.json["trace_id"])
    assert "trace-me-1234" in answer.json["detail"]
    assert b"42" not in answer.body.replace(b"trace-me-1234", b"")


@pytest.mark.parametrize(
    ("given", "kept"), [("abcDEF-123_.", True), ("short", False), ("x" * 65, False), ("a b c d e f", False)]
)
async def test_a_request_id_is_kept_if_it_looks_like_one(api: Api, given: str, kept: bool) -> None:
    """A proxy's id goes through to the log and back; anything else is replaced."""
    answer = await api.call("GET", "/healthz", headers={"X-Request-Id": given})
    assert kept == (given == answer.headers["X-Request-Id"])


async def test_the_software_is_not_named(api: Api) -> None:
    """No versions for those who look for them."""
    assert "Server" not in (await api.call("GET", "/healthz")).headers


async def test_the_log_names_neither_tokens_nor_queries(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per request: who, which route, how it went."""
    token = api.token("ada")
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": "find-this-line"}
    await api.call("GET", "/v1/users?query=confidential", headers=headers)
    lines = [line for line in capsys.readouterr().out.splitlines() if "find-this-line" in line]
    assert 1 == len(lines)
    assert all(part in lines[0] for part in ("/v1/users", "status=200", "user=ada"))
    assert not any(part in lines[0] for part in (token, "confidential"))
