"""rooms.presence against a model: whatever devices do and however time passes, people hear the truth and no flap."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from auth.types import Principal
from core.ids import ConnectionId
from realtime.cluster.local import combined
from rooms.types import Room, Status
from tests.unit.rooms.school import GRACE_S, School

DEVICES = [ConnectionId(name) for name in ("phone", "laptop")]
pauses = st.sampled_from([0.0, 0.0, 3.0, 7.0, GRACE_S])


@dataclass(slots=True)
class Model:
    """What people are told of someone: each change for the better at once, for the worse when the grace is over."""

    devices: dict[ConnectionId, Status] = field(default_factory=dict)
    shown: Status = Status.OFFLINE
    told: list[Status] = field(default_factory=list)
    left_s: float | None = None
    """Until the grace is over."""

    def show(self) -> None:
        """Make what is shown follow the devices."""
        status = combined(list(self.devices.values()))
        if status is not self.shown:
            self.shown = status
            self.told.append(status)

    def pass_time(self, seconds: float) -> None:
        """Let the grace run."""
        if self.left_s is not None:
            self.left_s -= seconds
            if self.left_s <= 0:
                self.left_s = None
                self.show()


class PresenceMachine(RuleBasedStateMachine):
    """Ada and her devices, and Ben who hears of her."""

    ada: Principal
    room: Room

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.model = Model()

    def run(self, work: Any) -> Any:
        """Run to the end, and whatever it set off."""
        result = self.loop.run_until_complete(work)
        self.loop.run_until_complete(self.school.background.idle())
        return result

    @initialize()
    def open(self) -> None:
        self.school = self.loop.run_until_complete(School.open(Path(self.directory.name)))
        self.ada, ben = self.run(self.school.people("ada", "ben"))
        self.room = self.run(self.school.room(self.ada, ben))

    @rule(device=st.sampled_from(DEVICES), seconds=pauses)
    def connect(self, device: ConnectionId, seconds: float) -> None:
        self.run(self.school.presence.connected(self.ada.user_id, device))
        self.model.devices[device] = Status.ONLINE
        self.model.show()
        self.wait(seconds)

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data(), status=st.sampled_from([Status.ONLINE, Status.AWAY, Status.BUSY]), seconds=pauses)
    def set(self, data: st.DataObject, status: Status, seconds: float) -> None:
        device = data.draw(st.sampled_from(sorted(self.model.devices)))
        presence = self.run(self.school.presence.set(self.ada.user_id, device, status))
        self.model.devices[device] = status
        self.model.show()
        assert self.model.shown == presence.status
        self.wait(seconds)

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data(), seconds=pauses)
    def disconnect(self, data: st.DataObject, seconds: float) -> None:
        device = data.draw(st.sampled_from(sorted(self.model.devices)))
        self.run(self.school.presence.disconnected(self.ada.user_id, device))
        del self.model.devices[device]
        self.model.left_s = GRACE_S
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass for both."""
        self.run(self.school.pass_time(seconds))
        self.model.pass_time(seconds)

    @invariant()
    def people_are_told_what_the_model_tells(self) -> None:
        if not hasattr(self, "school"):
            return
        events = self.school.events.told
        assert self.model.told == [status for _, _, status, _ in events]
        assert {(self.ada.user_id, (self.room.id,))} >= {(user_id, rooms) for _, user_id, _, rooms in events}
        (presence,) = self.run(self.school.presence.of([self.ada.user_id]))
        assert self.model.shown == presence.status

    def teardown(self) -> None:
        if hasattr(self, "school"):
            self.run(self.school.pass_time(GRACE_S))
            self.model.pass_time(GRACE_S)
            self.people_are_told_what_the_model_tells()
            assert 0 == self.school.time.pending
            self.run(self.school.store.close())
        self.loop.close()
        self.directory.cleanup()


TestPresence = PresenceMachine.TestCase
TestPresence.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
