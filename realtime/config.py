"""Settings: the only reader of the environment. Every name is documented in docs/operating.md (a test checks)."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from auth.errors import SettingRefused


class Limits(BaseSettings):
    """What one client may ask of the server (WIRE.md §1, Limits)."""

    model_config = SettingsConfigDict(env_prefix="HOMEROOM_LIMITS_", frozen=True)

    body_chars: int = Field(8000, ge=1, le=100_000, description="Longest message body, in characters.")
    frame_bytes: int = Field(65_536, ge=1024, description="Largest frame a client may send, in bytes.")
    events_per_s: float = Field(20, gt=0, description="Events per second and connection.")
    events_burst: int = Field(40, ge=1, description="Events a connection may send at once.")
    messages_per_s: float = Field(5, gt=0, description="Messages per second, user and room.")
    messages_burst: int = Field(10, ge=1, description="Messages a user may send to a room at once.")
    typing_interval_ms: int = Field(3000, ge=0, description="Shortest time between two typing broadcasts, in ms.")
    typing_ttl_ms: int = Field(7000, ge=100, description="Time after which typing ends by itself, in ms.")
    connections_per_user: int = Field(10, ge=1, description="Connections of one user.")
    history_page: int = Field(100, ge=1, le=100, description="Largest page of `message:history`.")
    sync_messages: int = Field(500, ge=1, description="Most messages of one `room:sync`, before it resets.")
    live_rooms: int = Field(200, ge=1, description="Rooms that a connection is live in without joining.")
    broadcast_members: int = Field(100, ge=1, description="Members up to which receipts and typing are broadcast.")
    watched_users: int = Field(200, ge=1, description="Users that one connection may watch.")
    queue_bytes: int = Field(1_048_576, ge=1024, description="Unread bytes after which a slow connection is cut.")
    queue_frames: int = Field(1000, ge=10, description="Unread frames after which a slow connection is cut.")
    http_per_minute: int = Field(600, ge=1, description="HTTP requests per minute and user.")
    http_anonymous_per_15_minutes: int = Field(
        100, ge=1, description="HTTP requests without a token per 15 minutes and address."
    )
    connections: int = Field(0, ge=0, description="Connections in all; 0: what the open-files limit allows.")
    connections_per_address: int = Field(0, ge=0, description="Connections of one address; 0: any number.")
    sign_in_ms: int = Field(10_000, ge=100, description="Time to send a request's head, and then to sign in, in ms.")


class Settings(BaseSettings):
    """How this server runs. All are optional."""

    model_config = SettingsConfigDict(env_prefix="HOMEROOM_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(Path("data"), description="Directory of the database and the signing key.")
    store: str = Field("sqlite", description="`sqlite` (in the data directory) or `sqlite:///path`.")
    cluster: str = Field("local", description="`local`: one process.")
    public_url: str | None = Field(None, description="Address of this server as people's browsers see it.")
    jwt_secret: str | None = Field(None, repr=False, description="Secret of HS256 tokens, at least 32 bytes.")
    jwt_issuers: str | None = Field(None, description="External issuers: a JSON list, a file of one, or URLs.")
    service_key: str | None = Field(None, repr=False, description="Key of the school's backend.")
    access_ttl_s: int = Field(900, ge=60, description="Life of an access token made here, in seconds.")
    refresh_ttl_s: int = Field(2_592_000, ge=60, description="Life of a refresh token, in seconds.")
    cors_origins: str = Field("", description="Origins of other web apps that may connect, comma-separated; `*` all.")
    trusted_proxies: str = Field("", description="Proxies whose X-Forwarded-For is believed, comma-separated.")
    proxy_protocol: bool = Field(False, description="Connections begin with a header of the PROXY protocol.")
    compat_open_sessions: bool = Field(False, description="Let students make session rooms by `join-session`.")
    ping_interval_ms: int = Field(25_000, ge=100, description="Time between two pings of a connection, in ms.")
    ping_timeout_ms: int = Field(20_000, ge=100, description="Time a client has to answer a ping, in ms.")
    presence_grace_ms: int = Field(10_000, ge=0, description="Time to reconnect before others see one go, in ms.")
    drain_s: float = Field(10, ge=0, description="Longest graceful stop, in seconds.")
    web_dir: Path | None = Field(None, description="Directory of the built web app; found by itself if not set.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line to log.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    limits: Limits = Field(default_factory=Limits, description="See the limits below.")

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as https://chat.school.example")
        return value.rstrip("/")


def load(**flags: Any) -> Settings:
    """Return the settings of the environment; a flag that is not None goes before its variable.

    Raises SettingRefused with one line that names the setting.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(limits=Limits(), **given)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        prefix = "HOMEROOM_LIMITS_" if exc.title == "Limits" else "HOMEROOM_"
        name = "_".join(str(part) for part in problem["loc"]).upper()
        raise SettingRefused(f"{prefix}{name}: {problem['msg']}.") from None
    except SettingsError:
        text = "HOMEROOM_LIMITS: each limit is a setting of its own, such as HOMEROOM_LIMITS_BODY_CHARS."
        raise SettingRefused(text) from None
