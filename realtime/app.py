"""The composition root: everything is built here, once, and nowhere else."""

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from auth.issuers import parse_issuers
from auth.keys import SigningKey, load_signing_key, secret_key
from auth.limits import KeyedBuckets
from auth.revocation import Revocations
from auth.service_keys import ServiceKeys
from auth.sessions import Authenticator, Sessions
from auth.tokens import TokenMinter, TokenVerifier
from core.clock import SystemClock
from core.errors import HomeroomError
from core.ids import uuid7
from core.tasks import Background
from realtime.cluster.local import LocalBroker, LocalPresence
from realtime.cluster.ports import Broker
from realtime.config import Settings
from realtime.connection import Connection
from realtime.dispatch import Dispatch
from realtime.edge import NAMESPACES, LiveEdge
from realtime.engine.door import Door
from realtime.engine.options import DoorRules, EngineOptions
from realtime.engine.origins import Origins
from realtime.engine.places import most_connections
from realtime.engine.proxies import Proxies
from realtime.engine.server import SocketServer
from realtime.fanout import Fanout
from realtime.fetch import JsonFetcher
from realtime.handlers import build_handlers
from realtime.http.app import build_http
from realtime.hub import Hub
from realtime.observe import build_registry
from realtime.principals import Admission
from realtime.process import open_files
from realtime.roster import Roster
from realtime.services import Services
from rooms.members import Members
from rooms.messages import Messages
from rooms.presence import PresenceBook
from rooms.receipts import ReceiptFeed, Receipts
from rooms.rooms import Rooms
from rooms.sync import Sync
from rooms.typing import Typing
from storage.sqlite.store import SqliteStore

try:
    VERSION = version("homeroom")
except PackageNotFoundError:  # run from a checkout that is not installed
    VERSION = "0+unknown"


@dataclass(frozen=True)
class App:
    """A built server, not yet listening."""

    settings: Settings
    store: SqliteStore
    services: Services
    minter: TokenMinter
    hub: Hub
    fanout: Fanout
    edge: LiveEdge
    web: web.Application
    sockets: SocketServer
    door: Door
    registry: CollectorRegistry
    background: Background
    fetch: JsonFetcher
    verifier: TokenVerifier

    async def close(self) -> None:
        """Finish what runs and close everything, the store last."""
        await self.services.presence.close()
        await self.background.close(grace_s=1)
        await self.verifier.aclose()
        await self.fetch.close()
        await self.store.close()


def signing_key(settings: Settings) -> SigningKey:
    """Return the key that signs our tokens: the shared secret if one is set, else the data directory's own.

    Raises auth.errors.SettingRefused.
    """
    if settings.jwt_secret is not None:
        return secret_key(settings.jwt_secret)
    return load_signing_key(settings.data_dir / "keys")


def build(settings: Settings, store: SqliteStore, key: SigningKey) -> App:
    """Join all parts. Call inside the running loop."""
    loop, clock, hub, broker = asyncio.get_running_loop(), SystemClock(), Hub(), LocalBroker()
    log = structlog.get_logger("realtime.app")
    background = Background(lambda error: log.error("background work failed", exc_info=error))
    broker.attach(hub.deliver)
    fanout, fetch = Fanout(broker), JsonFetcher()
    issuers = parse_issuers(settings.jwt_issuers) if settings.jwt_issuers else ()
    verifier = TokenVerifier(key, issuers, fetch, clock)
    minter = TokenMinter(key, clock)
    services = _services(settings, store, fanout, background, verifier, minter, loop)
    registry = build_registry()
    grace_s = settings.presence_grace_ms / 1000
    limits = settings.limits
    roster = Roster(hub, fanout, timers=loop, grace_s=grace_s, broadcast_members=limits.broadcast_members)

    async def renew(connection: Connection, token: str) -> datetime:
        return await edge.renew(connection, token)  # the edge is made below: it needs the handlers

    handlers = build_handlers(services, hub, roster, renew, max_watched=limits.watched_users)
    dispatch = Dispatch(handlers, clock=clock, registry=registry, frame_bytes=limits.frame_bytes)
    edge = LiveEdge(services, hub, roster, store.rooms, dispatch, timers=loop, limits=limits)
    sockets = SocketServer(
        edge, engine_options(settings), namespaces=NAMESPACES, registry=registry, background=background
    )
    app = build_http(
        services,
        settings=settings,
        jwks=key.jwks,
        registry=registry,
        idempotency=store.idempotency,
        disconnect_user=fanout.disconnect_user,
        readiness=lambda: _not_ready(edge, store, broker),
        version=VERSION,
    )
    sockets.add_routes(app)
    return App(
        settings,
        store,
        services,
        minter,
        hub,
        fanout,
        edge,
        app,
        sockets,
        Door(sockets, path=sockets.sessions.options.path, rules=door_rules(settings)),
        registry,
        background,
        fetch,
        verifier,
    )


