"""Sending and delivering messages with the slips of a plan, and noting what each did to whom."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.support.faulty_plan import WOUNDS, Committed, Plan, Slip
from tests.support.faulty_school import Fate, Json, Room, School
from tests.support.faulty_wire import Connection

HOLD_MS = 700
"""How long a message waits for another one to overtake it."""
UNSTORED = {Slip.REFUSE, Slip.LOSE, Slip.LOSE_AND_REUSE}
UNHEARD = {Slip.MISS, Slip.HIDE, Slip.SWAP}
NEVER_SENT = "zzz"
"""Beginning of numbers that no run comes to."""


@dataclass(slots=True)
class Sending:
    """A message on its way."""

    connection: Connection
    room: Room
    fate: Fate
    message: Json
    ack_id: str
    slip: Slip | None = None
    victim: str | None = None


class Delivery:
    """What `message:send` does. `live` gives the connections that hear of a room."""

    def __init__(self, school: School, plan: Plan, live: Callable[[str], Iterable[Connection]]) -> None:
        self.committed: list[Committed] = []
        self._school = school
        self._plan = plan
        self._live = live
        self.arrivals = 0
        """Messages sent for the first time."""
        self._slipped = 0
        self._forgotten: set[str] = set()

    def send(self, connection: Connection, payload: Json, ack_id: str) -> None:
        """Take a message, or the same one again."""
        room = self._school.rooms[payload["room_id"]]
        sender_id, client_id = connection.user_id, payload["client_id"]
        fate, first = self._school.fate(room, sender_id, client_id)
        known = room.sent.get((sender_id, client_id))
        if known is not None and client_id not in self._forgotten:
            self._acknowledge(Sending(connection, room, fate, known, ack_id))
            return
        self._forgotten.discard(client_id)
        sending = Sending(connection, room, fate, room.number(sender_id, client_id, payload["body"]), ack_id)
        if first:
            self.arrivals += 1
            self._plan_slip(sending)
        self._carry_out(sending)

    def _plan_slip(self, sending: Sending) -> None:
        slip = self._plan.messages.get(self.arrivals)
        hearers = sorted({one.user_id for one in self._live(sending.room.id) if one.hears} & sending.fate.owed)
        if slip is not None and hearers:
            self._slipped += 1
            sending.slip, sending.victim = slip, hearers[self._slipped % len(hearers)]

    def _carry_out(self, sending: Sending) -> None:
        room, fate, slip = sending.room, sending.fate, sending.slip
        if slip in UNSTORED:
            self._drop(sending)
            return
        room.keep(sending.message)
        fate.seqs.append(sending.message["seq"])
        if slip in {Slip.CUT, Slip.STORE_TWICE}:
            sending.connection.close()
        if slip is Slip.STORE_TWICE:
            self._forgotten.add(fate.client_id)
        self._wound(sending)
        if slip is Slip.HIDE and sending.victim is not None:
            room.hidden.add((sending.victim, sending.message["seq"]))
            fate.gone_for.add(sending.victim)
        for one in self._live(room.id):
            self._deliver(one, sending)
        self._acknowledge(sending)
        if slip is not None:
            self._after(sending)

    def _drop(self, sending: Sending) -> None:
        room, fate, slip = sending.room, sending.fate, sending.slip
        if slip is not Slip.LOSE:
            room.give_back()
        if slip is not Slip.REFUSE:
            fate.gone_for |= fate.owed
        self._acknowledge(sending)
        self._note(sending, sorted(fate.owed))

    def _wound(self, sending: Sending) -> None:
        for one in self._live(sending.room.id):
            if one.user_id != sending.victim or sending.slip is None:
                continue
            if sending.slip in WOUNDS:
                one.wound(WOUNDS[sending.slip])
            elif sending.slip is Slip.HUSH:
                one.hush()

    def _deliver(self, one: Connection, sending: Sending) -> None:
        room_id, message, slip = sending.room.id, sending.message, sending.slip
        if one.user_id == message["sender_id"]:
            self.release(one, room_id)
            one.event("message:new", {"message": message})
            return
        if one.user_id == sending.victim and slip in UNHEARD:
            if slip is Slip.SWAP:
                self._hold(one, sending)
            return
        delay_ms = self._plan.delivery_delay_ms if one.is_late else 0
        one.later(delay_ms, self._hand_over, one, sending)
        if one.user_id == sending.victim and slip is Slip.REPEAT:
            one.later(delay_ms, self._hand_over, one, sending)

    def _hand_over(self, one: Connection, sending: Sending) -> None:
        """Send a message to someone who did not send it, and then the one that waits to be overtaken, if any."""
        overtaken = one.held.pop(sending.room.id, None)
        self._tell(one, sending)
        if overtaken is not None:
            self._tell(one, overtaken)
            self._note(overtaken, [one.user_id])

    def _tell(self, one: Connection, sending: Sending) -> None:
        if not one.hears:
            return
        key = (sending.room.id, sending.fate.client_id)
        seq, top = sending.message["seq"], one.tops.get(sending.room.id, 0)
        self._school.duplicate += key in one.had
        self._school.out_of_order += key not in one.had and seq < top
        one.had.add(key)
        one.tops[sending.room.id] = max(seq, top)
        sending.fate.live.add(one.user_id)
        one.event("message:new", {"message": sending.message})

    def _hold(self, one: Connection, sending: Sending) -> None:
        self.release(one, sending.room.id)
        one.held[sending.room.id] = sending
        one.later(HOLD_MS, self.release, one, sending.room.id)

    def release(self, one: Connection, room_id: str) -> None:
        """Send what waits to be overtaken, in its order."""
        waiting = one.held.pop(room_id, None)
        if waiting is not None:
            self._tell(one, waiting)

    def _acknowledge(self, sending: Sending) -> None:
        connection, fate, slip = sending.connection, sending.fate, sending.slip
        if slip in {Slip.REFUSE, Slip.REFUSE_AND_KEEP}:
            fate.refused = True
            error = {"code": "room.muted", "message": "You are muted in this room.", "retryable": False}
            connection.ack(sending.ack_id, {"ok": False, "error": error})
            return
        if slip is Slip.NO_ACK or not connection.hears:
            return
        answer = {"ok": True, "data": {"message": self._shown_in_ack(sending)}}
        if slip is Slip.ACK_UNASKED:
            connection.ack(f"99{sending.ack_id}", answer)
            return
        fate.acked = slip is not Slip.ACK_OTHER
        connection.later(self._plan.ack_delay_ms, connection.ack, sending.ack_id, answer)
        if slip is Slip.ACK_TWICE:
            connection.later(self._plan.ack_delay_ms, connection.ack, sending.ack_id, answer)

    def _shown_in_ack(self, sending: Sending) -> Json:
        if sending.slip is not Slip.ACK_OTHER:
            return sending.message
        others = [message for message in sending.room.messages if message is not sending.message]
        return others[-1] if others else sending.message | {"client_id": "nobody's"}

    def _after(self, sending: Sending) -> None:
        slip = sending.slip
        if slip in {Slip.GHOST, Slip.FORGERY, Slip.SPOILT, Slip.STRANGER}:
            self._invent(sending)
            return
        if slip is Slip.REFUSE_AND_KEEP:
            self._school.foreign += len(sending.fate.owed)
        if slip in {Slip.NO_ACK, Slip.CUT, Slip.STORE_TWICE, Slip.REFUSE_AND_KEEP}:
            self._note(sending, sorted(sending.fate.owed))
        elif slip is not Slip.SWAP and sending.victim is not None:
            self._note(sending, [sending.victim])

    def _invent(self, sending: Sending) -> None:
        """Send a message that nobody sent."""
        real, room = sending.message, sending.room
        tag, run, sender, _, due = real["client_id"].split(".")
        forged = {
            Slip.FORGERY: (real["sender_id"], f"{tag}.{run}.{sender}.{NEVER_SENT}{real['seq']}.{due}"),
            Slip.GHOST: ("ghost", f"{tag}.{run}.{NEVER_SENT}.{real['seq']}.{due}"),
            Slip.SPOILT: ("ghost", f"{tag}.{run}.spoilt"),
            Slip.STRANGER: ("stranger", f"not-of-this-run-{real['seq']}"),
        }
        assert sending.slip is not None
        sender_id, client_id = forged[sending.slip]
        message = room.number(sender_id, client_id, "Nobody sent this.")
        room.keep(message)
        for one in self._live(room.id):
            self.release(one, room.id)
            one.event("message:new", {"message": message})
        met = sorted(set(room.members) - {sender_id})
        self._school.foreign += len(met) if sending.slip is not Slip.STRANGER else 0
        self._note(Sending(sending.connection, room, sending.fate, message, "", sending.slip), met)

    def _note(self, sending: Sending, recipients: list[str]) -> None:
        if sending.slip is not None:
            message = sending.message
            where = (sending.room.id, message["sender_id"], message["client_id"], message["seq"])
            self.committed.append(Committed(sending.slip, *where, tuple(recipients)))
