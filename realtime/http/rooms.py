"""Rooms."""

from realtime.contract.encode import view_json
from realtime.contract.rooms import OpenDirect, OpenNamed, RoomList
from realtime.handlers.rooms import open_room, patch_of
from realtime.http.models import RoomPatchIn, without_none
from realtime.http.route import Call, Json
from rooms.rooms import RoomPatch
from rooms.types import RoomKind


async def list_(call: Call[RoomList, None]) -> Json:
    """Return the caller's rooms, newest activity first."""
    query = call.query
    kind = RoomKind(query.kind) if query.kind else None
    page = await call.services.rooms.list(call.principal, kind=kind, cursor=query.cursor, limit=query.limit)
    return without_none({"rooms": [view_json(view) for view in page.items], "next_cursor": page.next_cursor})


async def open_(call: Call[None, OpenDirect | OpenNamed]) -> Json:
    """Open a direct room, or make a room."""
    return {"room": view_json(await open_room(call.services, call.principal, call.body))}


async def get(call: Call[None, None]) -> Json:
    """Return one room as the caller sees it."""
    return {"room": view_json(await call.services.rooms.get(call.principal, call.room_id))}


async def update(call: Call[None, RoomPatchIn]) -> Json:
    """Change title, rules or archive flag."""
    rules = patch_of(call.body.settings)
    patch = RoomPatch(call.body.title, call.body.archived, rules.open, rules.slow_mode_s)
    return {"room": view_json(await call.services.rooms.update(call.principal, call.room_id, patch))}
