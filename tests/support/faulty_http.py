"""The HTTP API of the faulty server: right by default, wrong where the plan says so."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.support.faulty_doors import bad_gateway, problem
from tests.support.faulty_plan import Mishap, Plan
from tests.support.faulty_school import NOW, Json, School, person_of, token_for

Answer = Callable[[web.Request, Json], Json]


class FaultyHttp:
    """The routes of `/v1` that a load needs. Requests are numbered from 1 on; minting tokens has no number."""

    def __init__(self, plan: Plan, school: School, over: asyncio.Event) -> None:
        self.requests = 0
        self.mishaps: Counter[Mishap] = Counter()
        self._plan = plan
        self._school = school
        self._over = over

    def routes(self) -> list[web.RouteDef]:
        """Return what the API has."""
        return [
            web.post("/v1/auth/tokens", self._mint),
            web.get("/v1/me", self._answer(self._me)),
            web.get("/v1/users", self._answer(self._users)),
            web.put("/v1/users/{id}", self._answer(self._me)),
            web.get("/v1/rooms", self._answer(self._rooms)),
            web.post("/v1/rooms", self._answer(self._open)),
            web.get("/v1/rooms/{id}", self._answer(self._room)),
            web.get("/v1/rooms/{id}/messages", self._answer(self._messages)),
            web.post("/v1/rooms/{id}/messages", self._answer(self._send)),
        ]

    async def _mint(self, request: web.Request) -> web.Response:
        asked = await request.json()
        token = token_for(asked["user_id"], asked.get("name") or asked["user_id"], asked.get("role") or "student")
        user = person_of(token)
        tokens = {"access_token": token, "expires_at": NOW, "refresh_token": "r", "refresh_expires_at": NOW}
        return web.json_response(tokens | {"user": user}, status=201)

    def _answer(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.requests += 1
            mishap = self._plan.requests.get(self.requests)
            if mishap is not None:
                self.mishaps[mishap] += 1
                return await self._go_wrong(request, mishap)
            caller = person_of(request.headers["Authorization"].removeprefix("Bearer "))
            return web.json_response(answer(request, caller))

        return handle

    async def _go_wrong(self, request: web.Request, mishap: Mishap) -> web.StreamResponse:
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        if mishap is Mishap.BAD_GATEWAY:
            return bad_gateway()
        if mishap is Mishap.NOT_JSON:
            return web.Response(text="<p>Welcome to the hotel's network.</p>", content_type="application/json")
        if mishap is Mishap.SILENCE:
            await self._over.wait()
        elif mishap is Mishap.CUT:
            transport.abort()
        elif mishap is Mishap.HALF:
            transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{")
            transport.close()
        elif mishap is Mishap.LIMITED:
            return problem(429, "rate.limited", **{"Retry-After": "1"})
        return problem(500, "server.internal")

    def _me(self, request: web.Request, caller: Json) -> Json:
        return caller

    def _users(self, request: web.Request, caller: Json) -> Json:
        return {"users": [caller]}

    def _rooms(self, request: web.Request, caller: Json) -> Json:
        mine = [room for room in self._school.rooms.values() if caller["id"] in room.members]
        return {"rooms": [room.view(caller["id"]) for room in mine]}

    def _open(self, request: web.Request, caller: Json) -> Json:
        return {"room": self._school.open(caller["id"], {"kind": "group"}).view(caller["id"])}

    def _room(self, request: web.Request, caller: Json) -> Json:
        return {"room": self._school.rooms[request.match_info["id"]].view(caller["id"])}

    def _send(self, request: web.Request, caller: Json) -> Json:
        room = self._school.rooms[request.match_info["id"]]
        message = room.number(caller["id"], request.headers["Idempotency-Key"], "over HTTP")
        room.keep(message)
        return {"message": message}

    def _messages(self, request: web.Request, caller: Json) -> Json:
        room = self._school.rooms[request.match_info["id"]]
        query = {
            name: int(request.query[name]) for name in ("before_seq", "after_seq", "limit") if name in request.query
        }
        return room.history(caller["id"], query.get("before_seq"), query.get("after_seq"), query.get("limit", 50))
