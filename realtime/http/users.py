"""People."""

from auth.policy import Action, may_in_school
from auth.types import Role, User
from core.errors import ErrorCode, HomeroomError, invalid
from core.ids import UserId
from core.paging import decode_cursor, encode_cursor
from realtime.contract.encode import user_json
from realtime.http.models import UserPut, UserQuery, is_person_id, without_none
from realtime.http.route import Call, Edge, Json

MAX_IDS = 100

ROLE_CHANGED = "role_changed"
"""The reason that connections are closed with when their user's role is another."""


async def me(call: Call[None, None]) -> Json:
    """Return the caller."""
    user = await call.services.users.get(call.principal.user_id)
    return {"user": user_json(user or call.principal.as_user())}


async def put(call: Call[None, UserPut]) -> Json:
    """Make a person, or replace what is known of one."""
    if not is_person_id(call.user_id):
        raise invalid("A person's id is 1 to 128 visible characters, and not an id of a service.", "user_id")
    body = call.body
    user = User(call.user_id, body.name, Role(body.role), body.avatar_url, body.tz, body.locale)
    await keep(call.edge, await call.services.users.get(user.id), user)
    return {"user": user_json(user)}


async def keep(edge: Edge, before: User | None, user: User) -> None:
    """Store a person, who was `before`."""
    if user == before:
        return
    await edge.services.users.put(user)
    if before is not None and before.role is not user.role:
        # tokens out there still speak for the old role: clients refresh, and come back with the new one
        await edge.services.sessions.void_access(user.id)
        edge.disconnect_user(user.id, ROLE_CHANGED)


async def get(call: Call[None, None]) -> Json:
    """Return one person; oneself always."""
    own = call.user_id == call.principal.user_id
    if not own and not may_in_school(call.principal.role, Action.LIST_USERS):
        raise HomeroomError(ErrorCode.AUTH_FORBIDDEN)
    user = await call.services.users.get(call.user_id)
    if user is None:
        raise HomeroomError(ErrorCode.USER_NOT_FOUND)
    return {"user": user_json(user)}


async def search(call: Call[UserQuery, None]) -> Json:
    """Return the people of some ids, or a page of those whose name or id contains the query."""
    if call.query.ids is not None:
        return {"users": [user_json(user) for user in await _named(call, call.query.ids)]}
    after = None
    if call.query.cursor is not None:
        name, user_id = decode_cursor(call.query.cursor, str, str)
        after = (str(name), str(user_id))
    limit = call.query.limit
    found = await call.services.users.search(call.query.query, after=after, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    cursor = encode_cursor(last.name.casefold(), last.id) if last else None
    return without_none({"users": [user_json(user) for user in found[:limit]], "next_cursor": cursor})


async def _named(call: Call[UserQuery, None], ids: str) -> list[User]:
    user_ids = [UserId(user_id) for user_id in dict.fromkeys(ids.split(",")) if user_id]
    if len(user_ids) > MAX_IDS:
        raise invalid(f"Name at most {MAX_IDS} ids.", "ids")
    found = await call.services.users.get_many(user_ids)
    return [found[user_id] for user_id in user_ids if user_id in found]
