"""What the faulty server does wrong, and when: numbered by arrival, so that a plan says it all beforehand."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T", bound=StrEnum)


class Slip(StrEnum):
    """What goes wrong with one message. "One recipient" is a member who did not send it, another one each time."""

    MISS = "miss"
    """Not delivered live to one recipient; it is in the history."""
    LOSE = "lose"
    """Acked and never stored; its `seq` stays a hole."""
    LOSE_AND_REUSE = "lose_and_reuse"
    """Acked and never stored; the next message gets its `seq` and `rev`."""
    HIDE = "hide"
    """Neither delivered to one recipient nor ever shown to them."""
    REPEAT = "repeat"
    """Delivered twice to one recipient."""
    SWAP = "swap"
    """Delivered to one recipient after the message that follows."""
    REFUSE = "refuse"
    """Answered with `room.muted`, and not stored."""
    REFUSE_AND_KEEP = "refuse_and_keep"
    """Answered with `room.muted`, but stored and delivered."""
    NO_ACK = "no_ack"
    """Stored and delivered, never answered on this connection."""
    ACK_TWICE = "ack_twice"
    ACK_UNASKED = "ack_unasked"
    """The ack carries an id that nobody asked with."""
    ACK_OTHER = "ack_other"
    """The ack shows the room's message before this one."""
    GHOST = "ghost"
    """Followed by a message of this run's form from a sender that the run has not, to every member, if only later."""
    FORGERY = "forgery"
    """Followed by a message in the sender's name that the sender never sent."""
    SPOILT = "spoilt"
    """Followed by a message of this run's form that cannot be read, to every member."""
    STRANGER = "stranger"
    """Followed by a message of someone who is not of this run at all, which is no fault."""
    CUT = "cut"
    """Stored and delivered; the sender's connection ends instead of the ack."""
    STORE_TWICE = "store_twice"
    """As CUT, and the resent message is stored and delivered once more, under the next `seq`."""
    END = "end"
    """One recipient's connection ends, before the message is delivered."""
    DISCONNECT = "disconnect"
    """One recipient is told to go by a Socket.IO disconnect packet, before the message is delivered."""
    GARBAGE = "garbage"
    """One recipient gets a text frame that is no packet, before the message is delivered."""
    BAD_JSON = "bad_json"
    BINARY = "binary"
    BAD_UTF8 = "bad_utf8"
    ENDLESS = "endless"
    """One recipient gets the head of a frame of a terabyte, before the message is delivered."""
    HUSH = "hush"
    """One recipient's connection stays open but nothing comes any more, not even pings."""


WOUNDS: Mapping[Slip, bytes | str | None] = {
    Slip.END: None,
    Slip.DISCONNECT: "41",
    Slip.GARBAGE: "garbage",
    Slip.BAD_JSON: '42["message:new",{"message":',
    Slip.BINARY: b"\x82\x04\x00\x01\x02\xff",
    Slip.BAD_UTF8: b"\x81\x0442\xff\xfe",
    Slip.ENDLESS: b"\x81\x7f" + (1 << 40).to_bytes(8, "big") + b"42",
}
"""What ends a recipient's connection: a packet, bytes on the wire, or nothing but the end."""


class Obstacle(StrEnum):
    """What meets a connection attempt."""

    CLOSE = "close"
    """The TCP connection is closed without an answer."""
    STALL = "stall"
    """No answer ever."""
    DRIP = "drip"
    """The answer comes a byte at a time, and never ends."""
    BAD_GATEWAY = "bad_gateway"
    """502 with a page in HTML."""
    TOO_MANY = "too_many"
    """429 as problem details."""
    NOT_HTTP = "not_http"
    WRONG_ACCEPT = "wrong_accept"
    """The websocket handshake has the wrong key."""
    NO_OPEN = "no_open"
    """A websocket, then silence."""
    BAD_OPEN = "bad_open"
    """The first packet is not Engine.IO's."""
    CUT_AFTER_OPEN = "cut_after_open"
    NO_CONNECT = "no_connect"
    """Engine.IO opens; Socket.IO never answers."""
    OVERLOADED = "overloaded"
    """`connect_error` with `server.overloaded` and a time to come back."""
    FORBIDDEN = "forbidden"
    """`connect_error` with `auth.forbidden`."""
    NO_READY = "no_ready"
    """Everything but the `ready` event."""


class Mishap(StrEnum):
    """What meets an HTTP request of the API."""

    ERROR = "error"
    """500 as problem details."""
    LIMITED = "limited"
    """429 as problem details, with Retry-After."""
    BAD_GATEWAY = "bad_gateway"
    NOT_JSON = "not_json"
    """200, and a body that is not JSON."""
    SILENCE = "silence"
    """No answer ever."""
    CUT = "cut"
    """Closed without an answer."""
    HALF = "half"
    """Closed in the middle of the body."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will go wrong, by number of arrival from 1 on. Resent messages have no number of their own."""

    messages: Mapping[int, Slip] = field(default_factory=dict)
    connects: Mapping[int, Obstacle] = field(default_factory=dict)
    requests: Mapping[int, Mishap] = field(default_factory=dict)
    delivery_delay_ms: int = 0
    """Every delivery to another person comes this much later."""
    delay_every: int = 1
    """Only every so many'th person has the delay."""
    ack_delay_ms: int = 0
    sync_limit: int = 500
    """Beyond so many messages catching up is `reset`, and the rest has to be read from the history."""
    ping_interval_ms: int = 25_000
    ping_timeout_ms: int = 20_000
    pings: bool = True
    dies_at: int = 0
    """The number of the message at which everything closes, and nobody is let in again."""


def every(step: int, what: T, *, first: int = 0, last: int = 2000) -> dict[int, T]:
    """Plan the same thing at `first` and every `step` after it."""
    return dict.fromkeys(range(first or step, last + 1, step), what)


def scattered(seed: int, slips: Sequence[Slip], *, share: float, last: int = 2000) -> dict[int, Slip]:
    """Plan slips at random, for a share of all messages."""
    rng = random.Random(seed)
    return {number: rng.choice(slips) for number in range(1, last + 1) if rng.random() < share}


@dataclass(frozen=True, slots=True)
class Committed:
    """A slip that was made, and whom it met."""

    slip: Slip
    room_id: str
    sender_id: str
    client_id: str
    seq: int
    recipients: tuple[str, ...]
