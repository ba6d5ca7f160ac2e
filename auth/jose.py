"""Compact JWS tokens and the keys that verify them: RFC 7515, 7517, 7518, 8037, 8725. Pure.

A key knows the algorithms that fit its type, and a token is verified only by a key that fits its `alg`. So a public
key is never a secret of HMAC, whatever a token's header says (RFC 8725 §2.1, §3.1).
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from auth.errors import invalid_token

MAX_TOKEN_BYTES: Final = 8192
MIN_RSA_BITS: Final = 2048
RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVE_ALGORITHMS: Final[Mapping[str, str]] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
PUBLIC_ALGORITHMS: Final = RSA_ALGORITHMS | frozenset(CURVE_ALGORITHMS.values()) | {"EdDSA"}

_JWS: Final = PyJWS()
_COMPACT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A well-formed JWS whose signature nobody has checked yet."""

    raw: str = field(repr=False)
    alg: str
    kid: str | None
    typ: str | None
    claims: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A key that may verify tokens, with the algorithms that fit its type."""

    kid: str | None
    algorithms: frozenset[str]
    material: object = field(repr=False)


def parse_token(raw: str) -> UnverifiedToken:
    """Return the parts of a compact JWS. Raises `auth.invalid_token`."""
    if len(raw) > MAX_TOKEN_BYTES:
        raise invalid_token(f"it is longer than {MAX_TOKEN_BYTES} bytes")
    if not _COMPACT.fullmatch(raw):
        raise invalid_token("it is not a JWT")
    header, claims, _ = raw.split(".")
    return UnverifiedToken(raw, *_read_header(header), _json_object(claims))


def verify_signature(token: UnverifiedToken, key: VerifyKey) -> None:
    """Return if `key` signed the token. Raises `auth.invalid_token`."""
    if token.alg not in key.algorithms:
        raise invalid_token("its algorithm does not fit the key")
    signed, _, signature = token.raw.rpartition(".")
    # The algorithm itself, not PyJWS.decode: that parses the token and examines the key again, for twice the price.
    algorithm = _JWS.get_algorithm_by_name(token.alg)
    if not algorithm.verify(signed.encode(), cast(Any, key.material), _decode(signature)):
        raise invalid_token("its signature does not match")


def sign(claims: Mapping[str, object], *, key: object, alg: str, typ: str, kid: str | None) -> str:
    """Return `claims` as a signed compact JWS."""
    headers = {"typ": typ} if kid is None else {"typ": typ, "kid": kid}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return _JWS.encode(payload, cast(Any, key), algorithm=alg, headers=headers)


def read_jwks(document: object) -> tuple[VerifyKey, ...]:
    """Return the usable signature keys of a JWK set; keys of other kinds are skipped, as RFC 7517 §5 asks."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return ()
    keys = (_read_jwk(entry) for entry in entries if isinstance(entry, dict))
    return tuple(key for key in keys if key is not None)


def find_key(keys: Iterable[VerifyKey], kid: str | None, alg: str) -> VerifyKey | None:
    """Return the key that a token names.

    A token without a `kid` is taken only where exactly one key fits its algorithm.
    """
    fitting = [key for key in keys if alg in key.algorithms and (kid is None or key.kid == kid)]
    if kid is None and len(fitting) != 1:
        return None
    return fitting[0] if fitting else None


def public_algorithms(key: object) -> frozenset[str]:
    """Return the algorithms that a public key may verify; none for a key that is too weak or of another type."""
    if isinstance(key, RSAPublicKey):
        return RSA_ALGORITHMS if key.key_size >= MIN_RSA_BITS else frozenset()
    if isinstance(key, EllipticCurvePublicKey):
        return frozenset({CURVE_ALGORITHMS[key.curve.name]} if key.curve.name in CURVE_ALGORITHMS else ())
    return frozenset({"EdDSA"}) if isinstance(key, Ed25519PublicKey) else frozenset()


def b64url(data: bytes) -> str:
    """Return unpadded base64url (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read_jwk(entry: Mapping[str, Any]) -> VerifyKey | None:
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    key = _public_key(entry)
    algorithms = public_algorithms(key)
    if "alg" in entry:
        algorithms = algorithms & {str(entry["alg"])}
    kid = entry.get("kid")
    return VerifyKey(kid if isinstance(kid, str) else None, algorithms, key) if algorithms else None


def _public_key(entry: Mapping[str, Any]) -> object:
    readers = {"RSA": RSAAlgorithm.from_jwk, "EC": ECAlgorithm.from_jwk, "OKP": OKPAlgorithm.from_jwk}
    reader = readers.get(str(entry.get("kty")))
    if reader is None:
        return None
    # A set may hold keys that this library cannot read; one of them must not void the others.
    try:
        return reader(dict(entry))
    except (PyJWTError, ValueError, TypeError, KeyError, OverflowError):
        return None


def _algorithm(header: Mapping[str, object]) -> str:
    alg = header.get("alg")
    if not isinstance(alg, str) or alg.lower() == "none":
        raise invalid_token("it is not signed")
    return alg


def _text(header: Mapping[str, object], name: str) -> str | None:
    value = header.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_token("its header is malformed")
    return value


@lru_cache(maxsize=64)
def _read_header(segment: str) -> tuple[str, str | None, str | None]:
    """Return `alg`, `kid` and `typ`. Remembered, since all tokens of one key begin alike."""
    header = _json_object(segment)
    # RFC 7515 §4.1.11: extensions that we do not know must not be skipped, and we know none.
    if "crit" in header or "b64" in header:
        raise invalid_token("its header asks for an extension that is not supported")
    return _algorithm(header), _text(header, "kid"), _text(header, "typ")


def _decode(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise invalid_token("it is not a JWT") from None


def _json_object(segment: str) -> dict[str, object]:
    try:
        value = json.loads(_decode(segment).decode())
    except (ValueError, RecursionError):
        raise invalid_token("it is not a JWT") from None
    if not isinstance(value, dict):
        raise invalid_token("it is not a JWT")
    return value
