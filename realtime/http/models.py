"""What HTTP adds to the contract: queries, bodies and answers that no event has."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from auth.claims import is_subject
from auth.tokens import SERVICE_SUBJECT
from realtime.contract.base import Cursor, Id, Instant, Line, Payload, Seq, Wire
from realtime.contract.messages import MessageContent
from realtime.contract.objects import NotifyName, RoomRoleName, User
from realtime.contract.rooms import SettingsIn

PersonRole = Literal["student", "teacher", "admin", "viewer"]
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")


def _check(passes: Callable[[str], object], sentence: str) -> AfterValidator:
    def validate(value: str) -> str:
        if not passes(value):
            raise ValueError(sentence)
        return value

    return AfterValidator(validate)


def is_person_id(value: str) -> bool:
    """Whether a person may have this id: `service` and `service:…` stand for service keys."""
    return is_subject(value) and value.partition(":")[0] != SERVICE_SUBJECT


def _is_https(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme == "https" and bool(parts.hostname) and value.isprintable() and " " not in value


PersonId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    _check(is_person_id, "must be 1 to 128 visible characters, and not an id of a service"),
]
HttpsUrl = Annotated[str, StringConstraints(max_length=2048), _check(_is_https, "must be an https:// address")]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=64),
    _check(lambda value: value in available_timezones(), "must be an IANA time zone, such as Asia/Kolkata"),
]
Locale = Annotated[
    str, StringConstraints(max_length=35), _check(_LOCALE.fullmatch, "must be a language tag, such as en or hi-IN")
]


class Profile(Payload):
    """What may be set of a person. What is left out of a mint stays as it is."""

    avatar_url: HttpsUrl | None = Field(None, description="Picture, over https.")
    tz: TimeZone | None = Field(None, description="IANA time zone.", examples=["Asia/Kolkata"])
    locale: Locale | None = Field(None, description="Language tag.", examples=["hi-IN"])


class UserPut(Profile):
    """A person of the school, whole: what is left out is cleared."""

    name: Line
    role: PersonRole


class TokenMint(Profile):
    """Sign a person in. A person unknown until now is made, and needs a role."""

    user_id: PersonId
    name: Line | None = Field(None, description="For a new person the id, if left out.")
    role: PersonRole | None = None


class Refresh(Payload):
    """Trade a refresh token for a new pair."""

    refresh_token: str = Field(min_length=1, max_length=1024)


class Revoke(Payload):
    """End one sign-in by its refresh token, or (service, admin) all of a user's."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, json_schema_extra={"examples": [{"refresh_token": "hrr_8sJ…"}]}
    )

    refresh_token: str | None = Field(None, min_length=1, max_length=1024)
    user_id: Id | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Revoke":
        if (self.refresh_token is None) == (self.user_id is None):
            raise ValueError("give either refresh_token or user_id")
        return self


class Tokens(Wire):
    """What a sign-in gives. A refresh token works once."""

    access_token: str
    expires_at: Instant
    refresh_token: str
    refresh_expires_at: Instant


class MintedTokens(Tokens):
    """Tokens and the person they are for."""

    user: User


class Jwk(Wire):
    """A public key (RFC 7517, RFC 8037)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kty: str
    kid: str | None = None


class JwkSet(Wire):
    """Public keys of access tokens made here."""

    keys: list[Jwk]


class UserAnswer(Wire):
    """The person."""

    user: User


class UserQuery(Payload):
    """Search by name or id, or name up to 100 ids."""

    query: Annotated[str, StringConstraints(max_length=200)] = Field("", description="Part of a name or id.")
    ids: Annotated[str, StringConstraints(max_length=8000)] | None = Field(
        None,
        description="Up to 100 ids, comma-separated. Unknown ones are left out of the answer.",
        examples=["ada,ben"],
    )
    cursor: Cursor | None = None
    limit: int = Field(50, ge=1, le=100)


class UserPage(Wire):
    """People, by name."""

    users: list[User]
    next_cursor: str | None = None


class RoomPatchIn(Payload):
    """What to change of a room; what is left out stays."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, json_schema_extra={"examples": [{"settings": {"slow_mode_s": 10}}]}
    )

    title: Line | None = None
    archived: bool | None = None
    settings: SettingsIn | None = None


class HistoryQuery(Payload):
    """Which messages: the newest, or those before or after a seq."""

    before_seq: Seq | None = None
    after_seq: Seq | None = None
    limit: int = Field(50, ge=1, le=100)


class MessagePost(MessageContent):
    """Send a message. Sending the same `client_id` again returns the first one."""

    client_id: Id | None = Field(None, description="The Idempotency-Key, or a new id, if left out.")


class PageQuery(Payload):
    """A page of a list."""

    cursor: Cursor | None = None
    limit: int = Field(50, ge=1, le=200)


class MemberPut(Payload):
    """What to set of a membership; what is left out stays, or gets its default for a new member."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, json_schema_extra={"examples": [{"role": "moderator"}]}
    )

    role: RoomRoleName | None = None
    muted_until: AwareDatetime | None = Field(None, description="An instant in the past lifts a mute.")
    notify: NotifyName | None = None


class Member(Wire):
    """Someone's place in a room. `notify` is shown to that person only."""

    user_id: str
    user: User | None = Field(None, description="Left out if the person is no longer known.")
    role: RoomRoleName
    joined_at: Instant
    read_seq: int
    delivered_seq: int
    muted_until: Instant | None = None
    notify: NotifyName | None = None


class MemberAnswer(Wire):
    """The membership."""

    member: Member


class MemberPage(Wire):
    """Members, by user id."""

    members: list[Member]
    next_cursor: str | None = None


class Health(Wire):
    """The process is alive."""

    status: Literal["ok"]


class Ready(Wire):
    """Traffic is welcome."""

    status: Literal["ready"]


class Problem(Wire):
    """A refusal (RFC 9457). `code` is stable, and the same as in acks; `detail` is for people."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(description="Where the code is explained.")
    title: str
    status: int
    detail: str
    code: str
    retryable: bool = Field(description="Whether the same request can succeed later.")
    retry_after_ms: int | None = None
    fields: list[str] | None = Field(None, description="Offending paths, on `request.invalid`.")
    trace_id: str | None = Field(None, description="What to tell us, on `server.internal`.")


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` without those that are None: what is not there is left out."""
    return {name: value for name, value in values.items() if value is not None}
