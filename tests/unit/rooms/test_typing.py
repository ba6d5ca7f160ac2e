"""rooms.typing: who is writing, told seldom and ended by itself."""

import pytest

from auth.types import Principal, Role
from core.errors import ErrorCode
from core.ids import RoomId
from rooms.types import Room, RoomRole
from tests.support.refusal import refused
from tests.unit.rooms.school import School


async def scene(school: School) -> tuple[Principal, Room]:
    """Return Ada and a room of hers with Ben."""
    ada, ben = await school.people("ada", "ben")
    return ada, await school.room(ada, ben)


def on(room: Room, who: Principal) -> tuple[object, ...]:
    """Return the event that says that someone writes."""
    return ("typing_changed", room.id, who.user_id, True)


def off(room: Room, who: Principal) -> tuple[object, ...]:
    """Return the event that says that someone no longer writes."""
    return ("typing_changed", room.id, who.user_id, False)


async def test_a_renewal_is_told_once_per_interval(school: School) -> None:
    """The start is told at once, renewals at most every 3 s."""
    ada, room = await scene(school)
    for _ in range(7):
        await school.typing.set(ada, room.id, on=True)
        school.time.advance(1)
    assert [on(room, ada)] * 3 == school.events.take()


async def test_it_expires(school: School) -> None:
    """7 s after the last renewal it ends by itself, is told once, and leaves nothing behind."""
    ada, room = await scene(school)
    await school.typing.set(ada, room.id, on=True)
    school.time.advance(2)
    await school.typing.set(ada, room.id, on=True)
    school.time.advance(6.9)
    assert [on(room, ada)] == school.events.take()
    school.time.advance(0.1)
    assert [off(room, ada)] == school.events.take()
    assert 0 == school.time.pending
    await school.typing.set(ada, room.id, on=True)
    assert [on(room, ada)] == school.events.take()


async def test_the_end_is_told_once_and_at_once(school: School) -> None:
    """Off ends it without waiting; off again, and the expiry after it, tell nobody."""
    ada, room = await scene(school)
    await school.typing.set(ada, room.id, on=True)
    for _ in range(2):
        await school.typing.set(ada, room.id, on=False)
    school.time.advance(10)
    assert [on(room, ada), off(room, ada)] == school.events.take()


async def test_off_without_on_is_nothing(school: School) -> None:
    """Who was not writing cannot stop."""
    ada, room = await scene(school)
    await school.typing.set(ada, room.id, on=False)
    assert ([], 0) == (school.events.take(), school.time.pending)


async def test_on_and_off_cannot_be_used_to_flood(school: School) -> None:
    """Starts within the interval are told once, when it is over; a room and a person do not hold up others."""
    ada, room = await scene(school)
    ben = await school.person("ben")
    other = await school.room(ada)
    for _ in range(3):
        await school.typing.set(ada, room.id, on=True)
        await school.typing.set(ada, room.id, on=False)
    assert [on(room, ada), off(room, ada)] == school.events.take()
    school.time.advance(1)
    await school.typing.set(ada, room.id, on=True)
    await school.typing.set(ada, other.id, on=True)
    await school.typing.set(ben, room.id, on=True)
    assert [on(other, ada), on(room, ben)] == school.events.take()
    school.time.advance(2)
    assert [on(room, ada)] == school.events.take()


async def test_a_start_that_was_taken_back_is_not_told(school: School) -> None:
    """Who starts too soon and stops before the interval is over was never seen starting."""
    ada, room = await scene(school)
    await school.typing.set(ada, room.id, on=True)
    await school.typing.set(ada, room.id, on=False)
    await school.typing.set(ada, room.id, on=True)
    await school.typing.set(ada, room.id, on=False)
    school.time.advance(10)
    assert ([on(room, ada), off(room, ada)], 0) == (school.events.take(), school.time.pending)


async def test_an_expiry_of_before_does_not_end_what_began_after(school: School) -> None:
    """The time to expire counts from the new start."""
    ada, room = await scene(school)
    await school.typing.set(ada, room.id, on=True)
    await school.typing.set(ada, room.id, on=False)
    school.time.advance(3)
    await school.typing.set(ada, room.id, on=True)
    school.events.take()
    school.time.advance(6.9)
    assert [] == school.events.take()
    school.time.advance(0.1)
    assert [off(room, ada)] == school.events.take()


async def test_large_rooms_are_not_told(school: School) -> None:
    """Above the broadcast limit typing is off, and not an error."""
    people = await school.people("ada", "ben", "chen", "dia")
    room = await school.room(*people)
    await school.typing.set(people[0], room.id, on=True)
    assert ([], 0) == (school.events.take(), school.time.pending)


async def test_it_is_for_those_who_may_write(school: School) -> None:
    """Strangers, observers, the muted and those in an archived room get the refusal that a message would."""
    ada, oli, mel, eve = await school.people("ada", "oli", "mel", "eve")
    room = await school.room(ada, (oli, RoomRole.OBSERVER), mel)
    archived = await school.room(ada, archived=True)
    await school.mute(mel, room, 60)
    for who, room_id, code in (
        (eve, room.id, ErrorCode.ROOM_NOT_FOUND),
        (eve, RoomId("nowhere"), ErrorCode.ROOM_NOT_FOUND),
        (oli, room.id, ErrorCode.ROOM_FORBIDDEN),
        (mel, room.id, ErrorCode.ROOM_MUTED),
        (ada, archived.id, ErrorCode.ROOM_LOCKED),
    ):
        with refused(code):
            await school.typing.set(who, room_id, on=True)
    assert [] == school.events.take()


@pytest.mark.parametrize("role", [Role.STUDENT, Role.TEACHER, Role.ADMIN])
async def test_everyone_who_writes_is_seen_writing(school: School, role: Role) -> None:
    """A role in the school does not matter, membership does."""
    who = await school.person("who", role)
    room = await school.room(who)
    await school.typing.set(who, room.id, on=True)
    assert [on(room, who)] == school.events.take()
