"""One file per family of events: parse, call the domain, ack. No rule lives here."""

from collections.abc import Mapping

from realtime.dispatch import Handler
from realtime.handlers import compat, connection, messages, presence, receipts, rooms
from realtime.hub import Hub
from realtime.roster import Roster
from realtime.services import Services


def build_handlers(
    services: Services, hub: Hub, roster: Roster, renew: connection.Renew, *, max_watched: int
) -> Mapping[str, Handler]:
    """Return the handler of every client event by name."""
    families = [
        rooms.handlers(services, hub, roster),
        messages.handlers(services),
        receipts.handlers(services),
        presence.handlers(services, hub, max_watched),
        connection.handlers(renew),
        compat.handlers(services, hub, roster),
    ]
    return {name: handler for family in families for name, handler in family.items()}
