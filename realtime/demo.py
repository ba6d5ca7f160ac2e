"""The demo school: two teachers, eight students, an admin, their rooms and some history. Made once, kept afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from auth.types import Role, User
from core.ids import MessageId, RoomId, UserId, uuid7
from realtime.app import App
from rooms.messages import with_reaction
from rooms.rooms import direct_key
from rooms.types import Draft, Member, MessageKind, Room, RoomKind, RoomRole

LINK_LIFE: Final = timedelta(days=30)


def _user(user_id: str, name: str, role: Role) -> User:
    return User(UserId(user_id), name, role)


PEOPLE: Final = (
    _user("ada", "Ada Novak", Role.STUDENT),
    _user("ben", "Ben Okafor", Role.STUDENT),
    _user("chen", "Chen Wei", Role.STUDENT),
    _user("dia", "Dia Sharma", Role.STUDENT),
    _user("eli", "Eli Cohen", Role.STUDENT),
    _user("fay", "Fay Larsen", Role.STUDENT),
    _user("gus", "Gus Moreno", Role.STUDENT),
    _user("hana", "Hana Kim", Role.STUDENT),
    _user("ms-rao", "Ms Rao", Role.TEACHER),
    _user("mr-ito", "Mr Ito", Role.TEACHER),
    _user("admin", "Alex Admin", Role.ADMIN),
)

_STUDENTS: Final = tuple(user.id for user in PEOPLE if user.role is Role.STUDENT)


@dataclass(frozen=True)
class Line:
    """One message: who, minutes after the one before, what; reactions as (emoji, users); a reply counts back."""

    sender: str
    gap_min: float
    body: str
    reactions: Sequence[tuple[str, tuple[str, ...]]] = ()
    reply_back: int = 0
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A room and its history, which ended `ago_min` minutes ago; the last `unread` lines only their senders read."""

    key: str
    kind: RoomKind
    title: str
    owner: str
    members: Sequence[str]
    lines: Sequence[Line]
    ago_min: float
    unread: int = 0


_FRACTIONS: Final = (
    "Because a quarter is *one* part of four, so three quarters is three of them:\n```\n1/4 + 1/4 + 1/4 = 3/4\n```"
)

SCENES: Final = (
    Scene(
        "maths",
        RoomKind.GROUP,
        "Maths 7B",
        "ms-rao",
        [*_STUDENTS],
        [
            Line("ms-rao", 0, "Good morning everyone! 👋 This is our room for everything about maths."),
            Line("ms-rao", 1, "Homework for Monday: page 42, exercises **3 to 7**. Show your working, please."),
            Line("ada", 4, "Do we need to do the star exercise too?"),
            Line("ms-rao", 3, "Only if you want a challenge 🙂", [("👍", ("ada", "chen")), ("🎉", ("dia",))], 1),
            Line("chen", 2, "Challenge accepted 💪", [("🔥", ("ada", "ben", "fay"))]),
            Line("ben", 1290, "I'm stuck on number 5. Why is it 3/4 and not 3/8?"),
            Line("dia", 2, "You don't add the bottoms, @Ben Okafor, only the tops!", (), 1, ("ben",)),
            Line("ms-rao", 3, _FRACTIONS, [("❤️", ("ben", "dia", "hana"))], 2),
            Line("ben", 1, "Ohh, now I see it. Thank you!"),
            Line("ms-rao", 2, "You're welcome. See you all in the live session this afternoon."),
        ],
        ago_min=35,
        unread=2,
    ),
    Scene(
        "live",
        RoomKind.SESSION,
        "Live: Fractions, lesson 4",
        "ms-rao",
        [*_STUDENTS],
        [
            Line("ms-rao", 0, "The session starts at four. Bring paper and two colours."),
            Line("hana", 6, "Can we go over the homework first?"),
            Line("ms-rao", 1, "Of course.", [("🙏", ("hana", "eli"))]),
        ],
        ago_min=50,
    ),
    Scene(
        "physics",
        RoomKind.GROUP,
        "Physics project",
        "mr-ito",
        ["ada", "ben", "gus", "hana"],
        [
            Line("mr-ito", 0, "Your bridge may use 50 straws and one roll of tape. It has to hold a kilogram."),
            Line("gus", 9, "I have straws at home, about 80"),
            Line("hana", 2, "I'll draw the triangles 📐", [("👏", ("gus", "mr-ito"))]),
            Line("mr-ito", 4, "Triangles: good thinking."),
        ],
        ago_min=180,
    ),
    Scene(
        "news",
        RoomKind.ANNOUNCEMENT,
        "School news",
        "admin",
        [*_STUDENTS, "ms-rao", "mr-ito"],
        [
            Line("admin", 0, "Welcome to Homeroom, our new home for chats and live classes."),
            Line(
                "admin",
                30,
                "The science fair is on Friday, 14:00 to 16:00. Families are welcome.",
                [("🎉", ("dia", "gus"))],
            ),
        ],
        ago_min=1500,
    ),
    Scene(
        "ada-rao",
        RoomKind.DIRECT,
        "",
        "ms-rao",
        ["ada"],
        [
            Line("ada", 0, "Ms Rao, may I hand in the worksheet tomorrow? I left it at my grandmother's."),
            Line("ms-rao", 5, "Tomorrow is fine, Ada. Thanks for telling me in time."),
            Line("ada", 1, "Thank you!! 🙏"),
        ],
        ago_min=75,
    ),
    Scene(
        "ada-ben",
        RoomKind.DIRECT,
        "",
        "ada",
        ["ben"],
        [
            Line("ben", 0, "did you get 3/4 for number 5 too?"),
            Line("ada", 2, "yes! look what Ms Rao wrote in the group"),
        ],
        ago_min=20,
        unread=1,
    ),
    Scene(
        "chen-ito",
        RoomKind.DIRECT,
        "",
        "mr-ito",
        ["chen"],
        [Line("mr-ito", 0, "Chen, would you like to join the physics project? They need one more engineer.")],
        ago_min=240,
        unread=1,
    ),
)


