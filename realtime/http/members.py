"""Members of rooms."""

from auth.types import Principal, User
from core.clock import to_wire
from realtime.contract.encode import user_json
from realtime.http.models import MemberPut, PageQuery, without_none
from realtime.http.route import Call, Json
from rooms.members import MemberPatch
from rooms.types import Member, Notify, RoomRole


async def list_(call: Call[PageQuery, None]) -> Json:
    """Return the members of a room, by user id."""
    query = call.query
    page = await call.services.members.list(call.principal, call.room_id, cursor=query.cursor, limit=query.limit)
    members = [member_json(member, user, call.principal) for member, user in page.items]
    return without_none({"members": members, "next_cursor": page.next_cursor})


async def get(call: Call[None, None]) -> Json:
    """Return one membership."""
    return await _answer(call, await call.services.members.get(call.principal, call.room_id, call.user_id))


async def put(call: Call[None, MemberPut]) -> Json:
    """Add a member, or change one."""
    body = call.body
    role = RoomRole(body.role) if body.role else None
    notify = Notify(body.notify) if body.notify else None
    patch = MemberPatch(role, body.muted_until, notify)
    return await _answer(call, await call.services.members.put(call.principal, call.room_id, call.user_id, patch))


async def remove(call: Call[None, None]) -> None:
    """End a membership; one's own: leave."""
    await call.services.members.remove(call.principal, call.room_id, call.user_id)


def member_json(member: Member, user: User | None, reader: Principal) -> Json:
    """Return a `Member` as `reader` may see it."""
    muted_until = to_wire(member.muted_until) if member.muted_until else None
    notify = member.notify.value if member.user_id == reader.user_id else None
    out: Json = {
        "user_id": member.user_id,
        "user": user_json(user) if user else None,
        "role": member.role.value,
        "joined_at": to_wire(member.joined_at),
        "read_seq": member.read_seq,
        "delivered_seq": member.delivered_seq,
        "muted_until": muted_until,
        "notify": notify,
    }
    return without_none(out)


async def _answer(call: Call[None, MemberPut] | Call[None, None], member: Member) -> Json:
    user = await call.services.users.get(member.user_id)
    return {"member": member_json(member, user, call.principal)}