def engine_options(settings: Settings) -> EngineOptions:
    """Return how the engine is to run."""
    limits = settings.limits
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    return EngineOptions(
        ping_interval_s=settings.ping_interval_ms / 1000,
        ping_timeout_s=settings.ping_timeout_ms / 1000,
        connect_timeout_s=limits.sign_in_ms / 1000,
        message_bytes=limits.frame_bytes * 2,  # above frame_bytes an event is answered, above this cut off
        advertised_bytes=limits.frame_bytes,
        queue_bytes=limits.queue_bytes,
        queue_frames=limits.queue_frames,
        origins=Origins([*origins, settings.public_url] if settings.public_url else origins),
    )


def door_rules(settings: Settings) -> DoorRules:
    """Return who may come in. Raises auth.errors.SettingRefused."""
    limits = settings.limits
    return DoorRules(
        proxies=Proxies(settings.trusted_proxies),
        proxy_protocol=settings.proxy_protocol,
        connections=most_connections(limits.connections, open_files()),
        connections_per_address=limits.connections_per_address,
        head_timeout_s=limits.sign_in_ms / 1000,
    )


def _services(
    settings: Settings,
    store: SqliteStore,
    events: Fanout,
    background: Background,
    verifier: TokenVerifier,
    minter: TokenMinter,
    loop: asyncio.AbstractEventLoop,
) -> Services:
    clock, limits = SystemClock(), settings.limits
    service_keys = ServiceKeys(store.service_keys, settings.service_key)
    # SQLite belongs to this process alone, so that nobody else can revoke: what is known stays true.
    revocations = Revocations(store.users, clock, ttl_s=math.inf)
    admission = Admission(Authenticator(verifier, revocations, service_keys), revocations, store.users)
    sessions = Sessions(
        store.users,
        store.refresh,
        revocations,
        minter,
        clock,
        access_ttl=timedelta(seconds=settings.access_ttl_s),
        refresh_ttl=timedelta(seconds=settings.refresh_ttl_s),
    )
    presence = PresenceBook(
        LocalPresence(),
        store.rooms,
        store.members,
        store.users,
        store.last_seen,
        events,
        background,
        clock=clock,
        timers=loop,
        grace_s=settings.presence_grace_ms / 1000,
        broadcast_members=limits.broadcast_members,
    )
    rooms = Rooms(
        store.rooms,
        store.members,
        store.users,
        events,
        clock=clock,
        new_id=uuid7,
        compat_open_sessions=settings.compat_open_sessions,
        broadcast_members=limits.broadcast_members,
    )
    receipts = ReceiptFeed(events, timers=loop, broadcast_members=limits.broadcast_members)
    pace = KeyedBuckets(limits.messages_per_s, limits.messages_burst)
    messages = Messages(
        store.messages,
        store.rooms,
        store.members,
        events,
        receipts,
        clock=clock,
        new_id=uuid7,
        body_chars=limits.body_chars,
        history_page=limits.history_page,
        pace=pace,
    )
    sync = Sync(
        store.sync,
        rooms,
        presence,
        max_messages=limits.sync_messages,
        max_members=limits.broadcast_members,
    )
    typing = Typing(
        store.rooms,
        events,
        clock=clock,
        timers=loop,
        interval_s=limits.typing_interval_ms / 1000,
        ttl_s=limits.typing_ttl_ms / 1000,
        broadcast_members=limits.broadcast_members,
    )
    return Services(
        admission=admission,
        sessions=sessions,
        service_keys=service_keys,
        users=store.users,
        rooms=rooms,
        members=Members(store.members, store.rooms, store.users, events, clock=clock),
        messages=messages,
        sync=sync,
        receipts=Receipts(store.members, store.rooms, receipts),
        typing=typing,
        presence=presence,
        clock=clock,
        new_id=uuid7,
    )


async def _not_ready(edge: LiveEdge, store: SqliteStore, broker: Broker) -> list[str]:
    reasons = ["draining"] if edge.draining else []
    try:
        await store.ping()
    except HomeroomError:
        reasons.append("store")
    if not await broker.ready():
        reasons.append("cluster")
    return reasons
