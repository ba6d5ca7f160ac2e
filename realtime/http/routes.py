"""Every endpoint: the one list that the router, validation, OpenAPI, the docs page and the tests read."""

from collections.abc import Sequence
from typing import Final

from auth.policy import Action
from core.errors import ErrorCode as Code
from realtime.contract.messages import MessageAck, MessageHistoryAck
from realtime.contract.rooms import RoomAck, RoomList, RoomListAck, RoomOpen
from realtime.http import auth, members, messages, models, operations, rooms, users
from realtime.http.route import Route

AUTH: Final[Sequence[Route]] = (
    Route(
        "POST",
        "/v1/auth/tokens",
        auth.mint,
        "Sign a person in on behalf of the school's backend.",
        "auth",
        action=Action.MINT_TOKEN,
        body=models.TokenMint,
        response=models.MintedTokens,
        status=201,
    ),
    Route(
        "POST",
        "/v1/auth/refresh",
        auth.refresh,
        "Trade a refresh token for a new pair of tokens.",
        "auth",
        auth="none",
        body=models.Refresh,
        response=models.Tokens,
        errors=(Code.AUTH_INVALID_TOKEN, Code.AUTH_EXPIRED_TOKEN, Code.AUTH_REUSED_TOKEN),
    ),
    Route(
        "POST",
        "/v1/auth/revoke",
        auth.revoke,
        "End a sign-in, or all of a user's, and close their connections.",
        "auth",
        auth="optional",
        body=models.Revoke,
        status=204,
        errors=(Code.AUTH_MISSING_TOKEN, Code.AUTH_FORBIDDEN),
    ),
    Route(
        "GET",
        "/.well-known/jwks.json",
        auth.jwks,
        "The public keys of access tokens made here.",
        "auth",
        auth="none",
        response=models.JwkSet,
    ),
)

USERS: Final[Sequence[Route]] = (
    Route("GET", "/v1/me", users.me, "The caller.", "users", response=models.UserAnswer),
    Route(
        "GET",
        "/v1/users",
        users.search,
        "People by name or id.",
        "users",
        action=Action.LIST_USERS,
        query=models.UserQuery,
        response=models.UserPage,
    ),
    Route(
        "GET",
        "/v1/users/{user_id}",
        users.get,
        "One person.",
        "users",
        response=models.UserAnswer,
        errors=(Code.AUTH_FORBIDDEN, Code.USER_NOT_FOUND),
    ),
    Route(
        "PUT",
        "/v1/users/{user_id}",
        users.put,
        "Make a person, or replace what is known of one.",
        "users",
        action=Action.PUT_USER,
        body=models.UserPut,
        response=models.UserAnswer,
    ),
)

ROOMS: Final[Sequence[Route]] = (
    Route(
        "GET",
        "/v1/rooms",
        rooms.list_,
        "The caller's rooms, newest activity first.",
        "rooms",
        query=RoomList,
        response=RoomListAck,
    ),
    Route(
        "POST",
        "/v1/rooms",
        rooms.open_,
        "Open a direct room, or make a room.",
        "rooms",
        body=RoomOpen,
        response=RoomAck,
        status=201,
        idempotent=True,
        errors=(Code.AUTH_FORBIDDEN, Code.USER_NOT_FOUND),
    ),
    Route(
        "GET",
        "/v1/rooms/{room_id}",
        rooms.get,
        "One room, as the caller sees it.",
        "rooms",
        response=RoomAck,
        errors=(Code.ROOM_NOT_FOUND,),
    ),
    Route(
        "PATCH",
        "/v1/rooms/{room_id}",
        rooms.update,
        "Change title, rules or archive flag of a room.",
        "rooms",
        body=models.RoomPatchIn,
        response=RoomAck,
        errors=(Code.ROOM_NOT_FOUND, Code.ROOM_FORBIDDEN),
    ),
)

MESSAGES: Final[Sequence[Route]] = (
    Route(
        "GET",
        "/v1/rooms/{room_id}/messages",
        messages.history,
        "A page of messages in ascending seq.",
        "messages",
        query=models.HistoryQuery,
        response=MessageHistoryAck,
        errors=(Code.ROOM_NOT_FOUND,),
    ),
    Route(
        "POST",
        "/v1/rooms/{room_id}/messages",
        messages.send,
        "Send a message; 201 means stored.",
        "messages",
        body=models.MessagePost,
        response=MessageAck,
        status=201,
        idempotent=True,
        errors=(
            Code.MESSAGE_TOO_LONG,
            Code.ROOM_FORBIDDEN,
            Code.ROOM_MUTED,
            Code.ROOM_NOT_FOUND,
            Code.MESSAGE_NOT_FOUND,
            Code.FILE_NOT_FOUND,
            Code.ROOM_LOCKED,
            Code.ROOM_SLOW_MODE,
        ),
    ),
)

_OF_MEMBER: Final = (Code.ROOM_NOT_FOUND, Code.USER_NOT_FOUND)

MEMBERS: Final[Sequence[Route]] = (
    Route(
        "GET",
        "/v1/rooms/{room_id}/members",
        members.list_,
        "The members of a room, by user id.",
        "members",
        query=models.PageQuery,
        response=models.MemberPage,
        errors=(Code.ROOM_NOT_FOUND,),
    ),
    Route(
        "GET",
        "/v1/rooms/{room_id}/members/{user_id}",
        members.get,
        "One membership.",
        "members",
        response=models.MemberAnswer,
        errors=_OF_MEMBER,
    ),
    Route(
        "PUT",
        "/v1/rooms/{room_id}/members/{user_id}",
        members.put,
        "Add a member, or change one.",
        "members",
        body=models.MemberPut,
        response=models.MemberAnswer,
        errors=(*_OF_MEMBER, Code.ROOM_FORBIDDEN, Code.ROOM_LOCKED),
    ),
    Route(
        "DELETE",
        "/v1/rooms/{room_id}/members/{user_id}",
        members.remove,
        "End a membership; one's own: leave.",
        "members",
        status=204,
        errors=(*_OF_MEMBER, Code.ROOM_FORBIDDEN),
    ),
)

OPERATIONS: Final[Sequence[Route]] = (
    Route("GET", "/healthz", operations.healthz, "The process is alive.", "operations", "none", response=models.Health),
    Route(
        "GET",
        "/readyz",
        operations.readyz,
        "Traffic is welcome; 503 with the reasons if not.",
        "operations",
        "none",
        response=models.Ready,
        errors=(Code.SERVER_UNAVAILABLE,),
    ),
    Route(
        "GET",
        "/metrics",
        operations.metrics,
        "Metrics, for Prometheus.",
        "operations",
        "none",
        media="text/plain",
    ),
    Route("GET", "/docs", operations.docs, "This reference, for people.", "operations", "none", media="text/html"),
    Route("GET", "/openapi.json", operations.openapi, "The OpenAPI document of this API.", "operations", "none"),
    Route("GET", "/asyncapi.json", operations.asyncapi, "The AsyncAPI document of the sockets.", "operations", "none"),
)

ROUTES: Final[Sequence[Route]] = (*AUTH, *USERS, *ROOMS, *MESSAGES, *MEMBERS, *OPERATIONS)
