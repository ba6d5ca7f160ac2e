"""The key that signs and verifies this school's own tokens: an Ed25519 pair in a file, or a shared secret."""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.exceptions import PyJWTError

from auth.errors import SettingRefused
from auth.jose import VerifyKey, b64url, sign

KEY_FILE: Final = "signing-ed25519.pem"
MIN_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs and verifies local tokens. `jwks` is the public document of `GET /.well-known/jwks.json`."""

    alg: str
    kid: str | None
    verify_key: VerifyKey
    jwks: Mapping[str, object]
    _private: object = field(repr=False)

    def sign(self, claims: Mapping[str, object], *, typ: str) -> str:
        """Return a signed token."""
        return sign(claims, key=self._private, alg=self.alg, typ=typ, kid=self.kid)


def secret_key(secret: str) -> SigningKey:
    """Return an HS256 key made of a shared secret. Its JWK set is empty.

    Raises SettingRefused for fewer than 32 bytes (RFC 7518 §3.2), or for text that is a PEM key.
    """
    data = secret.encode(errors="surrogateescape")
    if len(data) < MIN_SECRET_BYTES:
        raise SettingRefused(f"HOMEROOM_JWT_SECRET must be at least {MIN_SECRET_BYTES} bytes long.")
    key = SigningKey("HS256", None, VerifyKey(None, frozenset({"HS256"}), data), {"keys": []}, data)
    try:
        key.sign({}, typ="JWT")
    except PyJWTError:
        raise SettingRefused("HOMEROOM_JWT_SECRET must be a random secret, not a PEM or SSH key.") from None
    return key


def load_signing_key(directory: Path) -> SigningKey:
    """Return the Ed25519 key kept in `directory`, made on first use.

    Several processes may start at once: all return the same key. Blocks on the disk.
    Raises SettingRefused if the key cannot be made, is damaged, or may be read by other users.
    """
    path = directory / KEY_FILE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        pem = _read_private(path)
    except OSError as exc:
        raise SettingRefused(f"The signing key {path} cannot be used: {exc.strerror or exc}.") from exc
    return _ed25519(_parse(pem, path))


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the RFC 7638 SHA-256 thumbprint of an OKP key (members as in RFC 8037 §2)."""
    members = {name: jwk[name] for name in ("crv", "kty", "x")}
    return b64url(hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest())


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A hard link appears whole or not at all, and only the first of several processes can make it.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _read_private(path: Path) -> bytes:
    with path.open("rb") as file:
        # The mode of the open file, so that nobody can swap the path between the check and the read.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if os.name == "posix" and mode & 0o077:
            raise SettingRefused(
                f"The signing key {path} may be read by other users (mode {mode:04o}). If nobody saw it, run "
                "chmod 600 on it; otherwise delete it, and every token in use ends."
            )
        return file.read(65536)


def _parse(pem: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingRefused(f"The signing key {path} is damaged. Restore it, or delete it for a new one.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingRefused(f"The signing key {path} is not an Ed25519 key. Delete it for a new one.")
    return key


def _ed25519(private: Ed25519PrivateKey) -> SigningKey:
    public = private.public_key()
    jwk = _public_jwk(public)
    verify = VerifyKey(jwk["kid"], frozenset({"EdDSA"}), public)
    return SigningKey("EdDSA", jwk["kid"], verify, {"keys": [jwk]}, private)


def _public_jwk(public: Ed25519PublicKey) -> dict[str, str]:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    return {**jwk, "kid": thumbprint(jwk), "alg": "EdDSA", "use": "sig"}
