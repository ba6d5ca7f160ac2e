"""Signing in, staying signed in, and being shown the door."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.ids import UserId
from realtime.lifecycle import Server
from tests.integration.conftest import Join
from tests.support.person import Person, Refused, connected
from tests.support.server import running, token, user


async def refusal(server: Server, credential: str | None, **more: Any) -> dict[str, object]:
    """Return the `data` of the connect_error that a credential gets."""
    with pytest.raises(Refused) as caught:
        await Person("someone").connect(server.url, credential, **more)
    data: dict[str, object] = caught.value.data["data"]
    return data


async def test_ready_comes_first(server: Server, join: Join) -> None:
    """The first event says who one is, and what the limits are."""
    ada = await join("ada")
    name, ready = ada.events[0]
    assert ("ready", {"id": "ada", "name": "Ada", "role": "student"}) == (name, ready["user"])
    assert 8000 == ready["limits"]["body_chars"]


async def test_a_bad_credential_is_refused_with_its_code(server: Server) -> None:
    """No token, garbage, a forged signature and an expired token each get a stable code, and no connection."""
    good = token(server, "ada")
    assert {"code": "auth.invalid_token"} == await refusal(server, None)
    assert {"code": "auth.invalid_token"} == await refusal(server, "garbage")
    head, body, signature = good.split(".")
    forged = ".".join([head, body, signature[::-1]])
    assert {"code": "auth.invalid_token"} == await refusal(server, forged)
    expired = server.app.minter.mint(
        (await server.app.services.admission.admit(good)).as_user(),
        timedelta(seconds=60),
        now=server.app.services.clock.now() - timedelta(hours=1),
    )[0]
    assert {"code": "auth.expired_token"} == await refusal(server, expired)


async def test_a_bearer_header_is_accepted(server: Server) -> None:
    """Clients that can set headers may send the token there."""
    person = Person("ada")
    await person.connect(server.url, None, headers={"Authorization": f"Bearer {token(server, 'ada')}"})
    await person.leave()


async def test_a_token_in_the_query_is_not_read(server: Server) -> None:
    """A token in the address would land in access logs: it does not sign anybody in."""
    person = Person("ada")
    with pytest.raises(Refused):
        await person.connect(f"{server.url}/?token={token(server, 'ada')}", None)


async def test_admin_namespace_is_for_admins(server: Server) -> None:
    """Others are refused there with `auth.forbidden`."""
    assert {"code": "auth.forbidden"} == await refusal(server, token(server, "ada"), namespaces=["/admin"])


async def test_connections_per_user_are_limited(tmp_path: Path) -> None:
    """The connection above the limit is refused, and admitted once another has gone."""
    async with running(tmp_path, {"connections_per_user": 2}) as server:
        first, second, third = (Person("ada") for _ in range(3))
        for person in (first, second):
            await person.connect(server.url, token(server, "ada"))
        data = await refusal(server, token(server, "ada"))
        assert "server.overloaded" == data["code"]
        assert "retry_after_ms" in data
        await first.leave()
        await third.connect(server.url, token(server, "ada"))
        await second.leave()
        await third.leave()


async def test_a_token_near_its_end_is_announced_and_then_closes(server: Server) -> None:
    """`auth:expiring` comes at once for a token with under 75 s left; at its end the connection is closed."""
    person = Person("ada")
    await person.connect(server.url, token(server, "ada", ttl=timedelta(seconds=2)))
    assert "expires_at" in await person.wait_for("auth:expiring")
    await person.disconnected.wait()


async def test_refresh_keeps_a_connection_alive(server: Server) -> None:
    """A renewed connection outlives its first token; a token of somebody else does not renew it."""
    person = Person("ada")
    await person.connect(server.url, token(server, "ada", ttl=timedelta(seconds=2)))
    other = await person.refused("auth:refresh", {"token": token(server, "ben")})
    assert "auth.forbidden" == other["code"]
    assert "auth.invalid_token" == (await person.refused("auth:refresh", {"token": "garbage"}))["code"]
    renewed = await person.ok("auth:refresh", {"token": token(server, "ada", ttl=timedelta(hours=1))})
    assert renewed["expires_at"] > (await person.wait_for("ready"))["server_time"]
    async with connected(server.url, "ben", token(server, "ben", ttl=timedelta(seconds=2))) as ben:
        await ben.disconnected.wait()  # a token of the same age has ended: ada's would have, too
        assert not person.disconnected.is_set()
    await person.leave()


async def test_revoking_a_user_closes_their_connections(server: Server, join: Join) -> None:
    """Live connections end, and the old token does not sign in again."""
    ada = await join("ada")
    old = token(server, "ada")
    await server.app.services.sessions.revoke_user(UserId("ada"))
    server.app.fanout.disconnect_user(UserId("ada"), "revoked")
    await ada.disconnected.wait()
    assert {"code": "auth.invalid_token"} == await refusal(server, old)


async def test_a_token_introduces_a_user_once(server: Server, join: Join) -> None:
    """A user unknown until now is provisioned from the token; another token of ours does not rewrite the record."""
    await join("ada")
    users = server.app.store.users
    assert user("ada") == await users.get(UserId("ada"))
    old, _ = server.app.minter.mint(user("ada", "teacher"), timedelta(hours=1))
    async with connected(server.url, "ada", old):
        assert user("ada") == await users.get(UserId("ada"))


async def test_a_change_of_role_ends_what_speaks_for_the_old_one(server: Server, join: Join) -> None:
    """After a demotion the live connection is closed, the old token is void, and the record stays demoted."""
    rao = await join("rao", "teacher")
    old = token(server, "rao", "teacher")
    admin = {"Authorization": f"Bearer {token(server, 'admin', 'admin')}"}
    body = {"name": "Rao", "role": "student"}
    async with (
        aiohttp.ClientSession(headers=admin) as http,
        http.put(f"{server.url}/v1/users/rao", json=body) as answer,
    ):
        assert 200 == answer.status
    await rao.disconnected.wait()
    assert {"code": "auth.invalid_token"} == await refusal(server, old)
    assert user("rao") == await server.app.store.users.get(UserId("rao"))
