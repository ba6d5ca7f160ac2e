"""From the claims of a verified token to a person: role, name, picture, time zone, locale. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from auth.errors import forbidden, invalid_token
from auth.types import Role

MAX_SUBJECT_CHARS: Final = 128
MAX_NAME_CHARS: Final = 120
MAX_URL_CHARS: Final = 2048

ROLE_WORDS: Final[Mapping[str, Role]] = {
    "student": Role.STUDENT,
    "learner": Role.STUDENT,
    "teacher": Role.TEACHER,
    "instructor": Role.TEACHER,
    "mentor": Role.TEACHER,
    "trainer": Role.TEACHER,
    "admin": Role.ADMIN,
    "administrator": Role.ADMIN,
    "investor": Role.VIEWER,
    "viewer": Role.VIEWER,
}

# Claims that the issuer sets and people cannot change themselves: never `user_metadata` or `unsafe_metadata`.
ROLE_CLAIMS: Final = (
    "role",
    "roles",
    "cognito:groups",
    "custom:role",
    "public_metadata.role",
    "metadata.role",
    "app_metadata.role",
    "*/role",
    "*/roles",
)
NAME_CLAIMS: Final = ("name", "given_name+family_name", "preferred_username", "cognito:username", "email", "sub")

# Of several roles the one that may do most: a viewer only looks on.
STRENGTH: Final = (Role.SERVICE, Role.ADMIN, Role.TEACHER, Role.STUDENT, Role.VIEWER)

_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_JOINERS: Final = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """How one issuer's claims are read.

    An entry of `role_claims` is a claim's name, a dotted path, or `*/roles` for any claim whose name is a URL that ends
    so. `role_words` maps casefolded words to roles; `default_role` is for people whose token names none of them.
    """

    role_claims: tuple[str, ...] = ROLE_CLAIMS
    role_words: Mapping[str, Role] = field(default_factory=lambda: ROLE_WORDS)
    default_role: Role | None = None
    name_claims: tuple[str, ...] = NAME_CLAIMS


@dataclass(frozen=True, slots=True)
class Profile:
    """What the claims say about a person."""

    role: Role
    name: str
    avatar_url: str | None
    tz: str | None
    locale: str | None


def read_profile(claims: Mapping[str, object], rules: ClaimRules) -> Profile:
    """Return the person that `claims` describe. Raises `auth.forbidden` if they have no role here."""
    return Profile(
        read_role(claims, rules),
        read_name(claims, rules.name_claims),
        _https_url(claims.get("avatar_url")) or _https_url(claims.get("picture")),
        _time_zone(claims.get("tz")) or _time_zone(claims.get("zoneinfo")),
        _locale(claims.get("locale")),
    )


def read_subject(claims: Mapping[str, object]) -> str:
    """Return `sub`. Raises `auth.invalid_token` unless it is 1 to 128 visible characters."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not is_subject(subject):
        raise invalid_token(f"its sub must be 1 to {MAX_SUBJECT_CHARS} characters without control characters")
    return subject


def is_subject(text: str) -> bool:
    """Return whether `text` can be a user's id."""
    if text.isascii() and text.isprintable():
        return text == text.strip() and 0 < len(text) <= MAX_SUBJECT_CHARS
    visible = text == text.strip() and not any(map(_is_hidden, text))
    return visible and 0 < len(text) <= MAX_SUBJECT_CHARS


def read_role(claims: Mapping[str, object], rules: ClaimRules) -> Role:
    """Return the role that the first telling claim of `rules.role_claims` gives, the strongest if it gives several."""
    for path in rules.role_claims:
        words = [word for value in _values(claims, path) for word in _words(value)]
        roles = {rules.role_words[word] for word in words if word in rules.role_words}
        if roles:
            return min(roles, key=STRENGTH.index)
    if rules.default_role is None:
        raise forbidden("This account has no role in the school: its token names none that Homeroom knows.")
    return rules.default_role


def read_name(claims: Mapping[str, object], name_claims: tuple[str, ...]) -> str:
    """Return the first claim that makes a visible name, at most 120 characters; `sub` if none does."""
    names = (clean_name(_name_text(claims, path)) for path in name_claims)
    return next(filter(None, names), "") or clean_name(_text(claims.get("sub")))


def clean_name(text: str) -> str:
    """Return `text` on one line, without characters that hide or reorder others, at most 120 characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:MAX_NAME_CHARS].rstrip()
    spaced = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", text))
    kept = "".join(char for char in spaced if char in _JOINERS or not _is_hidden(char))
    name = " ".join(kept.split())[:MAX_NAME_CHARS].rstrip()
    return name if name.strip(_JOINERS) else ""


def _name_text(claims: Mapping[str, object], path: str) -> str:
    parts = [_text(value) for name in path.split("+") for value in _values(claims, name)]
    text = " ".join(parts)
    # An address is not for everybody to see.
    return text.partition("@")[0] if path == "email" else text


def _values(claims: Mapping[str, object], path: str) -> Iterator[object]:
    """Yield what a claim path names. A claim of exactly that name wins, as names such as URLs hold dots."""
    if path.startswith("*"):
        yield from (value for name, value in claims.items() if name.startswith("https://") and name.endswith(path[1:]))
        return
    node: object = claims
    for step in (path,) if path in claims else path.split("."):
        node = node.get(step) if isinstance(node, dict) else None
    yield node


def _words(value: object) -> Iterator[str]:
    for word in value if isinstance(value, list) else [value]:
        if isinstance(word, str):
            yield word.strip().casefold()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_hidden(char: str) -> bool:
    # Control, format (bidirectional overrides), lone surrogates (not encodable), line and paragraph separators.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _https_url(value: object) -> str | None:
    url = _text(value)
    if not url.isprintable() or " " in url or len(url) > MAX_URL_CHARS:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme == "https" and parts.hostname else None


@cache
def _zones() -> frozenset[str]:
    # Files of these names stand among the zones, but name no place.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _time_zone(value: object) -> str | None:
    return value if isinstance(value, str) and value in _zones() else None


def _locale(value: object) -> str | None:
    tag = _text(value).replace("_", "-")
    return tag if _LOCALE.fullmatch(tag) else None
