"""Room events."""

from collections.abc import Mapping

from auth.types import Principal
from core.ids import RoomId, UserId
from realtime.connection import Connection
from realtime.contract.encode import snapshot_json, view_json
from realtime.contract.rooms import OpenDirect, OpenNamed, RoomJoin, RoomLeave, RoomList, RoomSync, SettingsIn
from realtime.dispatch import Handler, Reply
from realtime.handlers.live import joining, leave, syncing
from realtime.hub import Hub, room_topic
from realtime.roster import Roster
from realtime.services import Services
from rooms.rooms import RoomPatch
from rooms.types import RoomKind, RoomView, Snapshot


def handlers(services: Services, hub: Hub, roster: Roster) -> Mapping[str, Handler]:
    """Return the handlers of `room:*`."""

    async def list_(connection: Connection, payload: RoomList) -> Reply:
        kind = RoomKind(payload.kind) if payload.kind else None
        page = await services.rooms.list(connection.principal, kind=kind, cursor=payload.cursor, limit=payload.limit)
        data: dict[str, object] = {"rooms": [view_json(view) for view in page.items]}
        if page.next_cursor is not None:
            data["next_cursor"] = page.next_cursor
        return Reply(data)

    async def open_(connection: Connection, payload: OpenDirect | OpenNamed) -> Reply:
        return Reply({"room": view_json(await open_room(services, connection.principal, payload))})

    async def join(connection: Connection, payload: RoomJoin) -> Reply:
        room_id = RoomId(payload.room_id)

        async def read() -> Snapshot:
            return await services.sync.join(connection.principal, room_id, payload.since_rev)

        snapshot = await joining(hub, connection, room_id, read)
        if snapshot.view.room.kind is RoomKind.SESSION:
            roster.entered(connection, snapshot.view.room)
        return _snapshot_reply(connection, room_id, snapshot)

    async def sync(connection: Connection, payload: RoomSync) -> Reply:
        room_id = RoomId(payload.room_id)

        async def read() -> Snapshot:
            return await services.sync.sync(connection.principal, room_id, payload.since_rev)

        return _snapshot_reply(connection, room_id, await syncing(connection, room_id, read))

    async def leave_(connection: Connection, payload: RoomLeave) -> Reply:
        leave(hub, roster, connection, RoomId(payload.room_id))
        return Reply({})

    return {"room:list": list_, "room:open": open_, "room:join": join, "room:sync": sync, "room:leave": leave_}


async def open_room(services: Services, principal: Principal, payload: OpenDirect | OpenNamed) -> RoomView:
    """Open the direct room or make the room that is asked for."""
    if isinstance(payload, OpenDirect):
        return await services.rooms.open_direct(principal, UserId(payload.user_id))
    members = [UserId(user_id) for user_id in payload.member_ids]
    kind, patch = RoomKind(payload.kind), patch_of(payload.settings)
    return await services.rooms.open_named(principal, kind, payload.title, members, patch)


def patch_of(settings: SettingsIn | None) -> RoomPatch:
    """Return the domain's patch of a room's rules."""
    return RoomPatch(open=settings.open, slow_mode_s=settings.slow_mode_s) if settings else RoomPatch()


def _snapshot_reply(connection: Connection, room_id: RoomId, snapshot: Snapshot) -> Reply:
    topic = room_topic(room_id)
    return Reply(snapshot_json(snapshot), after=lambda: connection.release(topic, snapshot.rev))