async def furnish(app: App) -> None:
    """Make whatever of the demo school is not there yet."""
    users = await app.store.users.get_many([user.id for user in PEOPLE])
    for user in PEOPLE:
        if user.id not in users:
            await app.store.users.put(user)
    for scene in SCENES:
        await _furnish_room(app, scene)


def links(app: App, url: str) -> Iterator[tuple[User, str]]:
    """Yield each person and a link that signs them in. The token is behind `#`, so that no server logs it."""
    for user in PEOPLE:
        token, _ = app.minter.mint(user, LINK_LIFE)
        yield user, f"{url}/#token={token}"


async def _furnish_room(app: App, scene: Scene) -> None:
    end = app.services.clock.now() - timedelta(minutes=scene.ago_min)
    begin = end - timedelta(minutes=sum(line.gap_min for line in scene.lines))
    room = Room(RoomId(uuid7()), scene.kind, scene.title, UserId(scene.owner), begin, last_activity_at=begin)
    room, created = await app.store.rooms.create(room, _members(scene, room, begin), unique_key=_unique_key(scene))
    if not created:
        return
    said = await _say(app, scene, room, begin)
    read = len(said) - scene.unread
    for member in _members(scene, room, begin):
        await app.store.members.mark(room.id, member.user_id, read_seq=read, delivered_seq=len(said))


async def _say(app: App, scene: Scene, room: Room, at: datetime) -> list[MessageId]:
    said: list[MessageId] = []
    for number, line in enumerate(scene.lines):
        at += timedelta(minutes=line.gap_min)
        draft = Draft(
            id=MessageId(uuid7()),
            room_id=room.id,
            sender_id=UserId(line.sender),
            client_id=f"demo-{number}",
            kind=MessageKind.TEXT,
            body=line.body,
            created_at=at,
            reply_to=said[-line.reply_back] if line.reply_back else None,
            mentions=[UserId(user_id) for user_id in line.mentions],
        )
        said.append((await app.store.messages.append(draft)).message.id)
        await _react(app, said[-1], line)
    return said


async def _react(app: App, message_id: MessageId, line: Line) -> None:
    for emoji, user_ids in line.reactions:
        for user_id in map(UserId, user_ids):
            give = partial(with_reaction, user_id=user_id, emoji=emoji, on=True)
            await app.store.messages.change(message_id, give)


def _members(scene: Scene, room: Room, at: datetime) -> list[Member]:
    owner_role = RoomRole.MEMBER if scene.kind is RoomKind.DIRECT else RoomRole.OWNER
    owner = Member(room.id, UserId(scene.owner), owner_role, at)
    return [owner, *(replace(owner, user_id=UserId(one), role=RoomRole.MEMBER) for one in scene.members)]


def _unique_key(scene: Scene) -> str:
    """Return a direct room's own key, so that opening the pair finds this room; else one of the demo's."""
    if scene.kind is not RoomKind.DIRECT:
        return f"demo:{scene.key}"
    return direct_key([UserId(scene.owner), UserId(scene.members[0])])
