"""The domain as the edge sees it: one value that handlers and routes are given."""

from dataclasses import dataclass

from auth.ports import UserStore
from auth.service_keys import ServiceKeys
from auth.sessions import Sessions
from core.clock import Clock
from core.ids import IdSource
from realtime.principals import Admission
from rooms.members import Members
from rooms.messages import Messages
from rooms.presence import PresenceBook
from rooms.receipts import Receipts
from rooms.rooms import Rooms
from rooms.sync import Sync
from rooms.typing import Typing


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may call."""

    admission: Admission
    sessions: Sessions
    service_keys: ServiceKeys
    users: UserStore
    rooms: Rooms
    members: Members
    messages: Messages
    sync: Sync
    receipts: Receipts
    typing: Typing
    presence: PresenceBook
    clock: Clock
    new_id: IdSource
