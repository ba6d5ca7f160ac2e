"""rooms.receipts: watermarks that only rise, told at most once a second."""

import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.types import Principal, Role
from core.errors import ErrorCode
from core.ids import RoomId
from rooms.types import Receipt, Room, RoomRole
from tests.support.refusal import refused
from tests.unit.rooms.school import School


async def class_of_two(school: School, messages: int = 5) -> tuple[Principal, Principal, Room]:
    """Return Ada, who wrote so many messages, Ben, who read none, and their room."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room(ada, ben)
    await school.say_many(ada, room, messages)
    school.events.take()
    return ada, ben, room


async def read(school: School, who: Principal, room: Room, seq: int) -> Receipt:
    """Mark as read."""
    return await school.receipts.mark(who, room.id, read_seq=seq, delivered_seq=0)


async def test_the_first_is_told_at_once(school: School) -> None:
    """A mark that moves the watermark reaches the room without delay; reading implies delivery."""
    _, ben, room = await class_of_two(school)
    receipt = await read(school, ben, room, 2)
    assert Receipt(room.id, ben.user_id, 2, 2) == receipt
    assert [("receipt_changed", receipt)] == school.events.take()


async def test_the_next_ones_are_told_together_a_second_later(school: School) -> None:
    """Within a second of an event the marks wait, and the last one speaks for all; so again for the next second."""
    _, ben, room = await class_of_two(school)
    await read(school, ben, room, 1)
    school.events.take()
    for seq in (2, 3):
        await read(school, ben, room, seq)
    school.time.advance(0.999)
    assert [] == school.events.take()
    school.time.advance(0.001)
    assert [("receipt_changed", Receipt(room.id, ben.user_id, 3, 3))] == school.events.take()
    await read(school, ben, room, 4)
    assert [] == school.events.take()
    school.time.advance(1)
    assert [("receipt_changed", Receipt(room.id, ben.user_id, 4, 4))] == school.events.take()


async def test_a_quiet_second_makes_the_next_one_immediate(school: School) -> None:
    """After the pause nothing is left behind: no timer, and no delay for the next mark."""
    _, ben, room = await class_of_two(school)
    await read(school, ben, room, 1)
    school.time.advance(1)
    assert 0 == school.time.pending
    school.events.take()
    assert [("receipt_changed", await read(school, ben, room, 2))] == school.events.take()


async def test_members_and_rooms_do_not_wait_for_each_other(school: School) -> None:
    """The pause is of one member in one room."""
    ada, ben, room = await class_of_two(school)
    other = await school.room(ada, ben)
    await school.say(ada, other)
    await school.say(ben, room)
    school.events.take()
    told = [await read(school, ada, room, 6), await read(school, ben, other, 1)]
    assert [("receipt_changed", receipt) for receipt in told] == school.events.take()


async def test_what_does_not_move_is_not_told(school: School) -> None:
    """A mark at or below the watermark answers the watermark; one beyond the last message stops there."""
    _, ben, room = await class_of_two(school)
    await read(school, ben, room, 3)
    school.events.take()
    school.time.advance(1)
    for seq in (3, 1, 0):
        assert Receipt(room.id, ben.user_id, 3, 3) == await read(school, ben, room, seq)
    assert [] == school.events.take()
    assert Receipt(room.id, ben.user_id, 5, 5) == await read(school, ben, room, 2**53 - 1)


async def test_delivery_rises_alone(school: School) -> None:
    """A message that reached the device is delivered and not read."""
    _, ben, room = await class_of_two(school)
    receipt = await school.receipts.mark(ben, room.id, read_seq=0, delivered_seq=4)
    assert Receipt(room.id, ben.user_id, 0, 4) == receipt
    assert [("receipt_changed", receipt)] == school.events.take()


async def test_large_rooms_are_not_told(school: School) -> None:
    """Above the broadcast limit the watermark rises in silence."""
    people = await school.people("ada", "ben", "chen", "dia")
    room = await school.room(*people)
    await school.say(people[0], room)
    school.events.take()
    assert Receipt(room.id, people[1].user_id, 1, 1) == await read(school, people[1], room, 1)
    assert ([], 0) == (school.events.take(), school.time.pending)


async def test_it_is_for_members(school: School) -> None:
    """Strangers and the backend, which is no member, have no watermark; observers have one."""
    ada, eve, bot = *await school.people("ada", "eve"), await school.person("bot", Role.SERVICE)
    oli = await school.person("oli")
    room = await school.room(ada, (oli, RoomRole.OBSERVER))
    await school.say(ada, room)
    for who, room_id in ((eve, room.id), (eve, RoomId("nowhere")), (bot, room.id)):
        with refused(ErrorCode.ROOM_NOT_FOUND):
            await school.receipts.mark(who, room_id, read_seq=1, delivered_seq=1)
    assert 1 == (await read(school, oli, room, 1)).read_seq


Step = tuple[int, int, float]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from([0.0, 0.0, 0.3, 1.0, 2.5])), max_size=25
    )
)
async def test_any_marks_end_with_the_highest_told(school: School, steps: list[Step]) -> None:
    """Whatever is marked, together or apart: what is told never falls, comes once a second, and ends with the truth."""
    ada, ben = await school.people("ada", "ben")
    room = await school.room(ada, ben)
    await school.say_many(ada, room, 10)
    school.events.take()
    told: list[tuple[float, Receipt]] = []
    marks: list[asyncio.Task[Receipt]] = []
    for read_seq, delivered_seq, pause_s in steps:
        mark = school.receipts.mark(ben, room.id, read_seq=read_seq, delivered_seq=delivered_seq)
        marks.append(asyncio.ensure_future(mark))
        if pause_s:
            await asyncio.gather(*marks)
            for _ in range(round(pause_s * 10)):
                told += [(school.time.monotonic(), about) for _, about in school.events.take()]
                school.time.advance(0.1)
    await asyncio.gather(*marks)
    for _ in range(20):
        told += [(school.time.monotonic(), about) for _, about in school.events.take()]
        school.time.advance(0.1)
    highest = (
        max((min(read_seq, 10) for read_seq, _, _ in steps), default=0),
        max((min(max(pair), 10) for *pair, _ in steps), default=0),
    )
    values = [(receipt.read_seq, receipt.delivered_seq) for _, receipt in told]
    assert highest == (values[-1] if values else (0, 0))
    assert sorted(values) == values
    assert len(set(values)) == len(values)
    assert all(later - earlier > 0.9 for (earlier, _), (later, _) in itertools.pairwise(told))
