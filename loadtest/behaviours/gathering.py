"""How people come together before the load: a teacher opens a session, everyone joins."""

from collections.abc import Sequence

from loadtest.behaviours.person import Person
from loadtest.behaviours.world import each
from loadtest.client.errors import CallFailed

MOST_SHOWN = 100
"""Typing and receipts are broadcast in rooms of at most so many members."""


async def open_session(teacher: Person, title: str) -> str | None:
    """Open a session room that anyone may join. Returns None, and counts the fault, if that fails."""
    payload: dict[str, object] = {"kind": "session", "title": title, "settings": {"open": True}}
    return await open_room(teacher, payload)


async def open_room(person: Person, payload: dict[str, object]) -> str | None:
    """Open a room. Returns None, and counts the fault, if that fails."""
    try:
        return await person.open_room(payload)
    except (CallFailed, KeyError, TypeError) as error:
        _failed(person, "room:open", error)
        return None


async def join_all(people: Sequence[Person], room_id: str, *, receipts: bool) -> None:
    """Have everyone who is connected join. Who cannot is counted, and takes no part."""

    async def join(person: Person) -> None:
        await join_one(person, room_id, receipts=receipts)

    await each(people, join)


async def join_one(person: Person, room_id: str, *, receipts: bool) -> None:
    """Have one person join. If that fails it is counted, and they take no part."""
    try:
        await person.join(room_id, receipts=receipts)
    except (CallFailed, KeyError, TypeError) as error:
        _failed(person, "room:join", error)


def _failed(person: Person, step: str, error: Exception) -> None:
    code = error.code if isinstance(error, CallFailed) else "bad_ack"
    person.world.recorder.error("setup", code, f"{step} by {person.user.id}: {error}")
