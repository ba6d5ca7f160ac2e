"""The names of everything that is measured: the same in samples, results, reports and thresholds."""

from enum import StrEnum


class Metric(StrEnum):
    """A latency. Recorded in ns, reported in ms."""

    CONNECT = "connect"
    """From the time a connection was due until its `ready` event."""
    ACK = "ack"
    """From the time a message was due until its ok ack."""
    DELIVERY = "delivery"
    """From the time a message was due until another person's connection had its `message:new`."""
    CATCHUP = "catchup"
    """From the request of a `room:join` or `room:sync` after a reconnect until its answer."""
    HTTP = "http"
    """From the time a request was due until the whole answer was read."""
    CALL = "call"
    """From a typing, receipt or presence event until its ack."""
    LAG = "lag"
    """How late the generator itself was: from the time an action was due until it was begun."""


class Count(StrEnum):
    """Something that is counted, for each second and in all."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    """Connections that ended without our asking."""
    SENT = "sent"
    """Messages put on the wire for the first time."""
    RESENT = "resent"
    ACKED = "acked"
    DELIVERED = "delivered"
    """`message:new` of another person's message, live."""
    OWN = "own"
    """`message:new` of one's own message."""
    SKIMMED = "skimmed"
    """`message:new` that reached extras, their own too: counted, and not read."""
    CAUGHT_UP = "caught_up"
    """Messages that came with a snapshot after a reconnect."""
    HTTP = "http"
    """HTTP answers of any status."""
    TYPING = "typing"
    RECEIPTS = "receipts"
    PRESENCE = "presence"
    """Ephemeral events that arrived."""
    EVENTS = "events"
    """Server events of any kind."""
    ERRORS = "errors"


class Gauge(StrEnum):
    """Something that has a level; workers' levels are added."""

    CONNECTIONS = "connections"
    """Connections open now, past `ready`."""
    WAITING = "waiting"
    """Messages due, not yet acked."""
