"""People who call the HTTP API, and hold no connection."""

import time
from itertools import accumulate
from typing import Any, Final, NamedTuple

from pydantic import Field, model_validator

from loadtest.behaviours.behaviour import Behaviour, Fields, scaled
from loadtest.behaviours.bodies import BODIES
from loadtest.behaviours.chance import Chance
from loadtest.behaviours.world import World, each
from loadtest.client.api import Answer
from loadtest.client.errors import ApiFailed, ConnectFailed
from loadtest.client.tokens import User
from loadtest.measure.names import Count, Metric
from loadtest.measure.recorder import FaultKind

MOST_PER_PERSON_S = 9.0
"""A person may make 600 requests a minute; random arrivals need some room below it."""

UNAUTHORISED = 401


class ApiFields(Fields):
    """How many requests, shared by how many people."""

    requests_per_s: float = scaled(100.0, about="How many requests in all.", gt=0)
    people: int = scaled(50, about="How many people share them.", ge=1)
    me: float = Field(4, ge=0, description="Weight of GET /v1/me.")
    rooms: float = Field(4, ge=0, description="Weight of GET /v1/rooms.")
    messages: float = Field(4, ge=0, description="Weight of GET /v1/rooms/{id}/messages.")
    users: float = Field(2, ge=0, description="Weight of GET /v1/users.")
    send: float = Field(1, ge=0, description="Weight of POST /v1/rooms/{id}/messages.")

    @model_validator(mode="after")
    def _check(self) -> "ApiFields":
        if self.requests_per_s / self.people > MOST_PER_PERSON_S:
            raise ValueError(f"people: too few; one of them may make {MOST_PER_PERSON_S:g} requests per second")
        if not any(self.weights):
            raise ValueError("me, rooms, messages, users, send: one of them must be above 0")
        return self

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights in the order of `CALLS`."""
        return (self.me, self.rooms, self.messages, self.users, self.send)


CALLS: Final = ("me", "rooms", "messages", "users", "send")


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    path: str
    json: dict[str, Any] | None = None
    headers: dict[str, str] | None = None


class Caller:
    """One person who makes requests at a Poisson process's times."""

    __slots__ = ("_made", "_mean_s", "_open", "_token", "_weights", "_world", "chance", "room_id", "user")

    def __init__(self, world: World, user: User, mean_s: float, weights: tuple[float, ...]) -> None:
        self.user = user
        self.room_id: str | None = None
        self.chance: Chance = world.chance(user.index, "api")
        self._world = world
        self._mean_s = mean_s
        self._weights = list(accumulate(weights))
        self._made = 0
        self._open = 0
        """Requests that wait for their answer."""
        self._token: str | None = None

    async def prepare(self) -> None:
        """Be known to the server, and have a room of one's own to read and write in. Faults are counted."""
        room = {"kind": "group", "title": f"Notes of {self.user.name}", "member_ids": []}
        answer = await self._ask(Request("POST", "/v1/rooms", room), "setup")
        if answer is None or answer.code is not None:
            return
        try:
            self.room_id = str(answer.body["room"]["id"])
        except (KeyError, TypeError) as error:
            self._world.recorder.error("setup", "bad_answer", f"POST /v1/rooms: {error!r}")

    def begin(self) -> None:
        """Schedule the first request; each one schedules the next."""
        self._plan(self._world.load_from_ns + self.chance.gap_ns(self._mean_s))

    def next_request(self) -> Request:
        """Return a request of the mix; those that need a room fall back to reading one's own profile."""
        self._made += 1
        at = self.chance.random() * self._weights[-1]
        name = next(name for name, upto in zip(CALLS, self._weights, strict=True) if at < upto)
        match name:
            case "rooms":
                return Request("GET", "/v1/rooms")
            case "users":
                return Request("GET", f"/v1/users?query={self.user.name.split()[0]}")
            case "messages" if self.room_id is not None:
                return Request("GET", f"/v1/rooms/{self.room_id}/messages")
            case "send" if self.room_id is not None:
                key = f"api.{self._world.run}.{self.user.index}.{self._made}"
                body = {"body": self.chance.pick(BODIES)}
                return Request("POST", f"/v1/rooms/{self.room_id}/messages", body, {"Idempotency-Key": key})
        return Request("GET", "/v1/me")

    def _plan(self, due_ns: int) -> None:
        if due_ns < self._world.load_until_ns:
            self._world.schedule.at(due_ns, self._begin_request)

    def _begin_request(self, due_ns: int) -> None:
        self._world.spawn(self._request(self.next_request(), due_ns))
        self._plan(due_ns + self.chance.gap_ns(self._mean_s))

    def give_up(self) -> None:
        """Count every request that has no answer by now as one that never came."""
        for _ in range(self._open):
            self._world.recorder.error("http", "timeout", f"by {self.user.id}: no answer until the end of the run")

    async def _request(self, request: Request, due_ns: int) -> None:
        self._open += 1
        answer = await self._ask(request, "http")
        self._open -= 1
        if answer is not None:
            self._world.recorder.count(Count.HTTP)
            self._world.recorder.latency(Metric.HTTP, time.monotonic_ns() - due_ns)

    async def _ask(self, request: Request, kind: FaultKind) -> Answer | None:
        world = self._world
        try:
            if self._token is None:
                self._token = await world.tokens.token(self.user)
            answer = await world.api.request(request.method, request.path, self._token, request.json, request.headers)
        except (ApiFailed, ConnectFailed) as failed:
            world.recorder.error(kind, failed.code, f"{request.method} {request.path}: {failed}")
            return None
        if answer.code is not None:
            world.recorder.error(kind, answer.code, f"{request.method} {request.path}: HTTP {answer.status}")
        if answer.status == UNAUTHORISED:
            self._token = None
        return answer


class ApiUsers(Behaviour[ApiFields]):
    """A unit is one person, who holds no connection."""

    Fields = ApiFields
    connects = False

    def __init__(self, world: World, fields: ApiFields, *share: Any) -> None:
        super().__init__(world, fields, *share)
        mean_s = fields.people / fields.requests_per_s
        self.callers = [Caller(world, user, mean_s, fields.weights) for user in self.users]

    @classmethod
    def count_units(cls, fields: ApiFields) -> int:
        """Return the number of people."""
        return fields.people

    async def prepare(self) -> None:
        """Everyone makes a room of their own."""
        await each(self.callers, Caller.prepare)

    def begin(self) -> None:
        """Everyone begins to make requests."""
        for caller in self.callers:
            caller.begin()

    def give_up(self) -> None:
        """Count what was never answered."""
        for caller in self.callers:
            caller.give_up()
