"""Events about the connection itself."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from core.clock import to_wire
from realtime.connection import Connection
from realtime.contract.connection import AuthRefresh
from realtime.dispatch import Handler, Reply

Renew = Callable[[Connection, str], Awaitable[datetime]]


def handlers(renew: Renew) -> Mapping[str, Handler]:
    """Return the handlers of `auth:*`."""

    async def refresh(connection: Connection, payload: AuthRefresh) -> Reply:
        return Reply({"expires_at": to_wire(await renew(connection, payload.token))})

    return {"auth:refresh": refresh}
