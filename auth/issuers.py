"""The identity providers that a school trusts: the setting HOMEROOM_JWT_ISSUERS, parsed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from auth.claims import NAME_CLAIMS, ROLE_CLAIMS, ROLE_WORDS, ClaimRules
from auth.errors import SettingRefused
from auth.jose import PUBLIC_ALGORITHMS
from auth.types import Role

LOCAL_ISSUER: Final = "homeroom"
DEFAULT_ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
DEFAULT_LEEWAY_S: Final = 30.0
MAX_LEEWAY_S: Final = 300.0
JWKS_PATH: Final = "/.well-known/jwks.json"

_SETTING: Final = "HOMEROOM_JWT_ISSUERS"
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_FIELDS: Final = {
    "issuer",
    "jwks_url",
    "audience",
    "algorithms",
    "leeway_s",
    "role_claims",
    "role_map",
    "default_role",
    "name_claims",
}


@dataclass(frozen=True, slots=True)
class Issuer:
    """One trusted issuer. `audience` empty means that any is taken; `leeway_s` is for `nbf` and `iat` only."""

    issuer: str
    jwks_url: str
    audience: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    leeway_s: float = DEFAULT_LEEWAY_S
    rules: ClaimRules = field(default_factory=ClaimRules)


def parse_issuers(text: str) -> tuple[Issuer, ...]:
    """Return the issuers of a JSON list, of the path of a JSON file, or of comma-separated URLs.

    Reads a file if the text is a path. Raises SettingRefused with the entry and the field that are wrong.
    """
    text = text.strip()
    entries = _entries(text) if text else []
    issuers = tuple(_issuer(entry, f"{_SETTING}[{index}]") for index, entry in enumerate(entries))
    names = [issuer.issuer for issuer in issuers]
    for name in names:
        if names.count(name) > 1:
            raise SettingRefused(f"{_SETTING} names the issuer {name} twice.")
    return issuers


def _entries(text: str) -> list[object]:
    if text[0] in "[{":
        return _json_list(text, _SETTING)
    if "://" in text:
        return [{"issuer": url.strip()} for url in text.split(",") if url.strip()]
    try:
        return _json_list(Path(text).read_text(encoding="utf-8"), text)
    except (OSError, UnicodeDecodeError):
        raise SettingRefused(f"{_SETTING} is neither JSON nor URLs, and the file {text} cannot be read.") from None


def _json_list(text: str, where: str) -> list[object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SettingRefused(f"{where} is not JSON: {exc}.") from None
    if not isinstance(value, list):
        raise SettingRefused(f"{where} must be a JSON list of issuers.")
    return value


def _issuer(entry: object, where: str) -> Issuer:
    if not isinstance(entry, dict):
        raise SettingRefused(f"{where} must be an object with an issuer.")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise SettingRefused(f"{where} has the unknown field {unknown[0]}; known are {', '.join(sorted(_FIELDS))}.")
    name = _issuer_name(entry, where)
    return Issuer(
        name,
        _url(entry.get("jwks_url", name.rstrip("/") + JWKS_PATH), f"{where}.jwks_url"),
        _texts(entry, "audience", (), where),
        _algorithms(entry, where),
        _leeway(entry, where),
        _rules(entry, where),
    )


def _issuer_name(entry: Mapping[str, object], where: str) -> str:
    name = entry.get("issuer")
    if not isinstance(name, str) or not name:
        raise SettingRefused(f"{where}.issuer must be the text of the iss claim.")
    if name == LOCAL_ISSUER:
        raise SettingRefused(f"{where}.issuer must not be {LOCAL_ISSUER}, which names this server itself.")
    # With the key set's address given apart, `iss` is only compared and may be any text.
    return name if "jwks_url" in entry else _url(name, f"{where}.issuer")


def _url(value: object, where: str) -> str:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host = parts.hostname
    except ValueError:
        raise SettingRefused(f"{where} is not a URL.") from None
    if not isinstance(value, str) or not host or parts.username is not None or parts.fragment:
        raise SettingRefused(f"{where} must be an https URL without user name and fragment.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise SettingRefused(f"{where} must be an https URL; http is for localhost only.")
    return value


def _texts(entry: Mapping[str, object], name: str, default: tuple[str, ...], where: str) -> tuple[str, ...]:
    value = entry.get(name, list(default))
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(text, str) and text for text in values):
        raise SettingRefused(f"{where}.{name} must be a text or a list of texts.")
    if name in entry and not values:
        raise SettingRefused(f"{where}.{name} is empty; leave it out for the default.")
    return tuple(values)


def _algorithms(entry: Mapping[str, object], where: str) -> tuple[str, ...]:
    algorithms = _texts(entry, "algorithms", DEFAULT_ALGORITHMS, where)
    for name in algorithms:
        if name not in PUBLIC_ALGORITHMS:
            known = ", ".join(sorted(PUBLIC_ALGORITHMS))
            raise SettingRefused(f"{where}.algorithms: {name} is not a public-key algorithm; known are {known}.")
    return algorithms


def _leeway(entry: Mapping[str, object], where: str) -> float:
    value = entry.get("leeway_s", DEFAULT_LEEWAY_S)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_LEEWAY_S:
        raise SettingRefused(f"{where}.leeway_s must be a number of seconds from 0 to {MAX_LEEWAY_S:.0f}.")
    return float(value)


def _rules(entry: Mapping[str, object], where: str) -> ClaimRules:
    default = entry.get("default_role")
    role = None if default is None else _role(default, f"{where}.default_role")
    if role in (Role.SERVICE, Role.ADMIN):
        raise SettingRefused(f"{where}.default_role must be student, teacher or viewer: everybody would get it.")
    return ClaimRules(
        _texts(entry, "role_claims", ROLE_CLAIMS, where),
        _role_words(entry.get("role_map", {}), f"{where}.role_map"),
        role,
        _texts(entry, "name_claims", NAME_CLAIMS, where),
    )


def _role_words(role_map: object, where: str) -> dict[str, Role]:
    """Return the usual words with those of `role_map` over them; a word mapped to null means nothing any more."""
    if not isinstance(role_map, dict):
        raise SettingRefused(f"{where} must be an object of words and roles.")
    words = dict(ROLE_WORDS)
    for word, role in role_map.items():
        words.pop(word.casefold(), None)
        if role is not None:
            words[word.casefold()] = _role(role, f"{where}.{word}")
    return words


def _role(value: object, where: str) -> Role:
    if value not in list(Role):
        raise SettingRefused(f"{where} must be one of {', '.join(Role)}.")
    return Role(str(value))
