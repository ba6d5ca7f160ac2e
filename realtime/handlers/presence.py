"""Presence events."""

from collections.abc import Mapping

from core.errors import invalid
from core.ids import UserId
from realtime.connection import Connection
from realtime.contract.encode import presence_json
from realtime.contract.presence import PresenceSet, PresenceWatch
from realtime.dispatch import Handler, Reply
from realtime.hub import Hub, watch_topic
from realtime.services import Services
from rooms.types import Status


def handlers(services: Services, hub: Hub, max_watched: int) -> Mapping[str, Handler]:
    """Return the handlers of `presence:*`."""

    async def set_(connection: Connection, payload: PresenceSet) -> Reply:
        presence = await services.presence.set(connection.user_id, connection.id, Status(payload.status))
        return Reply({"presence": presence_json(presence)})

    async def watch(connection: Connection, payload: PresenceWatch) -> Reply:
        wanted = [UserId(user_id) for user_id in dict.fromkeys(payload.user_ids)]
        if len(connection.watched.union(wanted)) > max_watched:
            raise invalid(f"A connection watches at most {max_watched} users.", "user_ids")
        visible, presence = await services.presence.visible(connection.principal, wanted)
        connection.watched = connection.watched.union(visible)
        for user_id in visible:
            hub.subscribe(connection, watch_topic(user_id))
        return Reply({"presence": [presence_json(one) for one in presence]})

    async def unwatch(connection: Connection, payload: PresenceWatch) -> Reply:
        connection.watched = connection.watched.difference(payload.user_ids)
        for user_id in map(UserId, payload.user_ids):
            hub.unsubscribe(connection, watch_topic(user_id))
        return Reply({})

    return {"presence:set": set_, "presence:watch": watch, "presence:unwatch": unwatch}
