"""How often one may ask."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import ErrorCode, HomeroomError
from tests.support.api import SERVICE, Api, school
from tests.support.server import user

MINT = "/v1/auth/tokens"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A school that takes 5 requests a minute from a user, and 3 in a quarter of an hour from a stranger."""
    async with school(tmp_path, {"http_per_minute": 5, "http_anonymous_per_15_minutes": 3}) as api:
        yield api


async def codes(api: Api, count: int, method: str, path: str, **more: object) -> list[str | None]:
    """Send a request some times; return the codes of the answers."""
    return [(await api.call(method, path, **more)).code for _ in range(count)]  # type: ignore[arg-type]


async def test_a_user_is_paced(api: Api) -> None:
    """The sixth request of a minute waits; others are not touched by it."""
    assert [None] * 5 + ["rate.limited"] == await codes(api, 6, "GET", "/v1/me", by="ada")
    assert [None] == await codes(api, 1, "GET", "/v1/me", by="ben")


async def test_the_wait_is_told_in_both_units(api: Api) -> None:
    """Retry-After in whole seconds, `retry_after_ms` beside it: a twelfth of five a minute."""
    await codes(api, 5, "GET", "/v1/me", by="ada")
    answer = await api.call("GET", "/v1/me", by="ada")
    assert (429, True) == (answer.status, answer.json["retryable"])
    assert 11_000 < answer.json["retry_after_ms"] <= 12_000
    assert "12" == answer.headers["Retry-After"]


async def test_strangers_are_paced_by_address(api: Api) -> None:
    """Requests without a token, or with a wrong one, count together; a user from the same address gets through."""
    assert ["auth.missing_token"] * 2 == await codes(api, 2, "GET", "/v1/me")
    wrong = {"Authorization": "Bearer a.b.c"}
    assert ["auth.invalid_token", "rate.limited"] == await codes(api, 2, "GET", "/v1/me", headers=wrong)
    assert ["rate.limited"] == await codes(api, 1, "GET", "/v1/rooms")
    assert [None] == await codes(api, 1, "GET", "/v1/me", by="ada")


async def test_guessing_refresh_tokens_is_paced(api: Api) -> None:
    """Refused refreshes count as a stranger's."""
    guess = {"refresh_token": "hrr_" + "x" * 43}
    expected = ["auth.invalid_token"] * 3 + ["rate.limited"]
    assert expected == await codes(api, 4, "POST", "/v1/auth/refresh", json=guess)


async def test_a_school_behind_one_address_can_refresh(api: Api) -> None:
    """Refreshes that work are a user's requests: more of them than strangers may send get through."""
    token = (await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"}))["refresh_token"]
    for _ in range(5):
        token = (await api.ok("POST", "/v1/auth/refresh", json={"refresh_token": token}))["refresh_token"]
    assert "rate.limited" == (await api.refused("POST", "/v1/auth/refresh", json={"refresh_token": token}))["code"]


async def test_a_school_of_expired_tokens_learns_that_they_expired(api: Api) -> None:
    """On Monday morning everyone's first request is refused: no stranger's doing, so more than strangers may send."""
    past = api.server.app.services.clock.now() - timedelta(hours=2)
    stale, _ = api.server.app.minter.mint(user("ada"), timedelta(hours=1), now=past)
    expected = ["auth.expired_token"] * 5 + ["rate.limited"]
    assert expected == await codes(api, 6, "GET", "/v1/me", headers={"Authorization": f"Bearer {stale}"})
    assert ["auth.missing_token"] == await codes(api, 1, "GET", "/v1/me")


async def test_our_own_failures_count_for_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of the store must not lock a school out for a quarter of an hour after it."""

    async def down(*_: object) -> None:
        raise HomeroomError(ErrorCode.SERVER_UNAVAILABLE)

    with monkeypatch.context() as patch:
        patch.setattr(type(api.server.app.services.sessions), "refresh", down)
        expected = ["server.unavailable"] * 4
        assert expected == await codes(api, 4, "POST", "/v1/auth/refresh", json={"refresh_token": "any"})
    assert ["auth.missing_token"] == await codes(api, 1, "GET", "/v1/me")


async def test_a_paced_refresh_does_not_spend_its_token(api: Api) -> None:
    """Being too fast is no theft: the token still works for whoever waits (here: on another count, the service's)."""
    minted = await api.ok("POST", MINT, by=SERVICE, json={"user_id": "ada"})
    await codes(api, 3, "POST", "/v1/auth/refresh", json={"refresh_token": "guess"})
    await codes(api, 3, "POST", "/v1/auth/refresh", json={"refresh_token": minted["refresh_token"]})
    services = api.server.app.services
    assert "ada" == await services.sessions.revoke(minted["refresh_token"])


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/.well-known/jwks.json", "/"]
)
async def test_what_is_not_the_api_is_not_counted(api: Api, path: str) -> None:
    """Monitors and browsers ask as often as they like."""
    assert [None] * 8 == await codes(api, 8, "GET", path)
