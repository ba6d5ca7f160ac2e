"""What a route is, and what its handler is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, TypeAdapter

from auth.policy import Action
from auth.types import Principal
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from realtime.contract.base import union_tags
from realtime.services import Services

Json = dict[str, Any]
Query = TypeVar("Query")
Body = TypeVar("Body")

DisconnectUser = Callable[[UserId, str], None]
"""Close all live connections of a user, everywhere, giving them the reason. Returns at once."""

Readiness = Callable[[], Awaitable[list[str]]]
"""Why this server should get no traffic now; empty if it should."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The reference, encoded once."""

    openapi: bytes
    asyncapi: bytes
    page: bytes
    page_policy: str


@dataclass(frozen=True, slots=True)
class Edge:
    """What handlers may use besides the request."""

    services: Services
    jwks: Mapping[str, object]
    disconnect_user: DisconnectUser
    readiness: Readiness
    registry: CollectorRegistry
    documents: Callable[[], Documents]


@dataclass(frozen=True, slots=True)
class Call(Generic[Query, Body]):
    """One request, checked. `caller` is why nobody is signed in, where nobody has to be."""

    edge: Edge
    caller: Principal | HomeroomError
    path: Mapping[str, str]
    query: Query
    body: Body
    idempotency_key: str | None = None

    @property
    def services(self) -> Services:
        """The domain."""
        return self.edge.services

    @property
    def principal(self) -> Principal:
        """Who acts. Raises `auth.*` if nobody is signed in."""
        if isinstance(self.caller, HomeroomError):
            raise self.caller
        return self.caller

    @property
    def room_id(self) -> RoomId:
        """The `{room_id}` of the path."""
        return RoomId(self.path["room_id"])

    @property
    def user_id(self) -> UserId:
        """The `{user_id}` of the path."""
        return UserId(self.path["user_id"])


Answer = Json | web.Response | None
"""A JSON object, nothing (204), or a whole response."""

Handler = Callable[[Call[Any, Any]], Awaitable[Answer]]
Auth = Literal["none", "optional", "required"]
Tag = Literal["auth", "users", "rooms", "messages", "members", "operations"]


@dataclass(frozen=True)
class Route:
    """One endpoint.

    `auth` says whether a bearer (an access token or a service key) is looked at or needed, `action` what it must be
    allowed in the school. `idempotent` POSTs take an Idempotency-Key. `errors` are the codes beyond those that any
    route of its kind can answer. `media` is the content type of a successful answer.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    summary: str
    tag: Tag
    auth: Auth = "required"
    action: Action | None = None
    query: type[BaseModel] | None = None
    body: Any = None
    response: type[BaseModel] | None = None
    status: int = 200
    idempotent: bool = False
    errors: tuple[ErrorCode, ...] = ()
    media: str = "application/json"

    @property
    def counted(self) -> bool:
        """Whether requests count against the limits of WIRE.md §1."""
        return self.path.startswith("/v1/")

    @property
    def name(self) -> str:
        """Method and path, unique."""
        return f"{self.method} {self.path}"

    @cached_property
    def body_adapter(self) -> TypeAdapter[Any]:
        """The validator of the body."""
        return TypeAdapter(self.body)

    @cached_property
    def body_tags(self) -> frozenset[str]:
        """What tells the members of the body apart, if it is a union."""
        return union_tags(self.body_adapter)
