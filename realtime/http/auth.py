"""Signing in and out."""

from dataclasses import replace

import orjson
from aiohttp import web

from auth.policy import Action, may_in_school
from auth.sessions import TokenPair
from auth.types import Role, User
from core.clock import to_wire
from core.errors import ErrorCode, HomeroomError, invalid
from core.ids import UserId
from realtime.contract.encode import user_json
from realtime.http.models import Refresh, Revoke, TokenMint, without_none
from realtime.http.route import Call, Json
from realtime.http.users import keep

SIGNED_OUT = "signed_out"
"""The reason that the connections of a revoked user are closed with."""


async def mint(call: Call[None, TokenMint]) -> Json:
    """Sign a person in on behalf of the school's backend."""
    user = await _upsert(call)
    return {**tokens_json(await call.services.sessions.issue(user)), "user": user_json(user)}


async def refresh(call: Call[None, Refresh]) -> Json:
    """Trade a refresh token for a new pair."""
    return tokens_json(await call.services.sessions.refresh(call.body.refresh_token))


async def revoke(call: Call[None, Revoke]) -> None:
    """End one sign-in, or all of a user's, and close their connections. Says nothing about whether there were any."""
    if call.body.refresh_token is not None:
        user_id = await _revoke_one(call, call.body.refresh_token)
    else:
        user_id = await _revoke_all(call, UserId(call.body.user_id or ""))
    if user_id is not None:
        call.edge.disconnect_user(user_id, SIGNED_OUT)


async def jwks(call: Call[None, None]) -> web.Response:
    """Return the public keys of access tokens made here. Verifiers may keep them for a while."""
    headers = {"Cache-Control": "public, max-age=300"}
    return web.Response(body=orjson.dumps(call.edge.jwks), content_type="application/json", headers=headers)


def tokens_json(pair: TokenPair) -> Json:
    """Return a `Tokens`."""
    return {
        "access_token": pair.access_token,
        "expires_at": to_wire(pair.expires_at),
        "refresh_token": pair.refresh_token,
        "refresh_expires_at": to_wire(pair.refresh_expires_at),
    }


async def _upsert(call: Call[None, TokenMint]) -> User:
    """Return the person as the mint describes them, stored. Raises `request.invalid` for a new one without a role."""
    asked = without_none(call.body.model_dump(exclude={"user_id", "role"}))
    role = Role(call.body.role) if call.body.role else None
    user_id = UserId(call.body.user_id)
    known = await call.services.users.get(user_id)
    if known is None and role is None:
        raise invalid("This person is new here: say their role.", "role")
    before = known or User(user_id, call.body.user_id, role or Role.STUDENT)
    user: User = replace(before, **asked, role=role or before.role)
    await keep(call.edge, known, user)
    return user


async def _revoke_one(call: Call[None, Revoke], refresh_token: str) -> UserId | None:
    try:
        return await call.services.sessions.revoke(refresh_token)
    except HomeroomError as exc:
        # RFC 7009 §2.2: an unknown token is as good as revoked.
        if exc.code is not ErrorCode.AUTH_INVALID_TOKEN:
            raise
        return None


async def _revoke_all(call: Call[None, Revoke], user_id: UserId) -> UserId:
    if not may_in_school(call.principal.role, Action.REVOKE_USER):
        raise HomeroomError(ErrorCode.AUTH_FORBIDDEN)
    await call.services.sessions.revoke_user(user_id)
    return user_id
