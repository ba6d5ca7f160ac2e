"""A POST that is sent twice is done once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import Api, school

GROUP = {"kind": "group", "title": "Algebra"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school."""
    async with school(tmp_path) as api:
        yield api


async def rooms_of(api: Api, by: str) -> int:
    """Return how many rooms someone is in."""
    return len((await api.ok("GET", "/v1/rooms", by=by))["rooms"])


async def test_a_repeat_gets_the_first_answer(api: Api) -> None:
    """Byte for byte, marked as a replay, and nothing is made twice."""
    first = await api.call("POST", "/v1/rooms", by="ada", json=GROUP, key="k")
    again = await api.call("POST", "/v1/rooms", by="ada", json=GROUP, key="k")
    assert (first.status, first.body, "true") == (again.status, again.body, again.headers["Idempotent-Replay"])
    assert ("Idempotent-Replay" in first.headers, 1) == (False, await rooms_of(api, "ada"))


async def test_a_replay_survives_a_restart(tmp_path: Path) -> None:
    """Answers are kept in the store, not in the process."""
    async with school(tmp_path) as api:
        first = await api.ok("POST", "/v1/rooms", by="ada", json=GROUP, key="k")
    async with school(tmp_path) as api:
        assert first == await api.ok("POST", "/v1/rooms", by="ada", json=GROUP, key="k")


async def test_a_key_is_for_one_request(api: Api) -> None:
    """The same key with another body or another room is a conflict, and nothing happens."""
    await api.call("POST", "/v1/rooms", by="ada", json=GROUP, key="k")
    other = await api.call("POST", "/v1/rooms", by="ada", json={**GROUP, "title": "Other"}, key="k")
    assert (409, "request.conflict", 1) == (other.status, other.code, await rooms_of(api, "ada"))
    one, two = await api.group("ada"), await api.group("ada")
    await api.ok("POST", f"/v1/rooms/{one}/messages", by="ada", json={"body": "x"}, key="m")
    refused = await api.refused("POST", f"/v1/rooms/{two}/messages", by="ada", json={"body": "x"}, key="m")
    assert "request.conflict" == refused["code"]


async def test_a_key_belongs_to_one_user_and_route(api: Api) -> None:
    """Others may use the same word, and so may the same user elsewhere."""
    mine = await api.ok("POST", "/v1/rooms", by="ada", json=GROUP, key="k")
    theirs = await api.ok("POST", "/v1/rooms", by="ben", json=GROUP, key="k")
    assert mine["room"]["id"] != theirs["room"]["id"]
    await api.ok("POST", f"/v1/rooms/{mine['room']['id']}/messages", by="ada", json={"body": "x"}, key="k")


async def test_concurrent_repeats_are_done_once(api: Api) -> None:
    """Twenty at the same moment make one room, and all get the same answer."""
    requests = (api.call("POST", "/v1/rooms", by="ada", json=GROUP, key="k") for _ in range(20))
    answers = await asyncio.gather(*requests)
    assert ({201}, 1) == ({answer.status for answer in answers}, len({answer.body for answer in answers}))
    assert (19, 1) == (sum("Idempotent-Replay" in answer.headers for answer in answers), await rooms_of(api, "ada"))


async def test_a_refusal_is_not_kept(api: Api) -> None:
    """A refused request changed nothing: the same key works when the reason is gone."""
    asked = {**GROUP, "member_ids": ["zoe"]}
    assert "user.not_found" == (await api.refused("POST", "/v1/rooms", by="ada", json=asked, key="k"))["code"]
    await api.ok("PUT", "/v1/users/zoe", by="admin", json={"name": "Zoë", "role": "student"})
    await api.ok("POST", "/v1/rooms", by="ada", json=asked, key="k")


async def test_a_replay_needs_the_same_right_to_ask(api: Api) -> None:
    """Without a valid token a key opens nothing."""
    await api.ok("POST", "/v1/rooms", by="ada", json=GROUP, key="k")
    assert "auth.missing_token" == (await api.refused("POST", "/v1/rooms", json=GROUP, key="k"))["code"]


async def test_tokens_are_never_kept(api: Api, tmp_path: Path) -> None:
    """A mint takes no key: what is answered must not lie in the store."""
    asked = {"user_id": "ada"}
    first = await api.ok("POST", "/v1/auth/tokens", by="service", json=asked, key="k")
    again = await api.ok("POST", "/v1/auth/tokens", by="service", json=asked, key="k")
    assert first["refresh_token"] != again["refresh_token"]
    assert first["refresh_token"].encode() not in everything_in(tmp_path)


def everything_in(directory: Path) -> bytes:
    """Return the content of all files."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
